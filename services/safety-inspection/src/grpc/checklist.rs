//! ChecklistService.

use kit::auth::{Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use proto::safety::checklist_service_server::ChecklistService;
use tonic::{Request, Response, Status};

use super::convert::inspection as convert;
use crate::app::inspections::{Inspections, unchanged};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::{State, Verb};

/// Serves ChecklistService.
#[derive(Debug)]
pub(crate) struct Checklists {
    app: Inspections,
}

impl Checklists {
    pub(crate) fn new(app: Inspections) -> Self {
        Self { app }
    }

    async fn moved(
        &self,
        caller: &kit::auth::Caller,
        name: &str,
        verb: (Verb, &'static str),
        once: (&str, &impl Message),
    ) -> Result<Response<pb::ChecklistTemplate>, Status> {
        let id = convert::template_id("name", name)?;
        self.app.changeable(caller, &id).await?;
        let no_change = |_: &_| Err(Problem::new(proto::error::ErrorReason::Internal));
        let moved = self
            .app
            .move_checklist(caller, &id, verb, once, no_change, convert::checklist);
        Ok(Response::new(moved.await?))
    }
}

#[tonic::async_trait]
impl ChecklistService for Checklists {
    async fn get_checklist_template(
        &self,
        request: Request<pb::GetChecklistTemplateRequest>,
    ) -> Result<Response<pb::ChecklistTemplate>, Status> {
        let caller = caller(&request)?;
        let id = convert::template_id("name", &request.into_inner().name)?;
        let (kept, changes) = self.app.checklist(&caller, &id).await?;
        Ok(Response::new(convert::checklist(kept, changes)))
    }

    async fn list_checklist_templates(
        &self,
        request: Request<pb::ListChecklistTemplatesRequest>,
    ) -> Result<Response<pb::ListChecklistTemplatesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self
            .app
            .site(&caller, Permission::InspectionRead, &id)
            .await?;
        let listed = (
            convert::filter("place_kind", request.place_kind, PlaceKind::from_number)?,
            convert::filter("state", request.state, State::from_number)?,
        );
        let size = page::size(request.page_size)?;
        let (kind, state) = (request.place_kind.to_string(), request.state.to_string());
        let binding = [&*request.parent, &*kind, &*state];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let mut found = self.app.checklists(&site, listed, &after, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| {
            last.template.id.to_string()
        });
        let found = found.into_iter();
        let found = found.map(|kept| convert::checklist(kept, Vec::new()));
        Ok(Response::new(pb::ListChecklistTemplatesResponse {
            checklist_templates: found.collect(),
            next_page_token,
        }))
    }

    async fn create_checklist_template(
        &self,
        request: Request<pb::CreateChecklistTemplateRequest>,
    ) -> Result<Response<pb::ChecklistTemplate>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self
            .app
            .site(&caller, Permission::ChecklistWrite, &id)
            .await?;
        let draft = convert::draft(request.checklist_template.as_ref())?;
        let once = (&*request.request_id, &request);
        let drafted = self
            .app
            .draft(&caller, &site, draft, once, convert::checklist);
        Ok(Response::new(drafted.await?))
    }

    async fn update_checklist_template(
        &self,
        request: Request<pb::UpdateChecklistTemplateRequest>,
    ) -> Result<Response<pb::ChecklistTemplate>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sent = request.checklist_template.clone().unwrap_or_default();
        let id = convert::template_id("checklist_template.name", &sent.name)?;
        self.app.changeable(&caller, &id).await?;
        let once = (&*request.request_id, &request);
        let change = |kept: &_| {
            unchanged(&sent.etag, &convert::etag(kept))?;
            convert::content(kept, &sent, request.update_mask.as_ref())
        };
        let verb = (Verb::Change, "UpdateChecklistTemplate");
        let changed = self
            .app
            .move_checklist(&caller, &id, verb, once, change, convert::checklist);
        Ok(Response::new(changed.await?))
    }

    async fn publish_checklist_template(
        &self,
        request: Request<pb::PublishChecklistTemplateRequest>,
    ) -> Result<Response<pb::ChecklistTemplate>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Publish, "PublishChecklistTemplate");
        self.moved(&caller, &request.name, verb, once).await
    }

    async fn retire_checklist_template(
        &self,
        request: Request<pb::RetireChecklistTemplateRequest>,
    ) -> Result<Response<pb::ChecklistTemplate>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Retire, "RetireChecklistTemplate");
        self.moved(&caller, &request.name, verb, once).await
    }

    async fn resolve_checklist(
        &self,
        request: Request<pb::ResolveChecklistRequest>,
    ) -> Result<Response<pb::ResolveChecklistResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self
            .app
            .site(&caller, Permission::InspectionRead, &id)
            .await?;
        let list = convert::template_id("checklist_template", &request.checklist_template)?;
        let (lists, entries) = self.app.resolve(&site, &list).await?;
        let lists = lists.iter().map(|id| format!("checklistTemplates/{id}"));
        Ok(Response::new(pb::ResolveChecklistResponse {
            checklist_templates: lists.collect(),
            items: entries
                .iter()
                .map(|entry| convert::item(&entry.item))
                .collect(),
        }))
    }
}
