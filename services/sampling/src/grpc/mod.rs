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
use proto::sampling::clearance_feed_server::ClearanceFeedServer;
use proto::sampling::coverage_service_server::CoverageServiceServer;
use proto::sampling::draw_service_server::DrawServiceServer;
use proto::sampling::environment_service_server::EnvironmentServiceServer;
use proto::sampling::hold_service_server::HoldServiceServer;
use proto::sampling::plan_service_server::PlanServiceServer;
use proto::sampling::result_service_server::ResultServiceServer;
use proto::sampling::sampling_feed_server::SamplingFeedServer;
use proto::sampling::tube_service_server::TubeServiceServer;
use tonic::service::Routes;

use crate::app::App;
use crate::app::health::screening::Checks;
use crate::app::swabs::Scans;

/// The feeds of this service.
#[derive(Clone, Debug)]
pub(crate) struct Feeds {
    pub(crate) clearance: Feed,
    pub(crate) sampling: Feed,
}

/// How large a message may be: small requests, those with many tubes or results, and many checks
/// with the temperatures of everybody.
const SMALL: usize = 64 << 10;
const LARGE: usize = 1 << 20;
const HUGE: usize = 4 << 20;

/// Every gRPC service of this crate.
pub(crate) fn routes(app: &App, feeds: Feeds, scans: Scans, checks: Checks) -> Routes {
    let tubes = tube::Api {
        app: app.clone(),
        scans,
    };
    let clearance = ClearanceFeedServer::new(feed::ClearanceApi(feeds.clearance));
    let sampling = SamplingFeedServer::new(feed::SamplingApi(feeds.sampling));
    let routes = Routes::default()
        .add_service(clearance.max_decoding_message_size(SMALL))
        .add_service(sampling.max_decoding_message_size(SMALL))
        .add_service(
            PlanServiceServer::new(plan::Api(app.clone())).max_decoding_message_size(SMALL),
        )
        .add_service(
            DrawServiceServer::new(draw::Api(app.clone())).max_decoding_message_size(SMALL),
        )
        .add_service(
            CoverageServiceServer::new(coverage::Api(app.clone())).max_decoding_message_size(SMALL),
        )
        .add_service(TubeServiceServer::new(tubes).max_decoding_message_size(LARGE))
        .add_service(
            ResultServiceServer::new(result::Api(app.clone())).max_decoding_message_size(LARGE),
        )
        .add_service(
            HoldServiceServer::new(hold::Api(app.clone())).max_decoding_message_size(SMALL),
        )
        .add_service(
            EnvironmentServiceServer::new(environment::Api(app.clone()))
                .max_decoding_message_size(SMALL),
        );
    health::add_routes(routes, app, checks)
}
