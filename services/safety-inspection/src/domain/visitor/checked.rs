//! The checks of a visitor and the companions at the gate: the strictest decides (rules 3.1, 3.7).

use chrono::{DateTime, Utc};

use super::state::Verb;
use crate::domain::gate::decision::{self, Checks, Outcome};
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
    /// What the policy makes of that (rule 3.6).
    pub mask: Finding,
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
    /// The strictest of all, the masks among them; nobody is admitted whom nobody checked.
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.entrants.iter().map(|entrant| entrant.checks.outcome());
        let strictest = outcomes.max().unwrap_or(Outcome::Deny);
        strictest.max(decision::outcome_of(self.mask))
    }

    /// How many of them a red health code keeps out (rule 3.4).
    pub fn red_codes(&self) -> usize {
        let found = self.entrants.iter().map(|one| one.checks.health_code);
        found
            .filter(|finding| *finding == Finding::ColourRed)
            .count()
    }

    /// What follows for the visit.
    pub fn verb(&self) -> Verb {
        match self.outcome() {
            Outcome::Admit => Verb::Admit,
            Outcome::Observe => Verb::Observe,
            Outcome::Deny => Verb::Deny,
        }
    }

    /// What sends one of them to a reading with a contact thermometer (rule 3.3); of several that for
    /// which the wait is longest.
    pub fn awaited(&self) -> Option<Finding> {
        let found = self.entrants.iter().map(|one| one.checks.temperature);
        let awaited = found.filter(|finding| finding.sends_to_recheck());
        awaited.min_by_key(|finding| finding.continues_recheck())
    }

    /// How many companions were checked.
    pub fn companions(&self) -> i32 {
        i32::try_from(self.entrants.len().saturating_sub(1)).unwrap_or(i32::MAX)
    }
}
