//! One match from what failed to what the caller is told.

use chrono::{DateTime, SecondsFormat};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::roster::report_policy;
use proto::roster::return_policy::Evidence;
use proto::sampling::{
    absence, case_report, cluster, control_measure, hold, reporting_signal, sampling_point,
    suspension,
};
use tonic::Status;

use super::health::case_convert::disease_name;
use crate::app::health::MOST_AMENDMENTS;
use crate::domain::health::assay::Unfit;
use crate::domain::health::person::Refusal;
use crate::domain::health::return_rule::Unmet;
use crate::domain::health::screening::MOST_SUBMISSIONS;
use crate::domain::swab::Refused;
use crate::error::Error;

impl From<Error> for Problem {
    fn from(err: Error) -> Self {
        use ErrorReason as R;
        match err {
            Error::Refused(problem) => problem,
            Error::Database(err) => err.into(),
            Error::NotFound(name) => Problem::not_found(name),
            Error::AlreadyExists(name) => Problem::new(R::AlreadyExists).meta("name", name),
            Error::EtagMismatch(name) => Problem::new(R::EtagMismatch).meta("name", name),
            Error::NoSchoolDay(date) => Problem::new(R::NoSchoolDay).meta("date", date),
            Error::NotToday(date) => Problem::new(R::DrawNotToday).meta("date", date),
            Error::PlanNotActive(name) => Problem::new(R::PlanNotActive).meta("name", name),
            Error::DrawClosed(name) => Problem::new(R::DrawClosed).meta("name", name),
            Error::NotAssigned(name) => Problem::new(R::NotAssigned).meta("name", name),
            Error::AlreadySampled(name) => Problem::new(R::AlreadySampled).meta("name", name),
            Error::NoPolicy(path) => Problem::new(R::PolicyUnknown).meta("org_path", path),
            Error::TubeState(state) => Problem::new(R::TubeState).meta("state", state),
            Error::Swab(refused, capacity) => match refused {
                Refused::State(err) => Error::from(err).into(),
                Refused::Full => Problem::new(R::TubeFull).meta("capacity", capacity),
                Refused::Mixed => Problem::new(R::TubeClassMixed),
                Refused::SingleOnly => Problem::new(R::SingleOnly),
                Refused::Elsewhere(tube) => {
                    Problem::new(R::DuplicateSwab).meta("tube", format!("tubes/{tube}"))
                }
            },
            Error::TubeEmpty => Problem::new(R::TubeEmpty),
            Error::Signatures => Problem::new(R::CustodySignatures),
            Error::ResultConflict(tube) => Problem::new(R::ResultConflict).meta("tube", tube),
            Error::HoldState(state) => {
                let code = state.map_or(0, |state| i32::from(state.code()));
                let state = hold::State::try_from(code).unwrap_or_default();
                let name = state.as_str_name().trim_start_matches("STATE_");
                Problem::new(R::HoldState).meta("state", name)
            }
            Error::PointState(state) => {
                let state = sampling_point::State::try_from(i32::from(state.code()));
                let name = state.unwrap_or_default().as_str_name();
                Problem::new(R::PointState).meta("state", name.trim_start_matches("STATE_"))
            }
            Error::CheckSlot(slot) => {
                Problem::new(R::CheckSlot).meta("slot", format!("{slot:?}").to_uppercase())
            }
            Error::CheckDay(date) => Problem::new(R::CheckDay).meta("date", date),
            Error::CheckClient(_) => Problem::new(R::CheckClientIdReused),
            Error::CheckSubmissions => {
                Problem::new(R::CheckSubmissions).meta("most", MOST_SUBMISSIONS)
            }
            Error::NotExamined(name) => Problem::new(R::ReporterNotExamined).meta("name", name),
            Error::AbsenceState(state) => {
                let state = absence::State::try_from(i32::from(state.code()));
                let name = state.unwrap_or_default().as_str_name();
                Problem::new(R::AbsenceState).meta("state", name.trim_start_matches("STATE_"))
            }
            Error::SignalState(state) => {
                let state = reporting_signal::State::try_from(i32::from(state.code()));
                let name = state.unwrap_or_default().as_str_name();
                let name = name.trim_start_matches("STATE_");
                Problem::new(R::ReportingSignalState).meta("state", name)
            }
            Error::NotCleared => Problem::new(R::ReturnNotCleared),
            Error::Health(refusal, told) => match refusal {
                Refusal::Move(_) => Problem::new(R::MedicalState),
                Refusal::TooEarly(unmet) if told => too_early(&unmet),
                Refusal::TooEarly(_) => Problem::new(R::ReturnTooEarly),
                Refusal::Appeal => Problem::new(R::AppealState),
                Refusal::NotNormal => Problem::new(R::ObservationNotNormal),
                Refusal::BeforeOnset => {
                    let (chinese, english) = ("不得早于发病日", "must not be before the onset");
                    Problem::invalid("recovery_time", chinese, english)
                }
            },
            Error::ClusterState(state) => {
                let state = cluster::State::try_from(i32::from(state)).unwrap_or_default();
                let name = state.as_str_name().trim_start_matches("STATE_");
                Problem::new(R::ClusterState).meta("state", name)
            }
            Error::SuspensionState(state) => {
                let state = suspension::State::try_from(i32::from(state)).unwrap_or_default();
                let name = state.as_str_name().trim_start_matches("STATE_");
                Problem::new(R::SuspensionState).meta("state", name)
            }
            Error::SuspensionScope => Problem::new(R::SuspensionScope),
            Error::SuspensionReturned => Problem::new(R::SuspensionReturned),
            Error::SuspensionAmendments => {
                Problem::new(R::SuspensionAmendments).meta("most", MOST_AMENDMENTS)
            }
            Error::SimulationTooLarge { signs, most } => Problem::new(R::SimulationTooLarge)
                .meta("signs", signs)
                .meta("most", most),
            Error::CaseState(state) => Problem::new(R::CaseState).meta("state", state),
            Error::CaseDecidedAbove => Problem::new(R::CaseDecidedAbove),
            Error::ReportOrder(kind) => {
                let kind = case_report::Kind::try_from(i32::from(kind)).unwrap_or_default();
                let name = kind.as_str_name().trim_start_matches("KIND_");
                Problem::new(R::ReportOrder).meta("kind", name)
            }
            Error::ReportLevel(level) => {
                let level = report_policy::Level::try_from(i32::from(level)).unwrap_or_default();
                let name = level.as_str_name().trim_start_matches("LEVEL_");
                Problem::new(R::ReportLevel).meta("level", name)
            }
            Error::Assay(Unfit::Unknown(disease)) => {
                Problem::new(R::AssayUnknown).meta("disease", disease_name(disease))
            }
            Error::Assay(Unfit::NotPooled(disease)) => {
                Problem::new(R::AssayNotPooled).meta("disease", disease_name(Some(disease)))
            }
            Error::AssayDiffers => Problem::new(R::AssayDiffers),
            Error::ControlState(state) => {
                let state = control_measure::State::try_from(i32::from(state.code()));
                let name = state.unwrap_or_default().as_str_name();
                Problem::new(R::ControlState).meta("state", name.trim_start_matches("STATE_"))
            }
        }
    }
}

/// What a return lacks, for those who may know.
fn too_early(unmet: &Unmet) -> Problem {
    let missing: Vec<&str> = unmet
        .missing
        .iter()
        .filter_map(|number| Evidence::try_from(i32::from(*number)).ok())
        .map(|evidence| evidence.as_str_name().trim_start_matches("EVIDENCE_"))
        .collect();
    let earliest = unmet.earliest.and_then(DateTime::from_timestamp_millis);
    let earliest = earliest.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    Problem::new(ErrorReason::ReturnTooEarly)
        .meta("earliest_time", earliest.unwrap_or_default())
        .meta("missing_evidence", missing.join(","))
        .meta("source", &unmet.source)
}

impl From<Error> for Status {
    fn from(err: Error) -> Self {
        Problem::from(err).into()
    }
}
