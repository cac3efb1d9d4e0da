//! InspectionService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use proto::safety::inspection_service_server::InspectionService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::inspection as convert;
use crate::app::inspections::{Found, Inspections};
use crate::domain::checklist::item::Outcome;
use crate::domain::inspection::state::Verb;

/// Serves InspectionService.
#[derive(Debug)]
pub(crate) struct InspectionGrpc {
    app: Inspections,
}

impl InspectionGrpc {
    pub(crate) fn new(app: Inspections) -> Self {
        Self { app }
    }

    /// An inspection as it is seen today.
    fn render(&self) -> impl FnOnce(Found) -> pb::Inspection {
        let today = self.app.today();
        move |found| convert::inspection(found, today)
    }

    async fn step(
        &self,
        caller: &Caller,
        name: &str,
        (verb, method): (Verb, &'static str),
        reason: Option<&str>,
        once: (&str, &impl Message),
    ) -> Result<Response<pb::Inspection>, Status> {
        let permission = match verb {
            Verb::Confirm | Verb::Dispute => Permission::InspectionConfirm,
            Verb::Start | Verb::Record | Verb::Submit | Verb::Cancel => Permission::InspectionRun,
        };
        let (organization, id) = convert::child("name", "inspections", name)?;
        let site = self.app.site(caller, permission, &organization).await?;
        reason.map_or(Ok(()), convert::reason)?;
        let (at, reason) = ((&site, id), reason.unwrap_or_default());
        let moved = self
            .app
            .step(caller, at, (verb, method), reason, once, self.render());
        Ok(Response::new(moved.await?))
    }
}

#[tonic::async_trait]
impl InspectionService for InspectionGrpc {
    async fn create_inspection(
        &self,
        request: Request<pb::CreateInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self
            .app
            .site(&caller, Permission::InspectionRun, &id)
            .await?;
        let plan = convert::plan(request.inspection.as_ref(), self.app.today())?;
        let once = (&*request.request_id, &request);
        let planned = self.app.plan(&caller, &site, plan, once, self.render());
        Ok(Response::new(planned.await?))
    }

    async fn get_inspection(
        &self,
        request: Request<pb::GetInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = convert::child("name", "inspections", &request.into_inner().name)?;
        let permission = Permission::InspectionRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let found = self.app.inspection(&site, id).await?;
        Ok(Response::new(self.render()(found)))
    }

    async fn list_inspections(
        &self,
        request: Request<pb::ListInspectionsRequest>,
    ) -> Result<Response<pb::ListInspectionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self
            .app
            .site(&caller, Permission::InspectionRead, &id)
            .await?;
        let listed = convert::listed(&request)?;
        let size = page::size(request.page_size)?;
        let (state, kind) = (request.state.to_string(), request.place_kind.to_string());
        let binding = [&*request.parent, &*state, &*kind];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self
            .app
            .inspections(&site, listed, before, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.id);
        let inspections = found.into_iter().map(|inspection| {
            self.render()(Found {
                inspection,
                changes: Vec::new(),
                findings: Vec::new(),
            })
        });
        Ok(Response::new(pb::ListInspectionsResponse {
            inspections: inspections.collect(),
            next_page_token,
        }))
    }

    async fn start_inspection(
        &self,
        request: Request<pb::StartInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Start, "StartInspection");
        self.step(&caller, &request.name, verb, None, once).await
    }

    async fn record_answers(
        &self,
        request: Request<pb::RecordAnswersRequest>,
    ) -> Result<Response<pb::RecordAnswersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "inspections", &request.name)?;
        let permission = Permission::InspectionRun;
        let site = self.app.site(&caller, permission, &organization).await?;
        let handed = convert::answers(request.answers, self.app.now())?;
        let good = handed.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        let good = good.cloned().collect();
        let mut verdicts = self
            .app
            .record(&caller, (&site, id), good)
            .await?
            .into_iter();
        let verdicts = handed.into_iter().map(|(client_id, answer)| {
            let verdict = answer.and_then(|_| verdicts.next().ok_or_else(String::new));
            convert::verdict(client_id, verdict)
        });
        Ok(Response::new(pb::RecordAnswersResponse {
            verdicts: verdicts.collect(),
        }))
    }

    async fn submit_inspection(
        &self,
        request: Request<pb::SubmitInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "inspections", &request.name)?;
        let permission = Permission::InspectionRun;
        let site = self.app.site(&caller, permission, &organization).await?;
        let once = (&*request.request_id, &request);
        let at = (&site, id);
        let submitted = self.app.submit(&caller, at, once, self.render());
        Ok(Response::new(submitted.await?))
    }

    async fn confirm_inspection(
        &self,
        request: Request<pb::ConfirmInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Confirm, "ConfirmInspection");
        self.step(&caller, &request.name, verb, None, once).await
    }

    async fn dispute_inspection(
        &self,
        request: Request<pb::DisputeInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Dispute, "DisputeInspection");
        let reason = Some(&*request.reason);
        self.step(&caller, &request.name, verb, reason, once).await
    }

    async fn cancel_inspection(
        &self,
        request: Request<pb::CancelInspectionRequest>,
    ) -> Result<Response<pb::Inspection>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Cancel, "CancelInspection");
        let reason = Some(&*request.reason);
        self.step(&caller, &request.name, verb, reason, once).await
    }

    async fn list_inspection_items(
        &self,
        request: Request<pb::ListInspectionItemsRequest>,
    ) -> Result<Response<pb::ListInspectionItemsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("parent", "inspections", &request.parent)?;
        let permission = Permission::InspectionRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let wanted = convert::filter("result", request.result, Outcome::from_number)?;
        let size = page::size(request.page_size)?;
        let result = request.result.to_string();
        let binding = [&*request.parent, &*result];
        let after: Option<usize> = page::after(&request.page_token, &binding)?;
        let skip = after.map_or(0, |after| after.saturating_add(1));
        let limit = usize::try_from(size)
            .map_err(|_| Problem::invalid("page_size", "过大", "too large"))?;
        let part = (skip, limit + 1);
        let mut found = self.app.items(&caller, (&site, id), wanted, part).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |(place, _)| *place);
        let items = found.into_iter().map(|(_, looked)| convert::looked(looked));
        Ok(Response::new(pb::ListInspectionItemsResponse {
            items: items.collect(),
            next_page_token,
        }))
    }
}
