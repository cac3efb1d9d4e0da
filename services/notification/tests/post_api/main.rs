//! Messages on their way from who tells to who reads, through channels with real peers.

mod arrival;
mod contacts;
mod deliveries;
mod email;
mod failing;
mod inbox;
mod messages;
#[path = "../peers/mod.rs"]
mod peers;
mod providers;
mod sending;
mod telling;
mod templates;
mod told;
#[path = "../town/mod.rs"]
mod town;
