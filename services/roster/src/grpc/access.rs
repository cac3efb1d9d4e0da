//! AccessApprovalService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, from_timestamp};
use kit::page;
use kit::status::Problem;
use proto::roster::access_approval_service_server::AccessApprovalService;
use proto::roster::{
    AccessApproval, ApproveAccessRequest, GetAccessApprovalRequest, ListAccessApprovalsRequest,
    ListAccessApprovalsResponse, ListAccessUsesRequest, ListAccessUsesResponse,
    RejectAccessRequest, RequestAccessRequest, RevokeAccessRequest, UseAccessRequest,
    UseAccessResponse, WithdrawAccessRequest,
};
use tonic::{Request, Response, Status};

use super::access_convert::{self as access, named};
use super::convert;
use super::destruction_parse::reason;
use super::organization::act;
use crate::app::App;
use crate::app::access::{Asked, Move, Showing};
use crate::domain::access::{MinorData, Step};

/// Serves approvals of access to data of minors.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl AccessApprovalService for Api {
    async fn get_access_approval(
        &self,
        request: Request<GetAccessApprovalRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        let caller = caller(&request)?;
        let found = self
            .0
            .get_access(&caller, named("name", &request.get_ref().name)?);
        Ok(Response::new(access::approval(found.await?, self.0.now())))
    }

    async fn list_access_approvals(
        &self,
        request: Request<ListAccessApprovalsRequest>,
    ) -> Result<Response<ListAccessApprovalsResponse>, Status> {
        let caller = caller(&request)?;
        let ListAccessApprovalsRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let organization = convert::id("parent", "organizations", &parent)?;
        let size = page::size(page_size)?;
        let before: String = page::after(&page_token, &[&*parent])?.unwrap_or_default();
        let found = self.0.list_access(&caller, organization, &before, size + 1);
        let mut found = found.await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.id, &[&*parent]),
            _ => String::new(),
        };
        let now = self.0.now();
        let approvals = found.into_iter().map(|one| access::approval(one, now));
        Ok(Response::new(ListAccessApprovalsResponse {
            access_approvals: approvals.collect(),
            next_page_token,
        }))
    }

    async fn request_access(
        &self,
        request: Request<RequestAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("parent", "organizations", &request.parent)?;
        self.0.may_ask(&caller, organization).await?;
        let sent = request.access_approval.clone().unwrap_or_default();
        let asked = Asked {
            organization: organization.to_owned(),
            terms: access::terms(sent, self.0.clock.now())?,
        };
        let act = act("RequestAccess", &request.request_id, &request);
        let asked = self.0.request_access(&caller, asked, act).await?;
        Ok(Response::new(asked))
    }

    async fn approve_access(
        &self,
        request: Request<ApproveAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        let end = match request.expire_time {
            None => None,
            Some(sent) => {
                let end = from_timestamp(sent).map(|end| end.timestamp_millis());
                let wrong = || Problem::invalid("expire_time", "不是有效的时间", "not an instant");
                Some(end.ok_or_else(wrong)?)
            }
        };
        let act = act("ApproveAccess", &request.request_id, &request);
        let approve = Permission::AccessApprove;
        let step = Move::Approve(end);
        let moved = self.0.step_access(&caller, approve, named, step, act);
        Ok(Response::new(moved.await?))
    }

    async fn reject_access(
        &self,
        request: Request<RejectAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        self.0.may_decide(&caller, &named).await?;
        let step = Move::Other(Step::Rejected {
            reason: reason("reason", &request.reason)?,
        });
        let act = act("RejectAccess", &request.request_id, &request);
        let approve = Permission::AccessApprove;
        let moved = self.0.step_access(&caller, approve, named, step, act);
        Ok(Response::new(moved.await?))
    }

    async fn withdraw_access(
        &self,
        request: Request<WithdrawAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        let step = Move::Other(Step::Withdrawn);
        let act = act("WithdrawAccess", &request.request_id, &request);
        let ask = Permission::AccessRequest;
        let moved = self.0.step_access(&caller, ask, named, step, act);
        Ok(Response::new(moved.await?))
    }

    async fn revoke_access(
        &self,
        request: Request<RevokeAccessRequest>,
    ) -> Result<Response<AccessApproval>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        self.0.may_decide(&caller, &named).await?;
        let step = Move::Other(Step::Revoked {
            reason: reason("reason", &request.reason)?,
        });
        let act = act("RevokeAccess", &request.request_id, &request);
        let approve = Permission::AccessApprove;
        let moved = self.0.step_access(&caller, approve, named, step, act);
        Ok(Response::new(moved.await?))
    }

    async fn use_access(
        &self,
        request: Request<UseAccessRequest>,
    ) -> Result<Response<UseAccessResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("parent", "organizations", &request.parent)?;
        let at = self.0.may_ask(&caller, organization).await?;
        let mut fields = Fields::new();
        let data = access::data(&mut fields, "data", request.data);
        let person = access::person(&mut fields, &request.person);
        let method = access::method(&mut fields, &request.method);
        fields.finish()?;
        let showing = Showing {
            data: data.unwrap_or(MinorData::Register),
            person,
            organization,
            place: &at.org_path,
            method: &method,
        };
        let act = act("UseAccess", &request.request_id, &request);
        let used = self.0.use_access(&caller, showing, act).await?;
        Ok(Response::new(used))
    }

    async fn list_access_uses(
        &self,
        request: Request<ListAccessUsesRequest>,
    ) -> Result<Response<ListAccessUsesResponse>, Status> {
        let caller = caller(&request)?;
        let ListAccessUsesRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let of = named("parent", &parent)?;
        let size = page::size(page_size)?;
        let after: i32 = page::after(&page_token, &[&*parent])?.unwrap_or_default();
        let found = self.0.list_access_uses(&caller, of, after, size + 1);
        let mut found = found.await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.number, &[&*parent]),
            _ => String::new(),
        };
        Ok(Response::new(ListAccessUsesResponse {
            access_uses: found.into_iter().map(access::one_use).collect(),
            next_page_token,
        }))
    }
}
