//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use super::convert::weather::words;
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
            Error::Document(faults) => {
                let problem = Problem::new(Reason::InvalidField);
                faults.into_iter().fold(problem, |problem, fault| {
                    problem.field(format!("document/{}", fault.path), fault.zh, fault.en)
                })
            }
            Error::WarningRefused(refusal) => {
                Problem::new(Reason::WeatherWarningRefused).meta("cause", refusal.word())
            }
            Error::ResponseState(state) => Problem::new(Reason::WeatherResponseState)
                .meta("state", words::response(state as i16)),
            Error::WeatherState(state) => {
                Problem::new(Reason::WeatherState).meta("state", words::state(state as i16))
            }
            Error::WeatherTaskState(state) => {
                Problem::new(Reason::WeatherTaskState).meta("state", words::task(state as i16))
            }
            Error::WeatherSuspensionState(state) => Problem::new(Reason::WeatherSuspensionState)
                .meta("state", words::suspension(state as i16)),
            Error::NobodyWarned => Problem::new(Reason::WeatherNobodyWarned),
            Error::HigherAuthority(authority) => Problem::new(Reason::WeatherHigherAuthority)
                .meta("authority", words::authority(authority)),
            Error::PostCheckIncomplete(missing) => {
                Problem::new(Reason::WeatherPostCheckIncomplete).meta("missing", missing)
            }
            Error::MutualAidSize(min, max) => Problem::new(Reason::MutualAidSize)
                .meta("min", min)
                .meta("max", max),
            Error::MutualAidMember(id) => Problem::new(Reason::MutualAidMember)
                .meta("organization", format!("organizations/{id}")),
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
