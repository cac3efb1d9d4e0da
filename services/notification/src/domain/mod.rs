//! What is true of alerts and directives: types and pure functions.

pub mod alert;
pub mod directive;
pub mod fact;
pub mod kinds;
pub mod place;
pub mod policy;
pub mod recipient;
