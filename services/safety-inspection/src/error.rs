//! Every way in which a use case can fail.

use chrono::{DateTime, NaiveDate, Utc};
use kit::status::Problem;
use kit::vault::VaultError;
use sea_orm::DbErr;

use crate::domain::person::PersonName;
use crate::domain::visitor::visit::{Illegal, Verification};

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
    /// The verb does not start from the state of the visit.
    #[error(transparent)]
    VisitState(#[from] Illegal),
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
