//! The health of people on the wire.

mod case;
pub(crate) mod case_convert;
pub(crate) mod case_document;
pub(super) mod case_requests;
pub(crate) mod contact_convert;
mod report;
pub(crate) mod report_convert;

use proto::sampling::case_service_server::CaseServiceServer;
use proto::sampling::report_service_server::ReportServiceServer;
use tonic::service::Routes;

use super::{LARGE, SMALL};
use crate::app::App;

/// Adds every gRPC service about the health of people.
pub(super) fn add_routes(routes: Routes, app: &App) -> Routes {
    let cases = CaseServiceServer::new(case::Api(app.clone()));
    let reports = ReportServiceServer::new(report::Api(app.clone()));
    routes
        .add_service(cases.max_decoding_message_size(LARGE))
        .add_service(reports.max_decoding_message_size(SMALL))
}
