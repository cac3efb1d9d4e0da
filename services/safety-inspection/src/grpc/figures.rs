//! SafetyFiguresService.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::auth::caller;
use kit::page;
use proto::safety as pb;
use proto::safety::safety_figures_service_server::SafetyFiguresService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::convert::{self, figures};
use super::cut;
use crate::app::figures::FiguresDesk;

/// What there is of an organisation once.
const LEAF: &str = "safetyFigures";

/// Serves SafetyFiguresService.
#[derive(Debug)]
pub(crate) struct FiguresGrpc(pub(crate) FiguresDesk);

#[tonic::async_trait]
impl SafetyFiguresService for FiguresGrpc {
    type WatchSafetyFiguresStream =
        BoxStream<'static, Result<pb::WatchSafetyFiguresResponse, Status>>;

    async fn get_safety_figures(
        &self,
        request: Request<pb::GetSafetyFiguresRequest>,
    ) -> Result<Response<pb::SafetyFigures>, Status> {
        let caller = caller(&request)?;
        let id = convert::singleton("name", LEAF, &request.get_ref().name)?;
        let site = self.0.site(&caller, &id).await?;
        let sees = FiguresDesk::sees_decisions(&caller, &site);
        let found = self.0.get(&site).await?;
        Ok(Response::new(figures::shown(found, sees, self.0.now())))
    }

    async fn list_safety_figures(
        &self,
        request: Request<pb::ListSafetyFiguresRequest>,
    ) -> Result<Response<pb::ListSafetyFiguresResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.site(&caller, &id).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let skipped: Option<u64> = page::after(&request.page_token, &binding)?;
        let skipped = skipped.unwrap_or_default();
        let mut found = self
            .0
            .list(&site, (skipped, size.saturating_add(1)))
            .await?;
        let next_page_token = cut(&mut found, size, &binding, |_| skipped.saturating_add(size));
        let (now, sees) = (self.0.now(), FiguresDesk::sees_decisions(&caller, &site));
        let shown = found.into_iter();
        let shown = shown.map(|one| figures::shown(one, sees, now));
        Ok(Response::new(pb::ListSafetyFiguresResponse {
            safety_figures: shown.collect(),
            next_page_token,
        }))
    }

    async fn watch_safety_figures(
        &self,
        request: Request<pb::WatchSafetyFiguresRequest>,
    ) -> Result<Response<Self::WatchSafetyFiguresStream>, Status> {
        let caller = caller(&request)?;
        let id = convert::singleton("name", LEAF, &request.get_ref().name)?;
        let site = self.0.site(&caller, &id).await?;
        let sees = FiguresDesk::sees_decisions(&caller, &site);
        let news = ReceiverStream::new(self.0.watch(site)?);
        let answers = news.map(move |news| {
            let news = news.map_err(Status::from)?;
            Ok(pb::WatchSafetyFiguresResponse {
                safety_figures: news.map(|(found, now)| figures::shown(found, sees, now)),
            })
        });
        Ok(Response::new(answers.boxed()))
    }
}
