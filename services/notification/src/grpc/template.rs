//! TemplateService.

use kit::auth::{Permission, caller};
use kit::page;
use proto::notification as pb;
use proto::notification::template_service_server::TemplateService;
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::templates::Templates;

/// A page holds at most this many templates, so that the longest ones fit into an answer.
const PAGE: u64 = 40;

/// Serves TemplateService.
#[derive(Debug)]
pub(crate) struct TemplateGrpc {
    app: Templates,
}

impl TemplateGrpc {
    pub(crate) fn new(app: Templates) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl TemplateService for TemplateGrpc {
    async fn save_template(
        &self,
        request: Request<pb::SaveTemplateRequest>,
    ) -> Result<Response<pb::Template>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        self.app.authorize(&caller, Permission::TemplateWrite)?;
        let template = convert::template(request.template.clone())?;
        let once = (&*request.request_id, &request);
        let saved = self
            .app
            .save(
                &caller,
                template,
                request.after_version,
                once,
                convert::template_of,
            )
            .await?;
        Ok(Response::new(saved))
    }

    async fn get_template(
        &self,
        request: Request<pb::GetTemplateRequest>,
    ) -> Result<Response<pb::Template>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        self.app.authorize(&caller, Permission::TemplateRead)?;
        let id = convert::template_id("name", &request.name)?;
        let version = convert::template_version(request.version)?;
        let template = self.app.template(&id, version).await?;
        Ok(Response::new(convert::template_of(template)))
    }

    async fn list_templates(
        &self,
        request: Request<pb::ListTemplatesRequest>,
    ) -> Result<Response<pb::ListTemplatesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        self.app.authorize(&caller, Permission::TemplateRead)?;
        let size = page::size(request.page_size)?.min(PAGE);
        let binding = ["templates"];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.list(&after.unwrap_or_default(), size + 1).await?;
        let next_page_token =
            super::cut(&mut found, size, &binding, |last| last.template.id.clone());
        let templates = found.into_iter().map(convert::template_of).collect();
        Ok(Response::new(pb::ListTemplatesResponse {
            templates,
            next_page_token,
        }))
    }

    async fn list_template_versions(
        &self,
        request: Request<pb::ListTemplateVersionsRequest>,
    ) -> Result<Response<pb::ListTemplateVersionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        self.app.authorize(&caller, Permission::TemplateRead)?;
        let id = convert::template_id("parent", &request.parent)?;
        let size = page::size(request.page_size)?.min(PAGE);
        let binding = [&*request.parent, "versions"];
        let before: Option<i32> = page::after(&request.page_token, &binding)?;
        let before = before.unwrap_or(i32::MAX);
        let mut found = self.app.versions(&id, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.version);
        let templates = found.into_iter().map(convert::template_of).collect();
        Ok(Response::new(pb::ListTemplateVersionsResponse {
            templates,
            next_page_token,
        }))
    }

    async fn preview_template(
        &self,
        request: Request<pb::PreviewTemplateRequest>,
    ) -> Result<Response<pb::PreviewTemplateResponse>, Status> {
        let caller = caller(&request)?;
        self.app.authorize(&caller, Permission::TemplateRead)?;
        let (source, values) = convert::preview(request.into_inner())?;
        let texts = self.app.preview(source, values).await?;
        let texts = texts.into_iter().map(convert::rendered).collect();
        Ok(Response::new(pb::PreviewTemplateResponse { texts }))
    }
}
