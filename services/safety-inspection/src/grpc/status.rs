//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use crate::error::Error;

impl From<Error> for Problem {
    fn from(err: Error) -> Self {
        match err {
            Error::NotFound(name) => Problem::not_found(name),
            Error::Overridden(name) => {
                Problem::new(Reason::GateDecisionOverridden).meta("name", name)
            }
            Error::SameResult(name) => {
                Problem::new(Reason::GateOverrideSameResult).meta("name", name)
            }
            Error::NotObserved(name) => Problem::new(Reason::GateNotObserved).meta("name", name),
            Error::RecheckTooEarly(due) => {
                let due = due.with_timezone(&kit::clock::shanghai()).to_rfc3339();
                Problem::new(Reason::GateRecheckTooEarly).meta("due_time", due)
            }
            Error::CodeExpired(day) => {
                Problem::new(Reason::PersonCodeExpired).meta("expire_date", day)
            }
            Error::ForeignCode => {
                Problem::invalid("person_code", "不是本市的身份码", "not a code of this city")
            }
            Error::Incident(refusal) => super::convert::incident::refused(refusal),
            Error::RequestIdReused(id) => {
                Problem::new(Reason::RequestIdReused).meta("request_id", id)
            }
            Error::Database(err) => Problem::from(err),
            Error::Refused(problem) => problem,
        }
    }
}

impl From<Error> for Status {
    fn from(err: Error) -> Self {
        Problem::from(err).into()
    }
}
