//! Policies, the calendar, duties and responsibility, on both databases.

mod calendar;
#[path = "../desk/mod.rs"]
mod desk;
mod duties;
mod policy;
mod policy_load;
mod policy_reach;
mod responsibility;
mod start;
