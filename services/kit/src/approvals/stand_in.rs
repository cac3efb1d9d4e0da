//! The approvals of a roster that can be down, for tests of what asks it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::error::ErrorReason;
use proto::roster::access_approval_service_server::{
    AccessApprovalService, AccessApprovalServiceServer,
};
use proto::roster::{
    AccessApproval, ApproveAccessRequest, GetAccessApprovalRequest, ListAccessApprovalsRequest,
    ListAccessApprovalsResponse, ListAccessUsesRequest, ListAccessUsesResponse,
    RejectAccessRequest, RequestAccessRequest, RevokeAccessRequest, UseAccessRequest,
    UseAccessResponse, WithdrawAccessRequest,
};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::auth::PURPOSE;
use crate::deadline;
use crate::stand_in::{self, lock, unasked};
use crate::status::Problem;

/// What a roster answers about an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An approval covers it.
    Approved,
    /// No approval covers it.
    NotApproved,
    /// The caller may not ask about it.
    BeyondScope,
}

/// Approvals of a roster that can be down: it then refuses every call. It has never heard of an
/// organisation of which nothing was said. Clones share what was said and heard.
#[derive(Clone, Debug, Default)]
pub struct StandIn {
    /// Whether it is down.
    pub down: Arc<AtomicBool>,
    /// What it answers, by the name of the organisation.
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    /// Every use that it was asked for, with the purpose of the call.
    heard: Arc<Mutex<Vec<(UseAccessRequest, String)>>>,
    /// How long whoever asked for each of them waits.
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl StandIn {
    /// Answers `answer` about `organization` from now on, format `organizations/{organization}`.
    pub fn say(&self, organization: &str, answer: Answer) {
        lock(&self.answers).insert(organization.to_owned(), answer);
    }

    /// Every use that it was asked for while it was not down, with the purpose of the call, in order.
    pub fn heard(&self) -> Vec<(UseAccessRequest, String)> {
        lock(&self.heard).clone()
    }

    /// How long whoever asked for each use waits, where they said it, in order.
    pub fn waits(&self) -> Vec<Duration> {
        lock(&self.waits).clone()
    }

    /// Itself as a service.
    pub fn service(&self) -> AccessApprovalServiceServer<Self> {
        AccessApprovalServiceServer::new(self.clone())
    }

    /// Answers at a port of its own, whose address it returns, as long as the process lives.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn serve(&self) -> std::io::Result<String> {
        stand_in::serve(Routes::new(self.service())).await
    }
}

#[tonic::async_trait]
impl AccessApprovalService for StandIn {
    async fn use_access(
        &self,
        request: Request<UseAccessRequest>,
    ) -> Result<Response<UseAccessResponse>, Status> {
        stand_in::up(&self.down)?;
        stand_in::signed(&request)?;
        let purpose = request.metadata().get(PURPOSE);
        let purpose = purpose.and_then(|value| value.to_str().ok());
        let purpose = purpose.unwrap_or_default().to_owned();
        let wait = deadline::read(&request.metadata().clone().into_headers());
        lock(&self.waits).extend(wait);
        let message = request.into_inner();
        let answer = lock(&self.answers).get(&message.parent).copied();
        let name = message.parent.clone();
        lock(&self.heard).push((message, purpose));
        let problem = match answer {
            Some(Answer::Approved) => {
                return Ok(Response::new(UseAccessResponse {
                    access_approval: format!("{name}/accessApprovals/1"),
                    expire_time: None,
                }));
            }
            Some(Answer::NotApproved) => Problem::new(ErrorReason::AccessNotApproved),
            Some(Answer::BeyondScope) => Problem::new(ErrorReason::ScopeDenied),
            None => Problem::not_found(name),
        };
        Err(problem.into())
    }

    async fn get_access_approval(
        &self,
        _: Request<GetAccessApprovalRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        unasked()
    }

    async fn list_access_approvals(
        &self,
        _: Request<ListAccessApprovalsRequest>,
    ) -> Result<Response<ListAccessApprovalsResponse>, Status> {
        unasked()
    }

    async fn request_access(
        &self,
        _: Request<RequestAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        unasked()
    }

    async fn approve_access(
        &self,
        _: Request<ApproveAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        unasked()
    }

    async fn reject_access(
        &self,
        _: Request<RejectAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        unasked()
    }

    async fn withdraw_access(
        &self,
        _: Request<WithdrawAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        unasked()
    }

    async fn revoke_access(
        &self,
        _: Request<RevokeAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        unasked()
    }

    async fn list_access_uses(
        &self,
        _: Request<ListAccessUsesRequest>,
    ) -> Result<Response<ListAccessUsesResponse>, Status> {
        unasked()
    }
}
