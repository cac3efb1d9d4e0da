//! Every way in which a use case can fail.

use kit::status::Problem;
use sea_orm::DbErr;

use crate::domain::{alert, directive, recipient};

/// Why a call could not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing in the caller's scope has this name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Somebody else changed the resource meanwhile.
    #[error("somebody else changed it meanwhile")]
    Conflict,
    /// The alert refuses the verb.
    #[error(transparent)]
    Alert(#[from] alert::Refused),
    /// The directive refuses the verb.
    #[error(transparent)]
    Directive(#[from] directive::Refused),
    /// The recipient refuses the verb.
    #[error(transparent)]
    Recipient(#[from] recipient::Refused),
    /// Nobody is at or below the audience.
    #[error("nobody is at or below the audience")]
    NoRecipients,
    /// An organisation of the audience does not exist below the orderer; its place in the list.
    #[error("audience {0} is not below the orderer")]
    Audience(usize),
    /// The directive that replaces another one is not issued by the same organisation.
    #[error("the replacement is not an issued directive of the same organisation")]
    Replacement,
    /// The tables cannot be read or written.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Refused by what all services share: scope, load, request ids.
    #[error(transparent)]
    Refused(#[from] Problem),
}
