//! HoldService.

use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::hold_service_server::HoldService;
use proto::sampling::{
    GetHoldRequest, Hold, ListHoldEventsRequest, ListHoldEventsResponse, ListHoldsRequest,
    ListHoldsResponse, ListRecheckOrdersRequest, ListRecheckOrdersResponse, ReleaseHoldRequest,
};
use tonic::{Request, Response, Status};

use super::convert::{self, cut};
use super::tube_convert;
use crate::app::App;
use crate::error::Error;

/// Serves holds.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

/// The code in the field of a request that has no other to check.
fn code(field: &str, name: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let code = convert::hold(&mut fields, field, name);
    fields.finish()?;
    code.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}

impl Api {
    /// Whether the caller may release the hold of this code. That there is none is found wrong with the
    /// request.
    async fn may_release(&self, caller: &Caller, code: &str) -> Result<(), Error> {
        if code.is_empty() {
            return Ok(());
        }
        let release = Permission::HoldRelease;
        self.0.readable_hold(caller, release, code).await.map(drop)
    }
}

#[tonic::async_trait]
impl HoldService for Api {
    async fn get_hold(&self, request: Request<GetHoldRequest>) -> Result<Response<Hold>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HoldRead)?;
        let code = code("name", &request.get_ref().name)?;
        Ok(Response::new(self.0.get_hold(&caller, &code).await?))
    }

    async fn list_holds(
        &self,
        request: Request<ListHoldsRequest>,
    ) -> Result<Response<ListHoldsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HoldRead)?;
        let ListHoldsRequest {
            organization,
            active,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [organization.as_str(), &active.to_string()];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let id = convert::organization(&mut fields, "organization", &organization);
        fields.finish()?;
        let mut rows = self
            .0
            .list_holds(&caller, id, active, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.tube, &binding));
        Ok(Response::new(ListHoldsResponse {
            holds: self.0.with_members(&rows).await?,
            next_page_token,
        }))
    }

    async fn release_hold(
        &self,
        request: Request<ReleaseHoldRequest>,
    ) -> Result<Response<Hold>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HoldRelease)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let code = convert::hold(&mut fields, "name", &request.name).unwrap_or_default();
        fields.required("reason", &request.reason);
        fields.text("reason", &request.reason, 200);
        fields.required("decided_by", &request.decided_by);
        fields.text("decided_by", &request.decided_by, 64);
        let may = self.may_release(&caller, &code);
        read_or_denied(fields.finish(), may).await?;
        Ok(Response::new(
            self.0.release_hold(&caller, &code, &request).await?,
        ))
    }

    async fn list_recheck_orders(
        &self,
        request: Request<ListRecheckOrdersRequest>,
    ) -> Result<Response<ListRecheckOrdersResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HoldRead)?;
        let ListRecheckOrdersRequest {
            hold,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [hold.as_str()];
        let after: Vec<u8> = page::after(&page_token, &binding)?.unwrap_or_default();
        let code = code("hold", &hold)?;
        let mut rows = self.0.list_orders(&caller, &code, after, limit + 1).await?;
        let next_page_token = cut(&mut rows, limit, |row| {
            page::next(&row.order.person, &binding)
        });
        Ok(Response::new(ListRecheckOrdersResponse {
            recheck_orders: rows.into_iter().map(tube_convert::order).collect(),
            next_page_token,
        }))
    }

    async fn list_hold_events(
        &self,
        request: Request<ListHoldEventsRequest>,
    ) -> Result<Response<ListHoldEventsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::HoldRead)?;
        let ListHoldEventsRequest {
            hold,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [hold.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let code = code("hold", &hold)?;
        let mut rows = self
            .0
            .list_hold_events(&caller, &code, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListHoldEventsResponse {
            hold_events: rows.into_iter().map(tube_convert::hold_event).collect(),
            next_page_token,
        }))
    }
}
