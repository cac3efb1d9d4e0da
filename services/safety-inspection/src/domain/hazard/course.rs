//! What happens to a hazard on its way: control, fixes, submission, extension, supervision.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::major::Fact;
use super::state::{Bureau, Grade};
use crate::domain::checklist::item::Clause;

/// What keeps people safe until a hazard is removed; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Use was stopped.
    StopUse = 1,
    /// People were brought away.
    Evacuate = 2,
    /// It was cordoned off, with a warning sign.
    Cordon = 3,
}

impl Measure {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::StopUse, Self::Evacuate, Self::Cordon];

    /// Whether it is enough for a major hazard (rule 5.9: stop use or evacuate).
    pub fn controls_major(self) -> bool {
        match self {
            Self::StopUse | Self::Evacuate => true,
            Self::Cordon => false,
        }
    }
}

/// The control until a hazard is removed (rules 5.8, 5.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What was done.
    pub measures: Vec<Measure>,
    /// How.
    pub description: String,
    /// Who said so.
    pub controller: String,
    /// Since when.
    pub start: DateTime<Utc>,
    /// Until when; none while it stands.
    pub end: Option<DateTime<Utc>>,
}

/// The five fixes (rule 5.6); the deadline, the fourth of them, is that of the hazard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixes {
    /// Responsibility: `staff/{staff_member}`.
    pub owner: String,
    /// Measures.
    pub measures: String,
    /// Funds, in hundredths of a yuan.
    pub budget_fen: i64,
    /// The plan should it come to the worst.
    pub contingency_plan: String,
    /// When it was assigned.
    pub assigned: DateTime<Utc>,
}

/// How a hazard was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// In words.
    pub statement: String,
    /// Who said so.
    pub submitter: String,
    /// When.
    pub submitted: DateTime<Utc>,
    /// The civil day of that; none of what was stored before it was kept.
    #[serde(default)]
    pub day: Option<NaiveDate>,
    /// Which time, from 1.
    pub round: i32,
    /// How many pictures show the place afterwards.
    pub after_photos: i32,
}

/// What became of a later deadline that was asked for; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Nothing yet.
    Requested = 1,
    /// The deadline is later now.
    Granted = 2,
    /// The deadline stays.
    Refused = 3,
}

impl Decision {
    /// Its word in the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Granted => "GRANTED",
            Self::Refused => "REFUSED",
        }
    }
}

/// A later deadline that somebody asked for (rule 5.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// What became of it.
    pub decision: Decision,
    /// The deadline that was asked for.
    pub due: NaiveDate,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requester: String,
    /// Who decided; empty before.
    pub decider: String,
}

/// Listed supervision (挂牌督办, rule 5.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// Whose list.
    pub bureau: Bureau,
    /// What is demanded.
    pub demand: String,
    /// Who put it up.
    pub supervisor: String,
    /// When it was put up.
    pub start: DateTime<Utc>,
    /// What was seen last, and when.
    pub watched: Option<(String, DateTime<Utc>)>,
    /// When it was lifted.
    pub lifted: Option<DateTime<Utc>>,
}

/// The next report of progress on a major hazard (rule 5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressDue {
    /// The last civil day for it.
    pub day: NaiveDate,
    /// The owner was told that it did not come.
    pub told: bool,
}

/// The review of a removal, while it is waited for (rule 5.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewDue {
    /// The last civil day for it.
    pub day: NaiveDate,
    /// The reviewer was told that it is late.
    pub told: bool,
}

/// All of it, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// What is known of it.
    pub facts: Vec<Fact>,
    /// The grade that the failed item of a checklist gave by the rules of its day.
    pub proposed: Option<Grade>,
    /// The law behind that item.
    pub clause: Option<Clause>,
    /// The control until it is removed.
    pub control: Option<Control>,
    /// The five fixes.
    pub fixes: Option<Fixes>,
    /// How much is done, 0 to 100.
    pub percent: i32,
    /// How many reports of progress there are.
    pub progress_reports: i32,
    /// The next one.
    pub progress_due: Option<ProgressDue>,
    /// How it was removed, as said last.
    pub submission: Option<Submission>,
    /// The review of that; none when none is waited for.
    pub review_due: Option<ReviewDue>,
    /// Who owned it or said that it is removed before; each once.
    pub former: Vec<String>,
    /// Who reviews it; empty before.
    pub reviewer: String,
    /// The extension that was asked for last.
    pub extension: Option<Extension>,
    /// How often the deadline was extended.
    pub extensions: i32,
    /// That its deadline is over was told.
    pub overdue_told: bool,
    /// When it went up to the district.
    pub escalated: Option<NaiveDate>,
    /// The listed supervision.
    pub supervision: Option<Supervision>,
    /// How many acts were written down.
    pub changes: i32,
}

impl Course {
    /// Keeps somebody who owned it or said that it is removed: they never review it.
    pub(super) fn remember(&mut self, who: String) {
        if !who.is_empty() && !self.former.contains(&who) {
            self.former.push(who);
        }
    }
}
