//! DestructionService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::roster::destruction_service_server::DestructionService;
use proto::roster::{
    ApproveDestructionRequest, AssessDestructionRequest, CertifyDestructionRequest,
    ConfirmDestructionRequest, DestructionCertificate, DestructionJob,
    GetDestructionCertificateRequest, GetDestructionJobRequest, ListDestructionJobsRequest,
    ListDestructionJobsResponse, ProposeDestructionRequest, RejectDestructionRequest,
    ReportDestructionRequest, ReportDestructionResponse, RunDestructionRequest,
    WithdrawDestructionRequest,
};
use tonic::{Request, Response, Status};

use super::convert;
use super::destruction_convert;
use super::destruction_parse::{self, reason};
use super::organization::act;
use crate::app::destruction::permission;
use crate::app::{Act, App};
use crate::domain::destruction::Step;

/// Serves destruction jobs.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

/// The id in the name of a job.
fn job(name: &str) -> Result<String, Problem> {
    let id = convert::uuid("name", "destructionJobs", name)?;
    Ok(id.hyphenated().to_string())
}

impl Api {
    /// One step of a job by a caller who was asked for a permission already.
    async fn step(
        &self,
        caller: &Caller,
        name: &str,
        step: Step,
        act: Act<'_, impl Message>,
    ) -> Result<Response<DestructionJob>, Status> {
        let id = job(name)?;
        Ok(Response::new(
            self.0.step_destruction(caller, &id, step, act).await?,
        ))
    }

    /// The caller of a request, who may do `permission` for the whole city.
    async fn allowed<T>(
        &self,
        request: &Request<T>,
        permission: Permission,
    ) -> Result<Caller, Status> {
        let caller = caller(request)?;
        self.0.city(&caller, permission).await?;
        Ok(caller)
    }

    /// Checks that the caller is one of the two who approve or reject.
    async fn may_approve(&self, caller: &Caller) -> Result<(), Status> {
        let approves = self.0.city(caller, Permission::DestructionApprove).await;
        if approves.is_err() {
            self.0.city(caller, Permission::DestructionSecure).await?;
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl DestructionService for Api {
    async fn get_destruction_job(
        &self,
        request: Request<GetDestructionJobRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = caller(&request)?;
        let id = job(&request.get_ref().name)?;
        let found = self.0.get_destruction(&caller, &id).await?;
        Ok(Response::new(destruction_convert::job(found)))
    }

    async fn list_destruction_jobs(
        &self,
        request: Request<ListDestructionJobsRequest>,
    ) -> Result<Response<ListDestructionJobsResponse>, Status> {
        let caller = caller(&request)?;
        let ListDestructionJobsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = page::size(page_size)?;
        let before: String = page::after(&page_token, &[])?.unwrap_or_default();
        let mut found = self.0.list_destructions(&caller, &before, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.id, &[]),
            _ => String::new(),
        };
        Ok(Response::new(ListDestructionJobsResponse {
            destruction_jobs: found.into_iter().map(destruction_convert::job).collect(),
            next_page_token,
        }))
    }

    async fn propose_destruction(
        &self,
        request: Request<ProposeDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = self
            .allowed(&request, Permission::DestructionPropose)
            .await?;
        let request = request.into_inner();
        let id = convert::uuid("emergency", "emergencies", &request.emergency)?;
        let id = id.hyphenated().to_string();
        let why = reason("reason", &request.reason)?;
        let act = act("ProposeDestruction", &request.request_id, &request);
        Ok(Response::new(
            self.0.propose_destruction(&caller, &id, why, act).await?,
        ))
    }

    async fn assess_destruction(
        &self,
        request: Request<AssessDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = self
            .allowed(&request, Permission::DestructionPropose)
            .await?;
        let request = request.into_inner();
        let step = Step::Assessed {
            keeps: destruction_parse::keeps(&request.keeps)?,
            statement: reason("statement", &request.statement)?,
        };
        let act = act("AssessDestruction", &request.request_id, &request);
        self.step(&caller, &request.name, step, act).await
    }

    async fn approve_destruction(
        &self,
        request: Request<ApproveDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = caller(&request)?;
        self.may_approve(&caller).await?;
        let request = request.into_inner();
        let capacity = destruction_parse::capacity(request.capacity)?;
        self.0.city(&caller, permission(capacity)).await?;
        let act = act("ApproveDestruction", &request.request_id, &request);
        self.step(&caller, &request.name, Step::Approved { capacity }, act)
            .await
    }

    async fn reject_destruction(
        &self,
        request: Request<RejectDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = caller(&request)?;
        self.may_approve(&caller).await?;
        let request = request.into_inner();
        let step = Step::Rejected {
            reason: reason("reason", &request.reason)?,
        };
        let act = act("RejectDestruction", &request.request_id, &request);
        self.step(&caller, &request.name, step, act).await
    }

    async fn withdraw_destruction(
        &self,
        request: Request<WithdrawDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = self
            .allowed(&request, Permission::DestructionPropose)
            .await?;
        let request = request.into_inner();
        let step = Step::Withdrawn {
            reason: reason("reason", &request.reason)?,
        };
        let act = act("WithdrawDestruction", &request.request_id, &request);
        self.step(&caller, &request.name, step, act).await
    }

    async fn run_destruction(
        &self,
        request: Request<RunDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = self.allowed(&request, Permission::DestructionRun).await?;
        let request = request.into_inner();
        let act = act("RunDestruction", &request.request_id, &request);
        self.step(&caller, &request.name, Step::Started, act).await
    }

    async fn report_destruction(
        &self,
        request: Request<ReportDestructionRequest>,
    ) -> Result<Response<ReportDestructionResponse>, Status> {
        let caller = self
            .allowed(&request, Permission::DestructionReport)
            .await?;
        let request = request.into_inner();
        let id = job(&request.name)?;
        let report = destruction_parse::received(request.report.clone())?;
        let act = act("ReportDestruction", &request.request_id, &request);
        let step = Step::Reported { report };
        Ok(Response::new(
            self.0.report_destruction(&caller, &id, step, act).await?,
        ))
    }

    async fn confirm_destruction(
        &self,
        request: Request<ConfirmDestructionRequest>,
    ) -> Result<Response<DestructionJob>, Status> {
        let caller = self
            .allowed(&request, Permission::DestructionCertify)
            .await?;
        let request = request.into_inner();
        let step = Step::Confirmed {
            checks: destruction_parse::backup_checks(&request.backup_checks)?,
            statement: reason("statement", &request.statement)?,
        };
        let act = act("ConfirmDestruction", &request.request_id, &request);
        self.step(&caller, &request.name, step, act).await
    }

    async fn certify_destruction(
        &self,
        request: Request<CertifyDestructionRequest>,
    ) -> Result<Response<DestructionCertificate>, Status> {
        let caller = self
            .allowed(&request, Permission::DestructionCertify)
            .await?;
        let request = request.into_inner();
        let id = job(&request.name)?;
        let act = act("CertifyDestruction", &request.request_id, &request);
        Ok(Response::new(
            self.0.certify_destruction(&caller, &id, act).await?,
        ))
    }

    async fn get_destruction_certificate(
        &self,
        request: Request<GetDestructionCertificateRequest>,
    ) -> Result<Response<DestructionCertificate>, Status> {
        let caller = caller(&request)?;
        let name = &request.get_ref().name;
        let of = name.strip_suffix("/certificate").unwrap_or_default();
        let id = job(of)?;
        Ok(Response::new(self.0.get_certificate(&caller, &id).await?))
    }
}
