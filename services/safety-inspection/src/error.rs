//! Every way in which a use case can fail.

use chrono::{DateTime, NaiveDate, Utc};
use kit::status::Problem;
use sea_orm::DbErr;

use crate::domain::incident::moves::Refusal;

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
    /// What is asked of an incident is refused.
    #[error("the incident refuses: {0:?}")]
    Incident(Refusal),
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
