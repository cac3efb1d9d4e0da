//! Messages on their way from who tells to who reads, through channels with real peers.

mod arrival;
mod contacts;
mod contacts_batch;
mod deliveries;
mod destruction;
mod direct;
mod documents;
mod email;
mod encrypted;
mod failing;
mod guardians;
mod inbox;
mod messages;
#[path = "../peers/mod.rs"]
mod peers;
mod providers;
mod retention;
mod sending;
mod shared;
mod superseded;
mod telling;
mod templates;
mod told;
#[path = "../town/mod.rs"]
mod town;
