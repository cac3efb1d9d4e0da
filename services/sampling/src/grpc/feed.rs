//! The change feeds: clearance, and tubes with holds and draws.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::auth::{Permission, caller};
use kit::feed::{Feed, Page};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::sampling::clearance_feed_server::ClearanceFeed;
use proto::sampling::sampling_feed_server::SamplingFeed;
use proto::sampling::{
    ClearanceEvent, ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse, SamplingEvent, SamplingSnapshotRequest, SamplingSnapshotResponse,
    SamplingWatchRequest, SamplingWatchResponse,
};
use tonic::{Request, Response, Status};

/// Serves who is not clear.
#[derive(Debug)]
pub(super) struct ClearanceApi(pub(super) Feed);

/// Serves tubes, holds and draws.
#[derive(Debug)]
pub(super) struct SamplingApi(pub(super) Feed);

type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// The events of a page as they were announced.
fn events<E: Message + Default>(page: &Page) -> Result<Vec<E>, Problem> {
    let decode =
        |payload| E::decode(payload).map_err(|err| Problem::new(ErrorReason::Internal).source(err));
    page.items
        .iter()
        .map(|item| decode(item.payload.clone()))
        .collect()
}

#[tonic::async_trait]
impl ClearanceFeed for ClearanceApi {
    type SnapshotStream = Answers<ClearanceSnapshotResponse>;
    type WatchStream = Answers<ClearanceWatchResponse>;

    async fn snapshot(
        &self,
        request: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let pages = self.0.snapshot(scope, request.into_inner().page_token);
        let answer = |page: Page| {
            let events = events::<ClearanceEvent>(&page)?;
            let Page {
                items: _,
                page_token,
                resume_token,
            } = page;
            Ok(ClearanceSnapshotResponse {
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
        request: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let pages = self
            .0
            .watch(scope, request.into_inner().resume_token)
            .await?;
        let answer = |page: Page| {
            let events = events::<ClearanceEvent>(&page)?;
            Ok(ClearanceWatchResponse {
                events,
                resume_token: page.resume_token,
            })
        };
        let answers = pages.and_then(move |page| std::future::ready(answer(page)));
        Ok(Response::new(answers.map_err(Status::from).boxed()))
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
        let pages = self.0.snapshot(scope, request.into_inner().page_token);
        let answer = |page: Page| {
            let events = events::<SamplingEvent>(&page)?;
            let Page {
                items: _,
                page_token,
                resume_token,
            } = page;
            Ok(SamplingSnapshotResponse {
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
        request: Request<SamplingWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let scope = caller(&request)?.allowed(Permission::FeedRead)?.clone();
        let pages = self
            .0
            .watch(scope, request.into_inner().resume_token)
            .await?;
        let answer = |page: Page| {
            let events = events::<SamplingEvent>(&page)?;
            Ok(SamplingWatchResponse {
                events,
                resume_token: page.resume_token,
            })
        };
        let answers = pages.and_then(move |page| std::future::ready(answer(page)));
        Ok(Response::new(answers.map_err(Status::from).boxed()))
    }
}
