//! AlertService.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::auth::{Caller, Permission, caller};
use kit::page;
use proto::notification as pb;
use proto::notification::alert_service_server::AlertService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::app::alerts::Alerts;
use crate::domain::alert::Verb;
use crate::domain::rule::Rule;
use crate::domain::silence::Silence;
use crate::store::alerts::Group;

/// Serves AlertService.
#[derive(Debug)]
pub(crate) struct AlertGrpc {
    app: Alerts,
}

impl AlertGrpc {
    pub(crate) fn new(app: Alerts) -> Self {
        Self { app }
    }

    /// The id of an alert that the caller may handle.
    async fn handled(&self, caller: &Caller, name: &str) -> Result<Uuid, Status> {
        let (organization, id) = convert::child("name", "alerts", name)?;
        let handle = Permission::AlertHandle;
        self.app.alert(caller, handle, &organization, id).await?;
        Ok(id)
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
        let alert = self.handled(&caller, &request.name).await?;
        let comment = convert::comment("comment", &request.comment, false)?;
        let act = (Verb::Acknowledge, "AcknowledgeAlert", comment);
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let alert = app.apply(&caller, alert, act, once, convert::alert).await?;
        Ok(Response::new(alert))
    }

    async fn take_alert(
        &self,
        request: Request<pb::TakeAlertRequest>,
    ) -> Result<Response<pb::Alert>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let alert = self.handled(&caller, &request.name).await?;
        let comment = convert::comment("comment", &request.comment, false)?;
        let act = (Verb::Take, "TakeAlert", comment);
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let alert = app.apply(&caller, alert, act, once, convert::alert).await?;
        Ok(Response::new(alert))
    }

    async fn resolve_alert(
        &self,
        request: Request<pb::ResolveAlertRequest>,
    ) -> Result<Response<pb::Alert>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let alert = self.handled(&caller, &request.name).await?;
        let comment = convert::comment("comment", &request.comment, true)?;
        let act = (Verb::Resolve, "ResolveAlert", comment);
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let alert = app.apply(&caller, alert, act, once, convert::alert).await?;
        Ok(Response::new(alert))
    }

    async fn comment_alert(
        &self,
        request: Request<pb::CommentAlertRequest>,
    ) -> Result<Response<pb::AlertEntry>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let alert = self.handled(&caller, &request.name).await?;
        let comment = convert::comment("comment", &request.comment, true)?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let entry = app.comment(&caller, alert, comment, once, convert::entry);
        Ok(Response::new(entry.await?))
    }

    async fn list_alert_entries(
        &self,
        request: Request<pb::ListAlertEntriesRequest>,
    ) -> Result<Response<pb::ListAlertEntriesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("parent", "alerts", &request.parent)?;
        let (read, app) = (Permission::AlertRead, &self.app);
        let alert = app.alert(&caller, read, &organization, id).await?;
        let size = page::size(request.page_size)?;
        let binding = ["entries", &*request.parent];
        let after: Option<i32> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let mut found = app.entries(&alert, after, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.0);
        let entries = found.into_iter().map(|line| convert::entry(&alert, line));
        Ok(Response::new(pb::ListAlertEntriesResponse {
            entries: entries.collect(),
            next_page_token,
        }))
    }

    async fn list_alert_groups(
        &self,
        request: Request<pb::ListAlertGroupsRequest>,
    ) -> Result<Response<pb::ListAlertGroupsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let organization = self.app.readable(&caller, &organization).await?;
        let size = page::size(request.page_size)?;
        let binding = ["groups", &*request.parent];
        let after = page::after(&request.page_token, &binding)?;
        let mut found = self.app.groups(&organization, after, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, Group::key);
        Ok(Response::new(pb::ListAlertGroupsResponse {
            groups: found.into_iter().map(convert::group).collect(),
            next_page_token,
        }))
    }

    async fn list_alert_rules(
        &self,
        request: Request<pb::ListAlertRulesRequest>,
    ) -> Result<Response<pb::ListAlertRulesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let mut rules = self.app.rules(&caller).await?;
        let size = page::size(request.page_size)?;
        let after: Option<i32> = page::after(&request.page_token, &["rules"])?;
        rules.retain(|rule| after.is_none_or(|after| rule.kind as i32 > after));
        let next_page_token = super::cut(&mut rules, size, &["rules"], |last| last.kind as i32);
        Ok(Response::new(pb::ListAlertRulesResponse {
            rules: rules.into_iter().map(convert::alert_rule).collect(),
            next_page_token,
        }))
    }

    async fn update_alert_rule(
        &self,
        request: Request<pb::UpdateAlertRuleRequest>,
    ) -> Result<Response<pb::AlertRule>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        Alerts::may_change_rules(&caller)?;
        let sent = request.rule.clone().unwrap_or_default();
        let kind = convert::alert_rule_name(&sent.name)?;
        let rule = convert::rule_change(kind, &sent)?;
        let replaces = |before: &Rule| convert::etag(before.version) == sent.etag;
        let once = (&*request.request_id, &request);
        let (change, app) = ((rule, replaces), &self.app);
        let rule = app.update_rule(&caller, change, once, convert::alert_rule);
        Ok(Response::new(rule.await?))
    }

    async fn create_silence(
        &self,
        request: Request<pb::CreateSilenceRequest>,
    ) -> Result<Response<pb::Silence>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let organization = self.app.silenceable(&caller, &organization).await?;
        let wish = convert::wish(request.silence.as_ref(), self.app.now())?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let silence = app.silence(&caller, organization, wish, once, convert::silence);
        Ok(Response::new(silence.await?))
    }

    async fn list_silences(
        &self,
        request: Request<pb::ListSilencesRequest>,
    ) -> Result<Response<pb::ListSilencesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let organization = self.app.readable(&caller, &organization).await?;
        let size = page::size(request.page_size)?;
        let binding = ["silences", &*request.parent];
        let before = page::after(&request.page_token, &binding)?;
        let mut found = self.app.silences(&organization, before, size + 1).await?;
        let key = |last: &Silence| (last.created.timestamp_millis(), last.id);
        let next_page_token = super::cut(&mut found, size, &binding, key);
        Ok(Response::new(pb::ListSilencesResponse {
            silences: found.into_iter().map(convert::silence).collect(),
            next_page_token,
        }))
    }

    async fn end_silence(
        &self,
        request: Request<pb::EndSilenceRequest>,
    ) -> Result<Response<pb::Silence>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "silences", &request.name)?;
        let organization = self.app.silenceable(&caller, &organization).await?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let silence = app.end_silence(&caller, &organization, id, once, convert::silence);
        Ok(Response::new(silence.await?))
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
