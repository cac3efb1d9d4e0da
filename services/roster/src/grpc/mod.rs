//! The wire: request to domain, result to reply.

mod calendar;
pub(crate) mod calendar_convert;
pub(crate) mod convert;
mod division;
mod feed;
mod import;
pub(crate) mod import_convert;
mod mask;
mod organization;
mod policy;
pub(crate) mod policy_convert;
mod status;

use kit::feed::Feed;
use proto::roster::calendar_service_server::CalendarServiceServer;
use proto::roster::division_service_server::DivisionServiceServer;
use proto::roster::import_service_server::ImportServiceServer;
use proto::roster::organization_service_server::OrganizationServiceServer;
use proto::roster::policy_service_server::PolicyServiceServer;
use proto::roster::roster_feed_server::RosterFeedServer;
use tonic::service::Routes;

use crate::app::App;

/// A single request carries one resource.
const MAX_REQUEST: usize = 64 << 10;
/// A chunk of import rows.
const MAX_CHUNK: usize = 256 << 10;

/// Every gRPC service of this crate.
pub(crate) fn routes(app: &App, feed: Feed) -> Routes {
    let mut routes = Routes::new(RosterFeedServer::new(feed::Api {
        app: app.clone(),
        feed,
    }));
    routes = routes.add_service(
        OrganizationServiceServer::new(organization::Api(app.clone()))
            .max_decoding_message_size(MAX_REQUEST),
    );
    routes = routes.add_service(
        ImportServiceServer::new(import::Api(app.clone())).max_decoding_message_size(MAX_CHUNK),
    );
    routes = routes.add_service(
        PolicyServiceServer::new(policy::Api(app.clone())).max_decoding_message_size(MAX_REQUEST),
    );
    routes = routes.add_service(
        CalendarServiceServer::new(calendar::Api(app.clone()))
            .max_decoding_message_size(MAX_REQUEST),
    );
    routes = routes.add_service(
        DivisionServiceServer::new(division::Api(app.clone()))
            .max_decoding_message_size(MAX_REQUEST),
    );
    routes
}
