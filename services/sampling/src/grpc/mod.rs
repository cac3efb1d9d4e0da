//! The wire: request to domain, result to reply.

pub(crate) mod announced;
pub(crate) mod convert;
mod coverage;
mod draw;
pub(crate) mod draw_convert;
mod environment;
mod feed;
pub(crate) mod health;
mod hold;
mod plan;
pub(crate) mod point_convert;
mod result;
mod status;
mod tube;
pub(crate) mod tube_convert;
mod tube_requests;

use kit::feed::Feed;
use kit::subject::{HeldDataGrpc, Requests};
use proto::sampling::clearance_feed_server::ClearanceFeedServer;
use proto::sampling::coverage_service_server::CoverageServiceServer;
use proto::sampling::draw_service_server::DrawServiceServer;
use proto::sampling::environment_service_server::EnvironmentServiceServer;
use proto::sampling::hold_service_server::HoldServiceServer;
use proto::sampling::plan_service_server::PlanServiceServer;
use proto::sampling::result_service_server::ResultServiceServer;
use proto::sampling::sampling_feed_server::SamplingFeedServer;
use proto::sampling::tube_service_server::TubeServiceServer;
use proto::subject::held_data_service_server::HeldDataServiceServer;
use tonic::service::Routes;

use crate::app::App;
use crate::app::health::screening::Checks;
use crate::app::held::Sampled;
use crate::app::swabs::Scans;

/// The feeds of this service.
#[derive(Clone, Debug)]
pub(crate) struct Feeds {
    pub(crate) clearance: Feed,
    pub(crate) sampling: Feed,
}

/// Every gRPC service of this crate.
pub(crate) fn routes(
    app: &App,
    feeds: Feeds,
    (scans, checks): (Scans, Checks),
    requests: Requests,
) -> Routes {
    let held = Sampled {
        db: app.db.clone(),
        clock: app.clock.clone(),
    };
    let held = HeldDataServiceServer::new(HeldDataGrpc::new(held, requests));
    let tubes = tube::Api {
        app: app.clone(),
        scans,
    };
    let clearance = ClearanceFeedServer::new(feed::ClearanceApi(feeds.clearance));
    let sampling = SamplingFeedServer::new(feed::SamplingApi(feeds.sampling));
    let routes = Routes::default()
        .add_service(held)
        .add_service(clearance)
        .add_service(sampling)
        .add_service(PlanServiceServer::new(plan::Api(app.clone())))
        .add_service(DrawServiceServer::new(draw::Api(app.clone())))
        .add_service(CoverageServiceServer::new(coverage::Api(app.clone())))
        .add_service(TubeServiceServer::new(tubes))
        .add_service(ResultServiceServer::new(result::Api(app.clone())))
        .add_service(HoldServiceServer::new(hold::Api(app.clone())))
        .add_service(EnvironmentServiceServer::new(environment::Api(app.clone())));
    health::add_routes(routes, app, checks)
}
