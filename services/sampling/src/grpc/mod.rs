//! The wire: request to domain, result to reply.

// Shared.
pub(crate) mod convert;
pub(crate) mod feed;
pub(crate) mod status;

// Plans and draws.
mod coverage;
mod draw;
mod plan;

// Tubes, results, holds, clearance, environment.
mod hold;
mod result;
mod tube;
pub(crate) mod tube_convert;

use kit::feed::Feed;
use proto::sampling::clearance_feed_server::ClearanceFeedServer;
use proto::sampling::coverage_service_server::CoverageServiceServer;
use proto::sampling::draw_service_server::DrawServiceServer;
use proto::sampling::hold_service_server::HoldServiceServer;
use proto::sampling::plan_service_server::PlanServiceServer;
use proto::sampling::result_service_server::ResultServiceServer;
use proto::sampling::sampling_feed_server::SamplingFeedServer;
use proto::sampling::tube_service_server::TubeServiceServer;
use tonic::service::Routes;

use crate::app::App;
use crate::app::swabs::Scans;

/// The feeds of this service.
#[derive(Clone, Debug)]
pub(crate) struct Feeds {
    pub(crate) clearance: Feed,
    pub(crate) sampling: Feed,
}

/// Every gRPC service of this crate.
pub(crate) fn routes(app: &App, feeds: Feeds, scans: Scans) -> Routes {
    let mut routes = Routes::default();
    // Feeds.
    routes = routes.add_service(ClearanceFeedServer::new(feed::ClearanceApi(
        feeds.clearance,
    )));
    routes = routes.add_service(SamplingFeedServer::new(feed::SamplingApi(feeds.sampling)));
    // Plans and draws.
    routes = routes.add_service(PlanServiceServer::new(plan::Api(app.clone())));
    routes = routes.add_service(DrawServiceServer::new(draw::Api(app.clone())));
    routes = routes.add_service(CoverageServiceServer::new(coverage::Api(app.clone())));
    // Tubes, results, holds, clearance, environment.
    routes = routes.add_service(TubeServiceServer::new(tube::Api {
        app: app.clone(),
        scans,
    }));
    routes = routes.add_service(ResultServiceServer::new(result::Api(app.clone())));
    routes = routes.add_service(HoldServiceServer::new(hold::Api(app.clone())));
    routes
}
