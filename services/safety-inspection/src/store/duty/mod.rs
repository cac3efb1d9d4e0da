//! The duty watch: rows in and out.

mod busy;
mod rosters;
mod shifts;
mod swaps;
mod watch;

pub use watch::{PatrolRow, SpotCheckRow};
