//! The city at a glance: the figures of all services side by side, read as the caller and put together.
//!
//! Nothing is counted here: what no service counts, such as staff, has no section.

mod assemble;
mod config;
mod desk;
mod failure;
mod figures;
mod memory;
mod rank;
mod reader;
mod refusal;
mod source;
#[cfg(test)]
mod tests;
mod watch;
mod who;

use std::sync::Arc;

use kit::clock::Clock;
use kit::drain::Drain;

pub use config::OverviewConfig;
pub(crate) use desk::{Desk, Subject};
pub(crate) use rank::Rank;
pub(crate) use watch::Watches;
pub(crate) use who::Who;

use crate::inside::Inside;
use crate::route::Table;
use memory::Memory;
use reader::Reader;

/// Puts the overview together.
pub(crate) fn open(
    config: &OverviewConfig,
    table: Arc<Table>,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> (Desk, Watches) {
    let reader = Reader::new(Inside(table), clock.clone());
    let memory = Memory::new(config.keep);
    let desk = Desk::new(reader, memory, clock, config.part_deadline);
    let watches = Watches::new(desk.clone(), config.clone(), drain);
    (desk, watches)
}
