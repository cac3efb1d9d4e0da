//! ImportService.

use futures_util::StreamExt;
use kit::auth::caller;
use kit::field::Fields;
use kit::status::Problem;
use kit::{org, page};
use proto::roster::import_job::Mode;
use proto::roster::import_service_server::ImportService;
use proto::roster::{
    CommitImportJobRequest, CreateImportJobRequest, DiscardImportJobRequest, GetImportJobRequest,
    ImportJob, ImportRequest, ImportResponse, ListImportJobsRequest, ListImportJobsResponse,
    ListImportVerdictsRequest, ListImportVerdictsResponse, PlanImportJobRequest,
    RollBackImportJobRequest,
};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::organization::act;
use super::{convert, import_convert};
use crate::app::App;
use crate::app::import::{Draft, Outcome};

/// The share of people that may vanish unasked, unless the job says otherwise.
const VANISH_THRESHOLD: f64 = 0.05;

/// Serves imports.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

fn job(field: &str, name: &str) -> Result<Uuid, Problem> {
    convert::uuid(field, "importJobs", name)
}

#[tonic::async_trait]
impl ImportService for Api {
    async fn create_import_job(
        &self,
        request: Request<CreateImportJobRequest>,
    ) -> Result<Response<ImportJob>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("organization", "organizations", &request.organization)?;
        let mut fields = Fields::new();
        if !org::is_id(&request.source) {
            let (zh, en) = (
                "应为 1 到 32 个小写字母、数字或连字符",
                "must be 1 to 32 of a-z, 0-9 and -",
            );
            fields.violation("source", zh, en);
        }
        let mode: Option<Mode> = fields.enumeration("mode", request.mode);
        let threshold = request.vanish_threshold.unwrap_or(VANISH_THRESHOLD);
        let vanish_threshold = fields.within("vanish_threshold", threshold, 0.0..=1.0);
        fields.finish()?;
        let draft = Draft {
            organization: organization.to_owned(),
            source: request.source.clone(),
            bulk: mode == Some(Mode::Bulk),
            vanish_threshold,
        };
        let act = act("CreateImportJob", &request.request_id, &request);
        Ok(Response::new(
            self.0.create_import_job(&caller, draft, act).await?,
        ))
    }

    async fn import(
        &self,
        request: Request<Streaming<ImportRequest>>,
    ) -> Result<Response<ImportResponse>, Status> {
        let caller = caller(&request)?;
        let mut messages = request.into_inner();
        let Some(first) = messages.next().await.transpose()? else {
            return Err(Problem::invalid("name", "必填", "required").into());
        };
        let id = job("name", &first.name)?;
        let Outcome {
            durable_row,
            accepted,
            rejected,
            verdicts,
        } = self.0.import(&caller, id, first, messages).await?;
        let verdicts = verdicts.into_iter().map(|one| {
            import_convert::verdict(one.row, one.kind, one.field, one.reason, one.rejected)
        });
        Ok(Response::new(ImportResponse {
            durable_row,
            accepted_count: accepted,
            rejected_count: rejected,
            verdicts: verdicts.collect(),
        }))
    }

    async fn plan_import_job(
        &self,
        request: Request<PlanImportJobRequest>,
    ) -> Result<Response<ImportJob>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = job("name", &request.name)?;
        let act = act("PlanImportJob", &request.request_id, &request);
        Ok(Response::new(
            self.0.plan_import_job(&caller, id, act).await?,
        ))
    }

    async fn commit_import_job(
        &self,
        request: Request<CommitImportJobRequest>,
    ) -> Result<Response<ImportJob>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = job("name", &request.name)?;
        let act = act("CommitImportJob", &request.request_id, &request);
        let allowed = request.allow_vanishing;
        Ok(Response::new(
            self.0.commit_import_job(&caller, id, allowed, act).await?,
        ))
    }

    async fn roll_back_import_job(
        &self,
        request: Request<RollBackImportJobRequest>,
    ) -> Result<Response<ImportJob>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = job("name", &request.name)?;
        let act = act("RollBackImportJob", &request.request_id, &request);
        Ok(Response::new(
            self.0.roll_back_import_job(&caller, id, act).await?,
        ))
    }

    async fn discard_import_job(
        &self,
        request: Request<DiscardImportJobRequest>,
    ) -> Result<Response<ImportJob>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = job("name", &request.name)?;
        let act = act("DiscardImportJob", &request.request_id, &request);
        Ok(Response::new(
            self.0.discard_import_job(&caller, id, act).await?,
        ))
    }

    async fn get_import_job(
        &self,
        request: Request<GetImportJobRequest>,
    ) -> Result<Response<ImportJob>, Status> {
        let caller = caller(&request)?;
        let id = job("name", &request.get_ref().name)?;
        let job = self.0.import_job(&caller, id).await?;
        Ok(Response::new(import_convert::job(&job)))
    }

    async fn list_import_jobs(
        &self,
        request: Request<ListImportJobsRequest>,
    ) -> Result<Response<ListImportJobsResponse>, Status> {
        let caller = caller(&request)?;
        let ListImportJobsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let before = page::after(&page_token, &["importJobs"])?.unwrap_or(i64::MAX);
        let mut found = self.0.list_import_jobs(&caller, before, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.number, &["importJobs"]),
            _ => String::new(),
        };
        let import_jobs = found.iter().map(import_convert::job).collect();
        Ok(Response::new(ListImportJobsResponse {
            import_jobs,
            next_page_token,
        }))
    }

    async fn list_import_verdicts(
        &self,
        request: Request<ListImportVerdictsRequest>,
    ) -> Result<Response<ListImportVerdictsResponse>, Status> {
        let caller = caller(&request)?;
        let ListImportVerdictsRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let id = job("parent", &parent)?;
        let size = page::size(page_size)?;
        let after = page::after(&page_token, &[&parent])?.unwrap_or((0, -1));
        let mut found = self
            .0
            .list_import_verdicts(&caller, id, after, size + 1)
            .await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&(last.row, last.place), &[&parent]),
            _ => String::new(),
        };
        let verdicts = found.into_iter().map(|one| {
            import_convert::verdict(one.row, one.kind, &one.field, one.reason, one.rejected)
        });
        let verdicts = verdicts.collect();
        Ok(Response::new(ListImportVerdictsResponse {
            verdicts,
            next_page_token,
        }))
    }
}
