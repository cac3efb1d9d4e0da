//! WarningService.

use kit::auth::{Permission, caller};
use kit::page;
use prost::Message;
use proto::notification as pb;
use proto::notification::warning_service_server::WarningService;
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::warning_exports::Written;
use crate::app::warnings::Warnings;
use crate::store::warnings::{Warning, WarningKey};

/// An answer with more than one warning has at most this many bytes.
const PAGE_BYTES: usize = 2 << 20;

/// Serves WarningService.
#[derive(Debug)]
pub(crate) struct WarningGrpc {
    app: Warnings,
}

impl WarningGrpc {
    pub(crate) fn new(app: Warnings) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl WarningService for WarningGrpc {
    async fn ingest_warning(
        &self,
        request: Request<pb::IngestWarningRequest>,
    ) -> Result<Response<pb::Warning>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let view = self.app.view(&caller, Permission::WarningWrite).await?;
        let document = convert::document(&request.document)?;
        let warning = self.app.ingest(&caller, document).await?;
        Ok(Response::new(convert::warning(warning, &view)))
    }

    async fn get_warning(
        &self,
        request: Request<pb::GetWarningRequest>,
    ) -> Result<Response<pb::Warning>, Status> {
        let caller = caller(&request)?;
        let view = self.app.view(&caller, Permission::WarningRead).await?;
        let id = convert::warning_id(&request.into_inner().name)?;
        let warning = self.app.warning(id).await?;
        Ok(Response::new(convert::warning(warning, &view)))
    }

    async fn list_warnings(
        &self,
        request: Request<pb::ListWarningsRequest>,
    ) -> Result<Response<pb::ListWarningsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let view = self.app.view(&caller, Permission::WarningRead).await?;
        let wanted = convert::warnings_wanted(&request)?;
        let size = page::size(request.page_size)?;
        let number = request.state.to_string();
        let binding = [&*number, &*request.division];
        let after: Option<WarningKey> = page::after(&request.page_token, &binding)?;
        let (found, mut more) = self.app.list(&wanted, after, size, view.now).await?;
        let keys: Vec<_> = found.iter().map(Warning::key).collect();
        let (mut warnings, mut bytes) = (Vec::with_capacity(found.len()), 0);
        for warning in found {
            let warning = convert::warning(warning, &view);
            bytes += warning.encoded_len();
            if bytes > PAGE_BYTES && !warnings.is_empty() {
                more = true;
                break;
            }
            warnings.push(warning);
        }
        let last = warnings
            .len()
            .checked_sub(1)
            .and_then(|last| keys.get(last));
        let next_page_token = match last {
            Some(last) if more => page::next(last, &binding),
            _ => String::new(),
        };
        Ok(Response::new(pb::ListWarningsResponse {
            warnings,
            next_page_token,
        }))
    }

    async fn export_warning(
        &self,
        request: Request<pb::ExportWarningRequest>,
    ) -> Result<Response<pb::ExportWarningResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("message", "messages", &request.message)?;
        let organization = self.app.sender(&caller, &organization).await?;
        let told = self.app.told(&organization, id).await?;
        let written = convert::export(&request)?;
        let once = (&*request.request_id, &request);
        let render = |written: Written| pb::ExportWarningResponse {
            document: written.document.into(),
            identifier: written.identifier,
            carrier: written.carrier.unwrap_or_default(),
        };
        let answer = self
            .app
            .export(&caller, told, written, once, render)
            .await?;
        Ok(Response::new(answer))
    }
}
