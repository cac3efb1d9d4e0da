//! RosterFeed.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::auth::{Permission, caller};
use kit::feed::{Feed, Page};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::roster::roster_feed_server::RosterFeed;
use proto::roster::{RosterEvent, SnapshotRequest, SnapshotResponse, WatchRequest, WatchResponse};
use tonic::{Request, Response, Status};

use crate::app::App;

/// Serves what the register publishes.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) app: App,
    pub(super) feed: Feed,
}

/// The events of a page as they were announced.
fn events(page: &Page) -> Result<Vec<RosterEvent>, Problem> {
    let internal = |err| Problem::new(ErrorReason::Internal).source(err);
    let decode = |payload| RosterEvent::decode(payload).map_err(internal);
    page.items
        .iter()
        .map(|item| decode(item.payload.clone()))
        .collect()
}

#[tonic::async_trait]
impl RosterFeed for Api {
    type SnapshotStream = BoxStream<'static, Result<SnapshotResponse, Status>>;
    type WatchStream = BoxStream<'static, Result<WatchResponse, Status>>;

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let caller = caller(&request)?;
        let scope = self.app.whole(&caller, Permission::FeedRead).await?;
        let pages = self.feed.snapshot(scope, request.into_inner().page_token);
        let answer = |page: Page| {
            let events = events(&page)?;
            let Page {
                items: _,
                page_token,
                resume_token,
            } = page;
            Ok(SnapshotResponse {
                events,
                page_token,
                resume_token,
            })
        };
        let answers = pages.and_then(move |page| std::future::ready(answer(page)));
        Ok(Response::new(answers.map_err(Status::from).boxed()))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let caller = caller(&request)?;
        let scope = self.app.whole(&caller, Permission::FeedRead).await?;
        let pages = self
            .feed
            .watch(scope, request.into_inner().resume_token)
            .await?;
        let answer = |page: Page| {
            let events = events(&page)?;
            Ok(WatchResponse {
                events,
                resume_token: page.resume_token,
            })
        };
        let answers = pages.and_then(move |page| std::future::ready(answer(page)));
        Ok(Response::new(answers.map_err(Status::from).boxed()))
    }
}
