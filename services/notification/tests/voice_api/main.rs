//! Concerns and support, and who may know whose they are, on both databases.

mod above;
mod anonymity;
mod apart;
mod approvals;
mod care;
mod concerns;
mod confidence;
mod lane;
mod reminders;
mod support;
#[path = "../town/mod.rs"]
mod town;
