//! The checks of a visitor and the companions at the gate: the strictest decides (rules 3.1, 3.7).

use chrono::{DateTime, Utc};

use super::state::Verb;
use crate::domain::gate::decision::{Checks, Outcome};
use crate::domain::gate::finding::Finding;
use crate::domain::gate::observation::{ColourSource, Observation};

/// One of those who want to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrant {
    /// What each check found.
    pub checks: Checks,
    /// What was seen.
    pub observation: Observation,
}

/// One check of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The visitor, then each companion.
    pub entrants: Vec<Entrant>,
    /// Everybody wears a mask.
    pub mask_worn: bool,
    /// The gate or device.
    pub device: String,
    /// The guard.
    pub guard: String,
    /// The policy applied.
    pub policy_version: String,
    /// When.
    pub time: DateTime<Utc>,
    /// Manual mode (rule 3.9).
    pub stale: bool,
    /// Where the visitor's colour comes from.
    pub colour_source: ColourSource,
}

impl Checked {
    /// The strictest of all; nobody is admitted whom nobody checked.
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.entrants.iter().map(|entrant| entrant.checks.outcome());
        outcomes.max().unwrap_or(Outcome::Deny)
    }

    /// What follows for the visit.
    pub fn verb(&self) -> Verb {
        match self.outcome() {
            Outcome::Admit => Verb::Admit,
            Outcome::Observe => Verb::Observe,
            Outcome::Deny => Verb::Deny,
        }
    }

    /// Whether one of them waits for a second reading with a contact thermometer (rule 3.3).
    pub fn awaits_reading(&self) -> bool {
        let mut entrants = self.entrants.iter();
        entrants.any(|entrant| entrant.checks.temperature == Finding::TemperatureHigh)
    }

    /// How many companions were checked.
    pub fn companions(&self) -> i32 {
        i32::try_from(self.entrants.len().saturating_sub(1)).unwrap_or(i32::MAX)
    }
}
