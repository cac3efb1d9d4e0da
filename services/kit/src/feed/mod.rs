//! The change feed of a service: what changed, in commit order, without gaps.
//!
//! A writer announces changes in the transaction of their cause. On SQLite, whose writers take
//! turns, a change gets its place in the log at once. On PostgreSQL it waits in the outbox until
//! the [`sequencer`] moves whole transactions into the log; that keeps writers parallel.
//! Readers take a snapshot of the latest states and then watch the log from where it began.

mod announce;
pub mod epoch;
mod figures;
mod hub;
mod origin;
mod reader;
pub mod sequencer;
mod serve;
mod token;

pub use announce::{Change, announce};
pub(crate) use origin::AddOrigins;
pub use origin::Origin;
pub use reader::{Feed, Item, Page};
pub use sequencer::spawn_sequencer;
pub use serve::{Answers, Told};
