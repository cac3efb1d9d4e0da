//! Whoever calls from outside does not say by which trace their call is found, nor whether it is collected.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, stream};
use kit::auth::AuthConfig;
use kit::channel::connect_lazy;
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::server::{Server, ServerConfig};
use kit::telemetry::{StandIn, TelemetryConfig, carried};
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use tonic::{Request, Response, Status};

use crate::page::signed;

const SERVICE: &str = "kit-door";
/// The trace that a stranger shows, their span, and what they keep beside it.
const TRACE: &str = "1bf7651916cd43dd8448eb211c80319c";
const SPAN: &str = "c7ad6b7169203331";
const STATE: &str = "planted-by-a-stranger";

/// Tells in which trace it was asked.
struct Telling;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ClearanceFeed for Telling {
    type SnapshotStream = Answers<ClearanceSnapshotResponse>;
    type WatchStream = Answers<ClearanceWatchResponse>;

    async fn snapshot(
        &self,
        _: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let told = ClearanceSnapshotResponse {
            resume_token: carried::traceparent().unwrap_or_default(),
            ..ClearanceSnapshotResponse::default()
        };
        Ok(Response::new(Box::pin(stream::iter([Ok(told)]))))
    }

    async fn watch(
        &self,
        _: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(stream::pending())))
    }
}

/// Gives the trace of a call by a stranger who shows another one, and says that it is not to be collected.
pub(crate) async fn whoever_stands_outside_begins_no_trace(telemetry: &TelemetryConfig) -> String {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (config, auth) = (ServerConfig::loopback(), AuthConfig::development());
    let server = Server::bind(&config, &auth, clock, Drain::new()).await;
    let server = server.expect("binds").outermost();
    let server = server.observed(SERVICE, telemetry).await.expect("a page");
    let running = server.serve(tonic::service::Routes::new(ClearanceFeedServer::new(
        Telling,
    )));
    let channel = connect_lazy(&format!("http://{}", running.addr)).expect("a URI");
    let mut request = signed(ClearanceSnapshotRequest::default());
    let shown = format!("00-{TRACE}-{SPAN}-00");
    for (name, value) in [
        ("traceparent", shown),
        ("tracestate", format!("vendor={STATE}")),
    ] {
        let value = value.parse().expect("a header");
        request.metadata_mut().insert(name, value);
    }
    let told = ClearanceFeedClient::new(channel).snapshot(request).await;
    let mut told = told.expect("told").into_inner();
    let told = told.message().await.expect("told").expect("a message");
    let trace = told.resume_token;
    assert!(!trace.contains(TRACE), "a trace of its own: {trace}");
    assert!(trace.ends_with("-01"), "collected all the same: {trace}");
    running.stop().await.expect("stops");
    let trace = trace.split('-').nth(1).expect("a trace");
    trace.to_owned()
}

pub(crate) fn the_trace_of_a_stranger_is_linked_and_no_more(collector: &StandIn, call: &str) {
    let spans = collector.spans();
    let name = "/campus.sampling.v1.ClearanceFeed/Snapshot";
    let found = spans
        .iter()
        .find(|span| span.trace == call && span.name == name);
    let found = found.expect("the call is collected");
    assert_eq!(found.parent, "", "it is the first of its trace");
    assert_eq!(found.links, [(TRACE.to_owned(), SPAN.to_owned())]);
    assert!(spans.iter().all(|span| span.trace != TRACE));
    assert!(!collector.heard(STATE), "what they keep is theirs");
}
