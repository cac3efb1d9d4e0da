//! AlertService.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::auth::{Permission, caller};
use kit::page;
use proto::notification as pb;
use proto::notification::alert_service_server::AlertService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::alerts::Alerts;
use crate::domain::alert::Verb;

/// Serves AlertService.
#[derive(Debug)]
pub(crate) struct AlertGrpc {
    app: Alerts,
}

impl AlertGrpc {
    pub(crate) fn new(app: Alerts) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl AlertService for AlertGrpc {
    async fn list_alerts(
        &self,
        request: Request<pb::ListAlertsRequest>,
    ) -> Result<Response<pb::ListAlertsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let organization = self.app.readable(&caller, &organization).await?;
        let state = convert::alert_state(request.state)?;
        let kind = convert::alert_kind(request.kind)?;
        let size = page::size(request.page_size)?;
        let numbers = [request.state.to_string(), request.kind.to_string()];
        let binding = [&*request.parent, &*numbers[0], &*numbers[1]];
        let before: Option<i64> = page::after(&request.page_token, &binding)?;
        let mut found = self
            .app
            .list(&organization, (state, kind), before, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.sequence);
        let alerts = found.into_iter().map(convert::alert).collect();
        Ok(Response::new(pb::ListAlertsResponse {
            alerts,
            next_page_token,
        }))
    }

    async fn get_alert(
        &self,
        request: Request<pb::GetAlertRequest>,
    ) -> Result<Response<pb::Alert>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = convert::child("name", "alerts", &request.into_inner().name)?;
        let alert = self
            .app
            .alert(&caller, Permission::AlertRead, &organization, id)
            .await?;
        Ok(Response::new(convert::alert(alert)))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<pb::AcknowledgeAlertRequest>,
    ) -> Result<Response<pb::Alert>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "alerts", &request.name)?;
        self.app
            .alert(&caller, Permission::AlertHandle, &organization, id)
            .await?;
        let comment = convert::comment("comment", &request.comment, false)?;
        let act = (Verb::Acknowledge, "AcknowledgeAlert", comment);
        let once = (&*request.request_id, &request);
        let alert = self
            .app
            .apply(&caller, id, act, once, convert::alert)
            .await?;
        Ok(Response::new(alert))
    }

    async fn take_alert(
        &self,
        request: Request<pb::TakeAlertRequest>,
    ) -> Result<Response<pb::Alert>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "alerts", &request.name)?;
        self.app
            .alert(&caller, Permission::AlertHandle, &organization, id)
            .await?;
        let comment = convert::comment("comment", &request.comment, false)?;
        let act = (Verb::Take, "TakeAlert", comment);
        let once = (&*request.request_id, &request);
        let alert = self
            .app
            .apply(&caller, id, act, once, convert::alert)
            .await?;
        Ok(Response::new(alert))
    }

    async fn resolve_alert(
        &self,
        request: Request<pb::ResolveAlertRequest>,
    ) -> Result<Response<pb::Alert>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "alerts", &request.name)?;
        self.app
            .alert(&caller, Permission::AlertHandle, &organization, id)
            .await?;
        let comment = convert::comment("comment", &request.comment, true)?;
        let act = (Verb::Resolve, "ResolveAlert", comment);
        let once = (&*request.request_id, &request);
        let alert = self
            .app
            .apply(&caller, id, act, once, convert::alert)
            .await?;
        Ok(Response::new(alert))
    }

    type WatchAlertsStream = BoxStream<'static, Result<pb::WatchAlertsResponse, Status>>;

    async fn watch_alerts(
        &self,
        request: Request<pb::WatchAlertsRequest>,
    ) -> Result<Response<Self::WatchAlertsStream>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let organization = self.app.readable(&caller, &organization).await?;
        let resume: Option<i64> = page::after(&request.resume_token, &["watch", &request.parent])?;
        let news = ReceiverStream::new(self.app.watch(organization, resume));
        let parent = request.parent;
        let answers = news
            .map_err(Status::from)
            .map_ok(move |news| pb::WatchAlertsResponse {
                alerts: news.alerts.into_iter().map(convert::alert).collect(),
                resume_token: page::next(&news.revision, &["watch", &parent]),
            });
        Ok(Response::new(answers.boxed()))
    }
}
