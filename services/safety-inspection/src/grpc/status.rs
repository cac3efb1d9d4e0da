//! One match from what went wrong to what the caller is told.

use chrono::{DateTime, Utc};
use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use super::convert::weather::words;
use crate::domain::checklist::template::Unaddable;
use crate::domain::drill::Refused as Drill;
use crate::domain::duty::Refused as Duty;
use crate::domain::inspection::state::Refused as InspectionRefused;
use crate::domain::protection::version;
use crate::domain::resumption::inspection::WrongSignature;
use crate::domain::resumption::order::OutOfOrder;
use crate::domain::resumption::state::Refused as Resumption;
use crate::domain::supply::ledger;
use crate::domain::visitor::visit::Illegal;
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
            Error::OverrideUnrelated(name) => {
                Problem::new(Reason::GateOverrideUnrelated).meta("name", name)
            }
            Error::OverrideDayOver(name) => {
                Problem::new(Reason::GateOverrideDayOver).meta("name", name)
            }
            Error::ObservationOpen(name, due) => {
                let due = due.with_timezone(&kit::clock::shanghai()).to_rfc3339();
                let open = Problem::new(Reason::GateObservationOpen);
                open.meta("name", name).meta("due_time", due)
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
                Problem::invalid("person_code", "此处查不到该身份码", "not a code known here")
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
            Error::Drill(refused) => drill(refused),
            Error::Duty(refused) => duty(refused),
            Error::DutyRosterOverlap(name) => {
                Problem::new(Reason::DutyRosterOverlap).meta("name", name)
            }
            Error::StaffMemberUnknown(name) => {
                Problem::new(Reason::StaffMemberUnknown).meta("name", name)
            }
            Error::Unfit { field, zh, en } => Problem::invalid(field, zh, en),
            Error::VisitState(Illegal(state)) => {
                Problem::new(Reason::VisitState).meta("state", state.as_str())
            }
            Error::VisitHost(host) => Problem::new(Reason::VisitHost).meta("host", host),
            Error::VisitApprover(step) => Problem::new(Reason::VisitApprover).meta("step", step),
            Error::VisitPass(cause) => Problem::new(Reason::VisitPass).meta("cause", cause),
            Error::VisitorNotVerified(found) => {
                Problem::new(Reason::VisitorNotVerified).meta("verification", found.as_str())
            }
            Error::Sealed(err) => Problem::new(Reason::Internal).source(err),
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
            Error::WeatherLevelHolds(level) => {
                Problem::new(Reason::WeatherLevelHolds).meta("level", words::level(level as i16))
            }
            Error::PostCheckIncomplete(missing) => {
                Problem::new(Reason::WeatherPostCheckIncomplete).meta("missing", missing)
            }
            Error::MutualAidSize(min, max) => Problem::new(Reason::MutualAidSize)
                .meta("min", min)
                .meta("max", max),
            Error::MutualAidMember(id) => Problem::new(Reason::MutualAidMember)
                .meta("organization", format!("organizations/{id}")),
            Error::Incident(refusal) => super::convert::incident::refused(refusal),
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
            Error::Resumption(refused) => resumption(refused),
            Error::ResumptionBlocked(blocks) => {
                let first = blocks.get(..BLOCKS).unwrap_or(&blocks).join(", ");
                let problem = Problem::new(Reason::ResumptionBlocked);
                problem.meta("count", blocks.len()).meta("blocks", first)
            }
            Error::ResumptionOrder(out) => {
                let (OutOfOrder::Unplanned(position)
                | OutOfOrder::Later(position, _)
                | OutOfOrder::Earlier(position, _)) = out;
                Problem::new(Reason::ResumptionOrder).meta("position", position)
            }
            Error::ResumptionInspector => Problem::new(Reason::ResumptionInspector),
            Error::ResumptionDay(planned) => {
                Problem::new(Reason::ResumptionDay).meta("planned_date", planned)
            }
            Error::ResumptionOwnSchool => Problem::new(Reason::ResumptionOwnSchool),
            Error::ResumptionNobody => Problem::new(Reason::ResumptionNobody),
            Error::Changed(name) => Problem::new(Reason::EtagMismatch).meta("name", name),
            Error::RequestIdReused(id) => {
                Problem::new(Reason::RequestIdReused).meta("request_id", id)
            }
            Error::Database(err) => Problem::from(err),
            Error::Refused(problem) => problem,
        }
    }
}

/// How many blocks an error names.
const BLOCKS: usize = 10;

fn resumption(refused: Resumption) -> Problem {
    match refused {
        Resumption::State(state) => {
            Problem::new(Reason::ResumptionState).meta("state", state.as_str())
        }
        Resumption::Signature(WrongSignature::Stranger) => {
            Problem::new(Reason::ResumptionInspector)
        }
        Resumption::Signature(WrongSignature::Signed) => Problem::new(Reason::ResumptionSigned),
        Resumption::Signature(WrongSignature::Itemless) => {
            Problem::invalid("items", "请列出需要整改的项目", "a demand names its items")
        }
        Resumption::Signer => Problem::new(Reason::ResumptionOwnSchool),
        Resumption::Day(day) => Problem::new(Reason::ResumptionDay).meta("planned_date", day),
    }
}

fn drill(refused: Drill) -> Problem {
    match refused {
        Drill::State(state) => Problem::new(Reason::DrillState).meta("state", state.as_str()),
        Drill::LeftOut(group) => Problem::new(Reason::DrillHeadcount).meta("group", group),
        Drill::Numbers(group) => Problem::new(Reason::DrillHeadcountNumbers).meta("group", group),
        Drill::StillMissing(count) => Problem::new(Reason::DrillStillMissing).meta("count", count),
        Drill::Leader => Problem::new(Reason::DrillReviewer),
        Drill::Nobody => Problem::new(Reason::DrillNoParticipants),
        Drill::NotMissing => Problem::new(Reason::DrillNotMissing),
        Drill::Time(field) => Problem::invalid(
            field,
            "时间不在允许的范围内",
            "out of the range that is allowed",
        ),
    }
}

fn duty(refused: Duty) -> Problem {
    let local = |at: DateTime<Utc>| at.with_timezone(&kit::clock::shanghai()).to_rfc3339();
    let problem = Problem::new(match &refused {
        Duty::State(_) => Reason::DutyState,
        Duty::Gap(_) => Reason::DutyGap,
        Duty::TooFew { .. } => Reason::DutyTooFew,
        Duty::Overlap(_) => Reason::DutyOverlap,
        Duty::KeyPost { .. } => Reason::DutyKeyPost,
        Duty::Time(_) => Reason::DutyTime,
        Duty::Person => Reason::DutyPerson,
        Duty::Handover => Reason::DutyHandover,
        Duty::SwapTooLate(_) => Reason::DutySwapTooLate,
    });
    match refused {
        Duty::State(state) => problem.meta("state", state),
        Duty::Gap(span) | Duty::Time(span) => problem
            .meta("start_time", local(span.start))
            .meta("end_time", local(span.end)),
        Duty::TooFew {
            start,
            count,
            required,
        } => problem
            .meta("start_time", local(start))
            .meta("count", count)
            .meta("required", required),
        Duty::Overlap(start) => problem.meta("start_time", local(start)),
        Duty::KeyPost { post, start } => {
            problem.meta("post", post).meta("start_time", local(start))
        }
        Duty::SwapTooLate(latest) => problem.meta("latest_time", local(latest)),
        Duty::Person | Duty::Handover => problem,
    }
}

impl From<Error> for Status {
    fn from(err: Error) -> Self {
        Problem::from(err).into()
    }
}
