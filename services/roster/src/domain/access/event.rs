//! The steps of an approval: the only thing that is stored of it, and only added to.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::organization::coded;

coded! {
    /// Which data of minors.
    MinorData {
        /// Students and guardians.
        Register = 1 "REGISTER",
        /// Checks, absences, medical states, clusters and cases.
        Health = 2 "HEALTH",
        /// Draws, tubes, results and holds.
        Sampling = 3 "SAMPLING",
        /// Gate decisions, visits and incidents.
        Safety = 4 "SAFETY",
        /// Messages to families, concerns and care tasks.
        Messages = 5 "MESSAGES",
    }
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What is to be seen, by the words of [`MinorData`].
    pub data: Vec<String>,
    /// Of whom; empty for everybody at and below the place.
    pub persons: Vec<Uuid>,
    /// For what.
    pub purpose: String,
    /// Why.
    pub reason: String,
    /// From when on, in milliseconds since 1970.
    pub start: i64,
    /// Until when, in milliseconds since 1970.
    pub end: i64,
}

/// What is about to be shown to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub data: MinorData,
    /// Of whom; none for everybody at and below the place.
    pub person: Option<Uuid>,
    /// The place in the tree whose data it is.
    pub place: String,
    /// For what.
    pub purpose: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Step {
    /// Somebody asked.
    Requested {
        /// For what.
        terms: Terms,
    },
    /// Somebody else agreed.
    Approved {
        /// Until when, in milliseconds since 1970.
        end: i64,
    },
    /// Somebody else refused.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Who asked took it back.
    Withdrawn,
    /// It was ended before its time.
    Revoked {
        /// Why.
        reason: String,
    },
}

impl Step {
    /// The word for people.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "REQUESTED",
            Self::Approved { .. } => "APPROVED",
            Self::Rejected { .. } => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Revoked { .. } => "REVOKED",
        }
    }
}

/// A step, who took it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The subject of the token.
    pub actor: String,
    /// Milliseconds since 1970.
    pub time: i64,
    /// What was done.
    #[serde(flatten)]
    pub step: Step,
}
