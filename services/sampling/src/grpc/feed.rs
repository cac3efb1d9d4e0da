//! The change feeds: clearance, and tubes with holds and draws.

use kit::auth::{Permission, caller};
use kit::feed::{Answers, Feed, Told};
use proto::sampling::clearance_feed_server::ClearanceFeed;
use proto::sampling::sampling_feed_server::SamplingFeed;
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse, SamplingSnapshotRequest, SamplingSnapshotResponse,
    SamplingWatchRequest, SamplingWatchResponse,
};
use tonic::{Request, Response, Status};

/// Serves who is not clear.
#[derive(Debug)]
pub(super) struct ClearanceApi(pub(super) Feed);

/// Serves tubes, holds and draws.
#[derive(Debug)]
pub(super) struct SamplingApi(pub(super) Feed);

#[tonic::async_trait]
impl ClearanceFeed for ClearanceApi {
    type SnapshotStream = Answers<ClearanceSnapshotResponse>;
    type WatchStream = Answers<ClearanceWatchResponse>;

    async fn snapshot(
        &self,
        request: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().page_token;
        let answer = |told: Told<_>| ClearanceSnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        Ok(self.0.serve_snapshot(scope, token, answer))
    }

    async fn watch(
        &self,
        request: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().resume_token;
        let answer = |told: Told<_>| ClearanceWatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        self.0.serve_watch(scope, token, answer).await
    }
}

#[tonic::async_trait]
impl SamplingFeed for SamplingApi {
    type SnapshotStream = Answers<SamplingSnapshotResponse>;
    type WatchStream = Answers<SamplingWatchResponse>;

    async fn snapshot(
        &self,
        request: Request<SamplingSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().page_token;
        let answer = |told: Told<_>| SamplingSnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        Ok(self.0.serve_snapshot(scope, token, answer))
    }

    async fn watch(
        &self,
        request: Request<SamplingWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().resume_token;
        let answer = |told: Told<_>| SamplingWatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        self.0.serve_watch(scope, token, answer).await
    }
}
