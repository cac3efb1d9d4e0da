//! Concerns and support, and who may know whose they are, on both databases.

mod above;
mod anonymity;
mod apart;
mod approvals;
mod care;
mod concern_clocks;
mod concern_lists;
mod concerns;
mod confidence;
mod destruction;
mod held;
mod lane;
mod reminders;
mod support;
#[path = "../town/mod.rs"]
mod town;
