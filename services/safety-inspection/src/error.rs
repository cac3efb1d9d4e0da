//! Every way in which a use case can fail.

use chrono::{DateTime, NaiveDate, Utc};
use kit::status::Problem;
use kit::vault::VaultError;
use sea_orm::DbErr;

use crate::domain::checklist::template::{State as ChecklistState, Unaddable};
use crate::domain::hazard::moves::Refused;
use crate::domain::incident::moves::Refusal;
use crate::domain::inspection::campaign::State as CampaignState;
use crate::domain::inspection::state::Refused as InspectionRefused;
use crate::domain::organization::Level as Authority;
use crate::domain::person::PersonName;
use crate::domain::protection::version;
use crate::domain::shelter::{self, isolation};
use crate::domain::supply::{ledger, transfer};
use crate::domain::visitor::visit::{Illegal, Verification};
use crate::domain::weather::level::Level as WeatherLevel;
use crate::domain::weather::response::ResponseState;
use crate::domain::weather::state::State as WeatherState;
use crate::domain::weather::suspension::SuspensionState;
use crate::domain::weather::task::TaskState;
use crate::domain::weather::warning::Refusal as WarningRefusal;
use crate::domain::{drill, duty, resumption};

/// Why a call could not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing in the caller's scope has this name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Somebody overrode the decision before.
    #[error("{0} was overridden before")]
    Overridden(String),
    /// The override says what the checks said.
    #[error("the override of {0} does not differ")]
    SameResult(String),
    /// An override admits nobody who is unknown or of another organisation.
    #[error("{0} is of nobody of the school")]
    OverrideUnrelated(String),
    /// An override admits nobody after the day of the decision.
    #[error("the day of {0} is over")]
    OverrideDayOver(String),
    /// The person waits for a recheck.
    #[error("the recheck goes on from {0} at {1}")]
    ObservationOpen(String, DateTime<Utc>),
    /// The decision did not send this person to observation.
    #[error("{0} is no observation of this person")]
    NotObserved(String),
    /// The second reading is due later.
    #[error("the second reading is due at {0}")]
    RecheckTooEarly(DateTime<Utc>),
    /// The code is too old.
    #[error("the code expired on {0}")]
    CodeExpired(NaiveDate),
    /// The code is not one of ours.
    #[error("not a code of this city")]
    ForeignCode,
    /// A rule of hazards does not allow it.
    #[error(transparent)]
    Hazard(#[from] Refused),
    /// The version of a checklist is in a state that the verb does not start from.
    #[error("the checklist is {}", .0.as_str())]
    ChecklistState(ChecklistState),
    /// The checklist adds nothing to the other.
    #[error(transparent)]
    ChecklistAddition(Unaddable),
    /// The checklist is not in force there, or not for such a place.
    #[error("{0} is not in force there or not for such a place")]
    ChecklistNotApplicable(String),
    /// The inspection is in a state that the verb does not start from, or this is not for this person.
    #[error(transparent)]
    Inspection(#[from] InspectionRefused),
    /// Items are not answered.
    #[error("{outstanding} items are not answered, the first is {item}")]
    InspectionIncomplete {
        /// The first of them.
        item: String,
        /// How many.
        outstanding: usize,
    },
    /// The campaign is in a state that the verb does not start from.
    #[error("the campaign is {}", .0.as_str())]
    CampaignState(CampaignState),
    /// There is no place for the campaign.
    #[error("nothing below is of the kinds of the checklist")]
    CampaignNoTargets,
    /// A drill refuses.
    #[error(transparent)]
    Drill(#[from] drill::Refused),
    /// A roster, shift or swap refuses.
    #[error(transparent)]
    Duty(#[from] duty::Refused),
    /// Another published roster has shifts at the same time.
    #[error("{0} is published for the same time")]
    DutyRosterOverlap(String),
    /// An argument is of the right form, but wrong as things stand.
    #[error("{field}: {en}")]
    Unfit {
        /// The field.
        field: &'static str,
        /// Why, in Chinese.
        zh: &'static str,
        /// Why.
        en: &'static str,
    },
    /// The verb does not start from the state of the visit.
    #[error(transparent)]
    VisitState(#[from] Illegal),
    /// The register knows no such member of staff at work.
    #[error("{0} is not known at work")]
    StaffMemberUnknown(String),
    /// The host is no member of staff at work at the school.
    #[error("{0} is no member of staff at work here")]
    VisitHost(PersonName),
    /// The step is for somebody else.
    #[error("the step {0} is for somebody else")]
    VisitApprover(&'static str),
    /// The pass is not valid.
    #[error("the pass is not valid: {0}")]
    VisitPass(&'static str),
    /// Nobody knows whether the visitor is who they say.
    #[error("the visitor is not verified")]
    VisitorNotVerified(Verification),
    /// A sealed value cannot be opened.
    #[error("a sealed value cannot be opened")]
    Sealed(#[from] VaultError),
    /// The document cannot be read as a warning.
    #[error("the document is malformed in {} places", .0.len())]
    Document(Vec<cap::Fault>),
    /// The document warns of nothing here.
    #[error("the document is refused: {}", .0.word())]
    WarningRefused(WarningRefusal),
    /// The response level is in a state that the verb does not start from.
    #[error("the response level is {0:?}")]
    ResponseState(ResponseState),
    /// The organisation is in a state of the weather that the verb does not start from.
    #[error("the weather state is {0:?}")]
    WeatherState(WeatherState),
    /// The task is in a state that the verb does not start from.
    #[error("the task is {0:?}")]
    WeatherTaskState(TaskState),
    /// The suspension is in a state that the verb does not start from.
    #[error("the suspension is {0:?}")]
    WeatherSuspensionState(SuspensionState),
    /// Nobody in the area is warned.
    #[error("nobody in the area is warned")]
    NobodyWarned,
    /// A higher authority decided.
    #[error("a higher authority decided: {0:?}")]
    HigherAuthority(Authority),
    /// The policy suspends at the level that holds.
    #[error("the level that holds suspends: {0:?}")]
    WeatherLevelHolds(WeatherLevel),
    /// Something stands in the way of teaching.
    #[error("the check is not complete: {0}")]
    PostCheckIncomplete(String),
    /// The policy asks for more or fewer members.
    #[error("a group has {0} to {1} members")]
    MutualAidSize(usize, usize),
    /// The organisation cannot be a member.
    #[error("{0} cannot be a member")]
    MutualAidMember(String),
    /// What is asked of an incident is refused.
    #[error("the incident refuses: {0:?}")]
    Incident(Refusal),
    /// The organisation has no campus, or is closed.
    #[error("{0} has no campus")]
    CampusRequired(String),
    /// The newest version does not let this be done to it.
    #[error(transparent)]
    Protection(#[from] version::Refusal),
    /// Another version was declared meanwhile.
    #[error("version {0} is the newest")]
    ProtectionSuperseded(i32),
    /// The ledger does not allow it.
    #[error(transparent)]
    Supply(#[from] ledger::Refusal),
    /// The giver would fall below its own minimum.
    #[error("only {0} can be spared")]
    SupplyBelowMinimum(u64),
    /// The transfer is in another state.
    #[error("the transfer is {0:?}")]
    TransferState(transfer::State),
    /// The shelter is in another state.
    #[error("the shelter is {0:?}")]
    ShelterState(shelter::State),
    /// The isolation room is in another state.
    #[error("the isolation room is {0:?}")]
    IsolationRoomState(isolation::State),
    /// A resumption refuses.
    #[error(transparent)]
    Resumption(#[from] resumption::state::Refused),
    /// Something that is mandatory is missing, or a guard blocks; each is named.
    #[error("{} conditions of resumption are not met", .0.len())]
    ResumptionBlocked(Vec<String>),
    /// A batch stands in the way.
    #[error(transparent)]
    ResumptionOrder(#[from] resumption::order::OutOfOrder),
    /// The account is not of the department for which it was named.
    #[error("not an inspector of the department")]
    ResumptionInspector,
    /// The batch is planned for a later day.
    #[error("the batch is planned for {0}")]
    ResumptionDay(NaiveDate),
    /// Nobody judges their own school.
    #[error("nobody judges their own school")]
    ResumptionOwnSchool,
    /// It concerns nobody.
    #[error("the batch or the suspension concerns nobody")]
    ResumptionNobody,
    /// Somebody else changed it first.
    #[error("{0} was changed by somebody else")]
    Changed(String),
    /// The request id was used for another request.
    #[error("request id {0} was used for another request")]
    RequestIdReused(uuid::Uuid),
    /// The tables cannot be read or written.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Refused by what all services share: scope, load, request ids.
    #[error(transparent)]
    Refused(#[from] Problem),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Incident(refusal)
    }
}
