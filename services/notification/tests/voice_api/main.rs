//! Concerns and support, and who may know whose they are, on both databases.

mod anonymity;
mod care;
mod concerns;
mod lane;
mod reminders;
mod support;
#[path = "../town/mod.rs"]
mod town;
