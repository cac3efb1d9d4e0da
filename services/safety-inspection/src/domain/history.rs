//! Who moved what, when, from which to which state.

use chrono::{DateTime, Utc};

/// One entry of the history of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The state before; empty when the resource was made.
    pub from: &'static str,
    /// The state after.
    pub to: &'static str,
    /// What was done.
    pub step: &'static str,
}

/// An entry as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The state before; empty when the resource was made.
    pub from: String,
    /// The state after.
    pub to: String,
    /// What was done.
    pub step: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, where a reason is asked for.
    pub note: String,
}
