//! NotificationFeed.

use kit::auth::{Permission, caller};
use kit::feed::{Answers, Feed, Told};
use proto::notification as pb;
use proto::notification::notification_feed_server::NotificationFeed;
use tonic::{Request, Response, Status};

/// Serves NotificationFeed.
#[derive(Debug)]
pub(crate) struct FeedGrpc {
    feed: Feed,
}

impl FeedGrpc {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed }
    }
}

#[tonic::async_trait]
impl NotificationFeed for FeedGrpc {
    type SnapshotStream = Answers<pb::NotificationSnapshotResponse>;
    type WatchStream = Answers<pb::NotificationWatchResponse>;

    async fn snapshot(
        &self,
        request: Request<pb::NotificationSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().page_token;
        let answer = |told: Told<_>| pb::NotificationSnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        Ok(self.feed.serve_snapshot(scope, token, answer))
    }

    async fn watch(
        &self,
        request: Request<pb::NotificationWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().resume_token;
        let answer = |told: Told<_>| pb::NotificationWatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        self.feed.serve_watch(scope, token, answer).await
    }
}
