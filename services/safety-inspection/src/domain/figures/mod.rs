//! What bureaus count: numbers that each entity adds to those of its organisation.

mod counts;
mod rank;

pub use counts::{Counts, Metric};
pub use rank::{Rank, is_silent, share};
