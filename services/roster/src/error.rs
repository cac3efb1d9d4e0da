//! Every way in which a use case can fail.

use chrono::{DateTime, NaiveDate, Utc};
use kit::status::Problem;
use sea_orm::DbErr;

use crate::domain::{access, destruction, import, subject};
use crate::vault::VaultError;

/// Why a use case did not do what it was asked. Names are resource names.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    // Shared.
    /// Refused by what all services share: scope, paging, request ids, a field.
    #[error("refused")]
    Refused(#[source] Problem),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A sealed value cannot be opened.
    #[error("a stored value cannot be opened")]
    Vault(#[from] VaultError),
    /// Nothing in the caller's scope has this name.
    #[error("{0} not found")]
    NotFound(String),
    /// Something has this name or code already.
    #[error("{0} exists")]
    AlreadyExists(String),
    /// The resource changed since it was read.
    #[error("{0} changed meanwhile")]
    EtagMismatch(String),

    // Organisations and class groups.
    /// Something below the organisation is active.
    #[error("something below {0} is active")]
    NotEmpty(String),
    /// The organisation is closed.
    #[error("{0} is closed")]
    Closed(String),
    /// The kind of organisation does not allow it.
    #[error("the kind of {0} does not allow this")]
    Kind(String),
    /// The class group has finished.
    #[error("{0} has finished")]
    Graduated(String),

    // People.
    /// The student is on no roll.
    #[error("{0} is on no roll")]
    NotEnrolled(String),
    /// The identity number belongs to somebody.
    #[error("the identity number is registered")]
    PersonRegistered,
    /// The member of staff no longer works there.
    #[error("{0} no longer works there")]
    Dismissed(String),
    /// Nobody would answer for a subject at an organisation.
    #[error("nobody answers for {subject} at {organization}")]
    Unowned {
        /// The organisation's name.
        organization: String,
        /// The subject.
        subject: &'static str,
    },
    /// A hand-over before the beginning of the node that it ends.
    #[error("the present holder began at {0}")]
    HandOverOrder(DateTime<Utc>),

    // Policy.
    /// Keys that loosen a legal floor: key, Chinese and English sentence.
    #[error("legal floors are loosened")]
    BelowFloor(Vec<(String, String, String)>),
    /// The profile is no proposal.
    #[error("{0} is no proposal")]
    NotProposed(String),
    /// No profile is in force.
    #[error("no policy at {0} on {1}")]
    NoPolicy(String, NaiveDate),

    // Emergencies and destruction.
    /// An emergency is open.
    #[error("{0} is open")]
    EmergencyOpen(String),
    /// The emergency has ended.
    #[error("{0} has ended")]
    EmergencyEnded(String),
    /// Another job for the emergency stands.
    #[error("{0} destroys this already")]
    UnderWay(String),
    /// The step is not allowed.
    #[error(transparent)]
    Destruction(#[from] destruction::Refused),

    // Access to data of minors.
    /// The step is not allowed.
    #[error(transparent)]
    Access(#[from] access::Refused),
    /// No approval in force covers what was to be shown.
    #[error("no approval covers {data} of {organization}")]
    NotApproved {
        /// The organisation's name.
        organization: String,
        /// Which data.
        data: &'static str,
        /// For what.
        purpose: &'static str,
    },

    // What is held of people.
    /// The request is not closed so.
    #[error(transparent)]
    Subject(#[from] subject::Incomplete),
    /// What is held is not shown in this state of the request.
    #[error("what is held is not shown for a request that is {0}")]
    SubjectState(&'static str),

    // Import.
    /// The job is in another state.
    #[error(transparent)]
    Import(#[from] import::Illegal),
    /// Rows after this one are missing.
    #[error("rows are missing after {0}")]
    Gap(i64),
    /// More people would vanish than the threshold lets go.
    #[error("{vanished} of {known} people would vanish")]
    TooManyVanish {
        /// How many.
        vanished: i64,
        /// Of how many.
        known: i64,
    },
    /// The register changed since the comparison.
    #[error("the register changed since the comparison")]
    Stale,
    /// Rows of the batch changed since.
    #[error("{0} rows changed since")]
    ChangedSince(i64),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}
