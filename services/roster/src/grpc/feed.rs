//! RosterFeed.

use kit::auth::{Permission, caller};
use kit::feed::{Answers, Feed, Told};
use proto::roster::roster_feed_server::RosterFeed;
use proto::roster::{SnapshotRequest, SnapshotResponse, WatchRequest, WatchResponse};
use tonic::{Request, Response, Status};

use crate::app::App;

/// Serves what the register publishes.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) app: App,
    pub(super) feed: Feed,
}

#[tonic::async_trait]
impl RosterFeed for Api {
    type SnapshotStream = Answers<SnapshotResponse>;
    type WatchStream = Answers<WatchResponse>;

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let scope = self
            .app
            .whole(&caller(&request)?, Permission::FeedRead)
            .await?;
        let token = request.into_inner().page_token;
        let answer = |told: Told<_>| SnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        Ok(self.feed.serve_snapshot(scope, token, answer))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = self
            .app
            .whole(&caller(&request)?, Permission::FeedRead)
            .await?;
        let token = request.into_inner().resume_token;
        let answer = |told: Told<_>| WatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        self.feed.serve_watch(scope, token, answer).await
    }
}
