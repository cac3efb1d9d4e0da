//! What callers are shown, before it is put on the wire.

use chrono::NaiveDate;

use super::Evidence;
use crate::store::weather::alarms::AlarmRow;
use crate::store::weather::changes::ChangeRow;
use crate::store::weather::checks::Recorded;
use crate::store::weather::states::StateRow;
use crate::store::weather::suspensions::SuspensionRow;
use crate::store::weather::tasks::TaskRow;
use crate::store::weather::teaching::TeachingRow;

/// A warning.
#[derive(Clone, Debug)]
pub(crate) struct SignalView {
    pub(crate) row: AlarmRow,
    /// Identifiers of documents that have not come.
    pub(crate) missing: Vec<String>,
    pub(crate) history: Vec<ChangeRow>,
}

/// A response level.
#[derive(Clone, Debug)]
pub(crate) struct ResponseView {
    pub(crate) row: AlarmRow,
    /// The suspension that came with it last.
    pub(crate) suspension: Option<String>,
    pub(crate) history: Vec<ChangeRow>,
}

/// Where an organisation stands.
#[derive(Clone, Debug)]
pub(crate) struct StateView {
    /// The id of the organisation.
    pub(crate) organization: String,
    /// None when it never was warned.
    pub(crate) row: Option<StateRow>,
    pub(crate) buses_stopped: bool,
    pub(crate) teaching: Option<TeachingRow>,
    /// Only where one is asked for by name.
    pub(crate) day: Option<DayView>,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

/// What a civil day was or is like at an organisation, and why.
#[derive(Clone, Debug)]
pub(crate) struct DayView {
    pub(crate) date: NaiveDate,
    pub(crate) arrival_delayed: bool,
    pub(crate) dismissal_delayed: bool,
    pub(crate) flood_season: bool,
    pub(crate) policy_version: String,
    pub(crate) causes: Vec<String>,
    pub(crate) suspensions: Vec<String>,
    pub(crate) history: Vec<ChangeRow>,
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct TaskView {
    pub(crate) row: TaskRow,
    pub(crate) photos: Vec<Evidence>,
    pub(crate) history: Vec<ChangeRow>,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

/// A suspension.
#[derive(Clone, Debug)]
pub(crate) struct SuspensionView {
    pub(crate) row: SuspensionRow,
    pub(crate) history: Vec<ChangeRow>,
}

/// A sweep and a disinfection.
#[derive(Clone, Debug)]
pub(crate) struct CheckView {
    /// The id of the organisation.
    pub(crate) organization: String,
    pub(crate) recorded: Recorded,
    /// By the resource whose evidence they are.
    pub(crate) photos: Vec<(String, Evidence)>,
    /// The codes of what stands in the way of teaching.
    pub(crate) missing: Vec<String>,
}
