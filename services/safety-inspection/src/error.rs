//! Every way in which a use case can fail.

use chrono::{DateTime, NaiveDate, Utc};
use kit::status::Problem;
use sea_orm::DbErr;

use crate::domain::protection::version;
use crate::domain::shelter::{self, isolation};
use crate::domain::supply::{ledger, transfer};

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
    /// No policy is known for this place.
    #[error("no policy is known for {0}")]
    PolicyUnknown(String),
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
