//! NotificationFeed.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::auth::{Permission, caller};
use kit::feed::{Feed, Page};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
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

type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// The events of a page as they were announced.
fn events(page: &Page) -> Result<Vec<pb::NotificationEvent>, Problem> {
    let events = page
        .items
        .iter()
        .map(|item| pb::NotificationEvent::decode(item.payload.clone()));
    events
        .collect::<Result<_, _>>()
        .map_err(|err| Problem::new(ErrorReason::Internal).source(err))
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
        let pages = self.feed.snapshot(scope, request.into_inner().page_token);
        let answer = |page: Page| {
            Ok(pb::NotificationSnapshotResponse {
                events: events(&page)?,
                page_token: page.page_token,
                resume_token: page.resume_token,
            })
        };
        let answers = pages.and_then(move |page| std::future::ready(answer(page)));
        Ok(Response::new(answers.map_err(Status::from).boxed()))
    }

    async fn watch(
        &self,
        request: Request<pb::NotificationWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let token = request.into_inner().resume_token;
        let pages = self.feed.watch(scope, token).await?;
        let answer = |page: Page| {
            Ok(pb::NotificationWatchResponse {
                events: events(&page)?,
                resume_token: page.resume_token,
            })
        };
        let answers = pages.and_then(move |page| std::future::ready(answer(page)));
        Ok(Response::new(answers.map_err(Status::from).boxed()))
    }
}
