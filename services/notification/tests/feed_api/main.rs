//! NotificationFeed as other services and systems read it, on both databases.

mod changes;
mod cuts;
mod filled;
mod readers;
#[path = "../town/mod.rs"]
mod town;
