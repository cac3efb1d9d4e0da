//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use crate::domain::protection::version;
use crate::domain::supply::ledger;
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
            Error::PolicyUnknown(path) => {
                Problem::new(Reason::PolicyUnknown).meta("org_path", path)
            }
            Error::CampusRequired(name) => Problem::new(Reason::CampusRequired).meta("name", name),
            Error::Protection(version::Refusal::State(state)) => {
                Problem::new(Reason::ProtectionState).meta("state", state.as_str())
            }
            Error::Protection(version::Refusal::Oneself) => {
                Problem::new(Reason::ProtectionSelfConfirmation)
            }
            Error::ProtectionSuperseded(newest) => {
                Problem::new(Reason::ProtectionSuperseded).meta("version", newest)
            }
            Error::Supply(ledger::Refusal::Insufficient(available)) => {
                Problem::new(Reason::SupplyInsufficient).meta("available", available)
            }
            Error::Supply(ledger::Refusal::TooMuch) => {
                Problem::new(Reason::SupplyLimit).meta("most", ledger::MOST)
            }
            Error::SupplyBelowMinimum(spare) => {
                Problem::new(Reason::SupplyBelowMinimum).meta("spare", spare)
            }
            Error::TransferState(state) => {
                Problem::new(Reason::SupplyTransferState).meta("state", state.as_str())
            }
            Error::ShelterState(state) => {
                Problem::new(Reason::ShelterState).meta("state", state.as_str())
            }
            Error::IsolationRoomState(state) => {
                Problem::new(Reason::IsolationRoomState).meta("state", state.as_str())
            }
            Error::Changed(name) => Problem::new(Reason::EtagMismatch).meta("name", name),
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
