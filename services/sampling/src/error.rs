//! Every way in which a use case can fail.

use chrono::NaiveDate;
use kit::status::Problem;
use sea_orm::DbErr;

use crate::domain::health::absence::AbsenceState;
use crate::domain::health::assay::Unfit;
use crate::domain::health::case;
use crate::domain::health::disease::Certainty;
use crate::domain::health::person::Refusal;
use crate::domain::health::rules::Slot;
use crate::domain::health::screening::ClientReused;
use crate::domain::health::signal::SignalState;
use crate::domain::hold::HoldState;
use crate::domain::measure::MeasureState;
use crate::domain::point::PointState;
use crate::domain::swab::Refused;
use crate::domain::tube::IllegalMove;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Refused by kit: authorisation, paging, idempotency, overload, a field.
    #[error("refused")]
    Refused(#[source] Problem),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Nothing in the caller's scope has this name.
    #[error("{0} not found")]
    NotFound(String),
    /// Something has this name already.
    #[error("{0} exists")]
    AlreadyExists(String),
    /// The resource changed since it was read.
    #[error("{0} changed meanwhile")]
    EtagMismatch(String),

    /// There is no school on this day, so nothing is drawn.
    #[error("{0} is no school day")]
    NoSchoolDay(NaiveDate),
    /// Only today can be drawn.
    #[error("{0} is not today")]
    NotToday(NaiveDate),
    /// The plan is not active on the day.
    #[error("{0} is not active")]
    PlanNotActive(String),
    /// The draw is closed, its seed published.
    #[error("{0} is closed")]
    DrawClosed(String),
    /// The person is not among the day's picks, or was replaced already.
    #[error("not assigned in {0}")]
    NotAssigned(String),
    /// The person's swab is in a sealed tube.
    #[error("already sampled in {0}")]
    AlreadySampled(String),
    /// No policy is known for this place: the roster has not been heard yet.
    #[error("no policy for {0}")]
    NoPolicy(String),
    /// The verb does not start from the tube's state.
    #[error("the tube is {0}")]
    TubeState(String),
    /// The swab is refused.
    #[error("the swab is refused")]
    Swab(#[source] Refused, i32),
    /// An empty tube is not sealed.
    #[error("the tube is empty")]
    TubeEmpty,
    /// Courier and receiver did not both sign.
    #[error("signatures are missing")]
    Signatures,
    /// The same version of a report says something else.
    #[error("another result stands for {0}")]
    ResultConflict(String),
    /// The verb does not start from the hold's state.
    #[error("the hold is {0:?}")]
    HoldState(Option<HoldState>),
    /// The verb does not start from the sampling point's state.
    #[error("the sampling point is {0:?}")]
    PointState(PointState),

    /// The policy holds no such check there.
    #[error("no {0:?} check is held there")]
    CheckSlot(Slot),
    /// Checks of this day are not taken.
    #[error("no checks are taken of {0}")]
    CheckDay(NaiveDate),
    /// The client's identifier came with another content.
    #[error("a check is refused")]
    CheckClient(#[from] ClientReused),
    /// The check was submitted as often as one can be.
    #[error("submitted too often")]
    CheckSubmissions,
    /// The class reporter has no valid examination.
    #[error("no examination at {0}")]
    NotExamined(String),
    /// The verb does not start from the absence's state.
    #[error("the absence is {0:?}")]
    AbsenceState(AbsenceState),
    /// Who is absent has not been cleared.
    #[error("not cleared")]
    NotCleared,
    /// What was to be done about somebody's health is refused; whether the caller may be told what
    /// is lacking.
    #[error("refused on the medical axis")]
    Health(Refusal, bool),
    /// The verb does not start from the state of the signal.
    #[error("the signal is {0:?}")]
    SignalState(SignalState),
    /// The verb does not start from the cluster's state.
    #[error("the cluster is {0}")]
    ClusterState(i16),
    /// The suspension was decided or withdrawn before.
    #[error("the suspension is {0}")]
    SuspensionState(i16),
    /// The scope is narrower than it is, or leaves out who was proposed.
    #[error("the scope is narrower than it is, or leaves out who was proposed")]
    SuspensionScope,
    /// The day of return of the suspension has come.
    #[error("the day of return has come")]
    SuspensionReturned,
    /// The suspension was amended as often as one can be.
    #[error("amended too often")]
    SuspensionAmendments,
    /// More was said than is replayed at once.
    #[error("{signs} signs in the period")]
    SimulationTooLarge {
        /// What was said in the period.
        signs: u64,
        /// As much may be replayed of it at once.
        most: u64,
    },
    /// The verb does not start from where the case stands.
    #[error("the case is {0}")]
    CaseState(&'static str),
    /// Only above the school is this decided of what weighs so much.
    #[error("decided above the school")]
    CaseDecidedAbove,
    /// A report of this kind, by its number, may not follow the last one.
    #[error("report {0} is out of order")]
    ReportOrder(i16),
    /// The report is not at this level, by its number.
    #[error("the report is not at level {0}")]
    ReportLevel(i16),
    /// A tube cannot be used for a test.
    #[error("the tube is not for this test")]
    Assay(#[from] Unfit),
    /// A single tube tests for another disease than the hold that orders it.
    #[error("the tube tests for another disease than the hold")]
    AssayDiffers,
    /// The verb does not start from the state of the control.
    #[error("the control is {0:?}")]
    ControlState(MeasureState),
}

impl From<case::IllegalMove> for Error {
    fn from(err: case::IllegalMove) -> Self {
        Self::CaseState(match (err.from.certainty, err.from.is_open()) {
            (None, _) => "EXCLUDED",
            (_, false) => "CLOSED",
            (Some(Certainty::Suspected), true) => "SUSPECTED",
            (Some(Certainty::Confirmed), true) => "CONFIRMED",
        })
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<IllegalMove> for Error {
    fn from(err: IllegalMove) -> Self {
        Self::TubeState(state_name(err.from))
    }
}

/// The name of a state as the contract writes it.
pub(crate) fn state_name(state: crate::domain::tube::State) -> String {
    let state = proto::sampling::tube::State::try_from(i32::from(state.code()));
    state
        .unwrap_or_default()
        .as_str_name()
        .trim_start_matches("STATE_")
        .to_owned()
}
