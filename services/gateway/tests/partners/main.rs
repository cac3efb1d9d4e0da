//! Systems with which there are agreements, those of `deploy/config/partners.toml`: they call what was agreed, are
//! told what was agreed, as often and for as long as was agreed.

mod answers;
mod changes;
mod contracts;
mod methods;
#[path = "../../../kit/tests/pki/mod.rs"]
mod pki;
mod quota;
mod refused;
#[path = "../spy/mod.rs"]
mod spy;
mod stand;
