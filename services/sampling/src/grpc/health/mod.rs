//! The wire of the health of people.

mod absence;
pub(crate) mod absence_convert;
pub(crate) mod announced;
mod case;
pub(crate) mod case_convert;
pub(crate) mod case_document;
pub(super) mod case_requests;
mod cluster;
pub(crate) mod cluster_convert;
mod cluster_rules;
pub(crate) mod contact_convert;
mod control;
pub(crate) mod control_convert;
pub(super) mod coverage;
mod coverage_convert;
mod listing;
mod person;
pub(crate) mod person_convert;
mod report;
pub(crate) mod report_convert;
mod screening;
mod screening_content;
pub(crate) mod screening_convert;
mod screening_requests;
mod shared_group;
pub(crate) mod shared_group_convert;
mod signal;
pub(crate) mod signal_convert;
mod suspension;
pub(crate) mod suspension_convert;

use kit::field::Fields;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::absence_service_server::AbsenceServiceServer;
use proto::sampling::case_service_server::CaseServiceServer;
use proto::sampling::cluster_service_server::ClusterServiceServer;
use proto::sampling::control_service_server::ControlServiceServer;
use proto::sampling::health_service_server::HealthServiceServer;
use proto::sampling::report_service_server::ReportServiceServer;
use proto::sampling::reporting_signal_service_server::ReportingSignalServiceServer;
use proto::sampling::screening_service_server::ScreeningServiceServer;
use proto::sampling::shared_group_service_server::SharedGroupServiceServer;
use proto::sampling::suspension_service_server::SuspensionServiceServer;
use tonic::service::Routes;

use super::convert;
use crate::app::App;
use crate::app::health::screening::Checks;
use crate::domain::roll::{GroupKind, PersonId};

/// Adds every gRPC service about the health of people.
pub(super) fn add_routes(routes: Routes, app: &App, checks: Checks) -> Routes {
    let screening = ScreeningServiceServer::new(screening::Api {
        app: app.clone(),
        checks,
    });
    let absences = AbsenceServiceServer::new(absence::Api(app.clone()));
    let people = HealthServiceServer::new(person::Api(app.clone()));
    let clusters = ClusterServiceServer::new(cluster::Api(app.clone()));
    let suspensions = SuspensionServiceServer::new(suspension::Api(app.clone()));
    let cases = CaseServiceServer::new(case::Api(app.clone()));
    let reports = ReportServiceServer::new(report::Api(app.clone()));
    let controls = ControlServiceServer::new(control::Api(app.clone()));
    let shared = SharedGroupServiceServer::new(shared_group::Api(app.clone()));
    let signals = ReportingSignalServiceServer::new(signal::Api(app.clone()));
    routes
        .add_service(screening)
        .add_service(absences)
        .add_service(people)
        .add_service(clusters)
        .add_service(suspensions)
        .add_service(cases)
        .add_service(reports)
        .add_service(controls)
        .add_service(shared)
        .add_service(signals)
}

/// Whoever a resource name stands for.
pub(crate) type Who = (GroupKind, PersonId);

/// The person behind `students/{student}` or `staff/{staff_member}`.
fn who(fields: &mut Fields, field: &str, name: &str) -> Option<Who> {
    let kind = if name.starts_with("staff/") {
        GroupKind::Staff
    } else {
        GroupKind::Students
    };
    convert::person(fields, field, name).map(|person| (kind, person))
}

/// The person behind `students/{student}/health` or `staff/{staff_member}/health`.
fn whose_health(fields: &mut Fields, field: &str, name: &str) -> Option<Who> {
    let person = name.strip_suffix("/health");
    if person.is_none() {
        fields.violation(
            field,
            "应为 students/…/health 或 staff/…/health",
            "must be students/…/health or staff/…/health",
        );
    }
    person.and_then(|person| who(fields, field, person))
}

/// What was read without a fault; none is a fault that was not named.
fn whole<T>(fields: Fields, read: Option<T>) -> Result<T, Problem> {
    fields.finish()?;
    read.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}
