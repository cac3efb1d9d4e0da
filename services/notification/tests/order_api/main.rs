//! Directives and meetings as their clients see them, on both databases.

mod attendances;
mod calls;
mod counts;
mod deadlines;
mod directives;
mod heard;
mod items;
mod meetings;
mod orders;
mod progress;
mod receipts;
#[path = "../town/mod.rs"]
mod town;
mod upgrade_deadlines;
mod upgrade_orders;
