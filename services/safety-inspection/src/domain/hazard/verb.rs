//! What can be done to a hazard, and from which states (rule 5.9).

use chrono::NaiveDate;

use super::course::Measure;
use super::major::Fact;
use super::state::{Grade, State};
use crate::domain::photo::Photo;

/// The five fixes as they are asked for (rule 5.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Responsibility: `staff/{staff_member}`; empty when nobody answers.
    pub owner: String,
    /// Measures.
    pub measures: String,
    /// Funds, in hundredths of a yuan.
    pub budget_fen: i64,
    /// Deadline: the last civil day.
    pub due: NaiveDate,
    /// The plan should it come to the worst.
    pub contingency_plan: String,
}

/// What somebody does to a hazard.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// It is one.
    Verify {
        /// How grave, by judgement.
        grade: Grade,
        /// It can be removed at once.
        at_once: bool,
        /// What is known of it now, of the report too.
        facts: Vec<Fact>,
        /// Codes of the rules that these facts hit.
        major_rules: Vec<String>,
        /// Remarks.
        note: String,
    },
    /// It is none, and why.
    Dismiss(String),
    /// People are safe from it for now, and how.
    Control(Vec<Measure>, String),
    /// It will be removed so.
    Assign(Plan),
    /// Somebody else owns it now, and why.
    HandOver {
        /// `staff/{staff_member}`.
        owner: String,
        /// Why.
        reason: String,
    },
    /// Its owner is reminded, with a remark.
    Remind(String),
    /// Its removal begins.
    Rectify,
    /// It is removed.
    Submit {
        /// How.
        statement: String,
        /// Pictures of it before.
        before: Vec<Photo>,
        /// Pictures that are handed in now.
        photos: Vec<Photo>,
    },
    /// The review begins.
    Review,
    /// It is closed, with a remark.
    Close(String),
    /// The removal does not convince, and why.
    Return(String),
    /// So much is done, in percent, and in words.
    Progress(i32, String),
    /// A later deadline is asked for, and why.
    RequestExtension(NaiveDate, String),
    /// It is granted or not, and why.
    DecideExtension(bool, String),
    /// It is put on the list of the actor's bureau, with what is demanded.
    Supervise(String),
    /// What was seen while it was watched.
    RecordSupervision(String),
    /// It is taken off the list, with a remark.
    LiftSupervision(String),
}

use State as S;

const REMOVED: &[State] = &[S::Assigned, S::Rectifying, S::Returned];
const OPEN: &[State] = &[
    S::Verified,
    S::InterimControl,
    S::Assigned,
    S::Rectifying,
    S::Submitted,
    S::Reviewing,
    S::Returned,
];
const WATCHED: &[State] = &[
    S::Verified,
    S::InterimControl,
    S::Assigned,
    S::Rectifying,
    S::Submitted,
    S::Reviewing,
    S::Returned,
    S::Closed,
];

impl Verb {
    /// From which states it starts.
    pub fn states(&self) -> &'static [State] {
        match self {
            Self::Verify { .. } | Self::Dismiss(_) => &[S::Reported],
            Self::Control(..) => &[S::Verified],
            Self::Assign(_) => &[S::Verified, S::InterimControl],
            Self::HandOver { .. } | Self::Remind(_) | Self::RequestExtension(..) => REMOVED,
            Self::DecideExtension(..) => REMOVED,
            Self::Rectify => &[S::Assigned, S::Returned],
            Self::Submit { .. } | Self::Progress(..) => &[S::Rectifying],
            Self::Review => &[S::Submitted],
            Self::Close(_) | Self::Return(_) => &[S::Reviewing],
            Self::Supervise(_) => OPEN,
            Self::RecordSupervision(_) => WATCHED,
            Self::LiftSupervision(_) => &[S::Closed],
        }
    }

    /// The method of the contract.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Verify { .. } => "VerifyHazard",
            Self::Dismiss(_) => "DismissHazard",
            Self::Control(..) => "ControlHazard",
            Self::Assign(_) => "AssignHazard",
            Self::HandOver { .. } => "HandOverHazard",
            Self::Remind(_) => "RemindHazard",
            Self::Rectify => "RectifyHazard",
            Self::Submit { .. } => "SubmitHazard",
            Self::Review => "ReviewHazard",
            Self::Close(_) => "CloseHazard",
            Self::Return(_) => "ReturnHazard",
            Self::Progress(..) => "ReportHazardProgress",
            Self::RequestExtension(..) => "RequestHazardExtension",
            Self::DecideExtension(..) => "DecideHazardExtension",
            Self::Supervise(_) => "SuperviseHazard",
            Self::RecordSupervision(_) => "RecordHazardSupervision",
            Self::LiftSupervision(_) => "LiftHazardSupervision",
        }
    }

    /// What is said with it, for the history.
    pub fn note(&self) -> &str {
        match self {
            Self::Verify { note, .. } => note,
            Self::HandOver { reason, .. } => reason,
            Self::Submit { statement, .. } => statement,
            Self::Assign(plan) => &plan.measures,
            Self::Dismiss(words)
            | Self::Control(_, words)
            | Self::Remind(words)
            | Self::Close(words)
            | Self::Return(words)
            | Self::Progress(_, words)
            | Self::RequestExtension(_, words)
            | Self::DecideExtension(_, words)
            | Self::Supervise(words)
            | Self::RecordSupervision(words)
            | Self::LiftSupervision(words) => words,
            Self::Rectify | Self::Review => "",
        }
    }
}
