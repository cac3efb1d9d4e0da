//! The wire: request to domain, result to reply.

mod access;
pub(crate) mod access_convert;
mod calendar;
pub(crate) mod calendar_convert;
mod class_group;
pub(crate) mod convert;
mod destruction;
pub(crate) mod destruction_convert;
mod destruction_parse;
mod division;
mod emergency;
mod feed;
mod guardian;
mod import;
pub(crate) mod import_convert;
mod mask;
mod organization;
pub(crate) mod people;
mod policy;
pub(crate) mod policy_convert;
pub(crate) mod responsibility;
pub(crate) mod staff;
mod status;
mod student;
mod subject;
pub(crate) mod subject_convert;
mod teaching_summary;

use kit::feed::Feed;
use proto::roster::access_approval_service_server::AccessApprovalServiceServer;
use proto::roster::calendar_service_server::CalendarServiceServer;
use proto::roster::class_group_service_server::ClassGroupServiceServer;
use proto::roster::destruction_service_server::DestructionServiceServer;
use proto::roster::division_service_server::DivisionServiceServer;
use proto::roster::emergency_service_server::EmergencyServiceServer;
use proto::roster::guardian_service_server::GuardianServiceServer;
use proto::roster::import_service_server::ImportServiceServer;
use proto::roster::organization_service_server::OrganizationServiceServer;
use proto::roster::policy_service_server::PolicyServiceServer;
use proto::roster::responsibility_service_server::ResponsibilityServiceServer;
use proto::roster::roster_feed_server::RosterFeedServer;
use proto::roster::staff_service_server::StaffServiceServer;
use proto::roster::student_service_server::StudentServiceServer;
use proto::roster::subject_request_service_server::SubjectRequestServiceServer;
use tonic::service::Routes;

use crate::app::App;

/// Every gRPC service of this crate.
pub(crate) fn routes(app: &App, feed: Feed) -> Routes {
    let mut routes = Routes::new(RosterFeedServer::new(feed::Api {
        app: app.clone(),
        feed,
    }));
    routes = routes.add_service(OrganizationServiceServer::new(organization::Api(
        app.clone(),
    )));
    routes = routes.add_service(ImportServiceServer::new(import::Api(app.clone())));
    routes = routes.add_service(PolicyServiceServer::new(policy::Api(app.clone())));
    routes = routes.add_service(CalendarServiceServer::new(calendar::Api(app.clone())));
    routes = routes.add_service(DivisionServiceServer::new(division::Api(app.clone())));
    routes = routes.add_service(StaffServiceServer::new(staff::Api(app.clone())));
    routes = routes.add_service(ResponsibilityServiceServer::new(responsibility::Api(
        app.clone(),
    )));
    routes = routes.add_service(ClassGroupServiceServer::new(class_group::Api(app.clone())));
    routes = routes.add_service(StudentServiceServer::new(student::Api(app.clone())));
    routes = routes.add_service(GuardianServiceServer::new(guardian::Api(app.clone())));
    routes = routes.add_service(EmergencyServiceServer::new(emergency::Api(app.clone())));
    routes = routes.add_service(AccessApprovalServiceServer::new(access::Api(app.clone())));
    routes = routes.add_service(SubjectRequestServiceServer::new(subject::Api(app.clone())));
    routes = routes.add_service(DestructionServiceServer::new(destruction::Api(app.clone())));
    routes
}
