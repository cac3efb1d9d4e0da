//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use crate::domain::checklist::template::Unaddable;
use crate::domain::inspection::state::Refused as InspectionRefused;
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
            Error::Hazard(refused) => super::convert::hazard::refused(refused),
            Error::ChecklistState(state) => {
                Problem::new(Reason::ChecklistState).meta("state", state.as_str())
            }
            Error::ChecklistAddition(why) => {
                let subject = match why {
                    Unaddable::NotInForce(id)
                    | Unaddable::Addition(id)
                    | Unaddable::NotAbove(id) => {
                        format!("checklistTemplates/{id}")
                    }
                    Unaddable::Repeated(code) => code,
                };
                Problem::new(Reason::ChecklistAddition).meta("subject", subject)
            }
            Error::ChecklistNotApplicable(name) => {
                Problem::new(Reason::ChecklistNotApplicable).meta("name", name)
            }
            Error::Inspection(refused) => match refused {
                InspectionRefused::State(state) => {
                    Problem::new(Reason::InspectionState).meta("state", state.as_str())
                }
                InspectionRefused::OwnPlace => Problem::new(Reason::InspectionOwnPlace),
                InspectionRefused::Inspector => Problem::new(Reason::InspectionInspector),
                InspectionRefused::NotAnswerable => Problem::new(Reason::InspectionNotAnswerable),
            },
            Error::InspectionIncomplete { item, outstanding } => {
                let problem = Problem::new(Reason::InspectionIncomplete);
                problem.meta("item", item).meta("outstanding", outstanding)
            }
            Error::CampaignState(state) => {
                Problem::new(Reason::CampaignState).meta("state", state.as_str())
            }
            Error::CampaignNoTargets => Problem::new(Reason::CampaignNoTargets),
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
