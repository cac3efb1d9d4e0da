//! The plan of a university, which stands in place of batch, self-check and joint inspection: one
//! university, one plan, reported to the headquarters for approval (rule 4.2).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::inspection::Decision;

/// The place of universities, which are in no batch: after every place of the order.
pub const POSITION: i16 = 100;

/// How the place is called in names.
pub const WORD: &str = "own-plan";

/// What a university reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPlan {
    /// In words: who returns when, and what is done for it.
    pub text: String,
    /// The first day of teaching that it proposes.
    pub day: NaiveDate,
    /// The account that reported it.
    pub reporter: String,
    /// When.
    pub reported: DateTime<Utc>,
    /// What the headquarters said, once it did.
    pub ruling: Option<Ruling>,
}

/// What the headquarters says of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Approved, to be put right, or refused.
    pub decision: Decision,
    /// Why.
    pub opinion: String,
    /// The account that said it.
    pub actor: String,
    /// When.
    pub time: DateTime<Utc>,
}
