//! HoldService.

use kit::auth::{Caller, Permission, caller};
use kit::field::Fields;
use kit::page;
use proto::sampling::hold_service_server::HoldService;
use proto::sampling::{
    GetHoldRequest, Hold, HoldEvent, ListHoldEventsRequest, ListHoldEventsResponse,
    ListHoldsRequest, ListHoldsResponse, ListRecheckOrdersRequest, ListRecheckOrdersResponse,
    RecheckOrder, ReleaseHoldRequest, recheck_order,
};
use tonic::{Request, Response, Status};

use super::tube::cut;
use super::{convert, tube_convert};
use crate::app::App;
use crate::domain::laboratory_result::Value;
use crate::domain::tube::is_code;
use crate::error::Error;
use crate::store::holds::{HoldEventRow, HoldRow, RecheckRow};
use crate::store::tubes::{Lock, SwabRow};

/// Serves holds.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

fn code(fields: &mut Fields, field: &str, name: &str) -> String {
    match name.strip_prefix("holds/") {
        Some(code) if is_code(code) => code.to_owned(),
        _ => {
            fields.violation(field, "应为 holds/{编号}", "must be holds/{hold}");
            String::new()
        }
    }
}

impl Api {
    async fn readable(&self, caller: &Caller, field: &str, name: &str) -> Result<HoldRow, Status> {
        caller.allowed(Permission::HoldRead)?;
        let mut fields = Fields::new();
        let code = code(&mut fields, field, name);
        fields.finish()?;
        let hold = HoldRow::find(self.0.db.read(), "tube", vec![code.into()], Lock::No)
            .await
            .map_err(Error::from)?
            .pop();
        App::check_path(
            caller,
            Permission::HoldRead,
            hold.as_ref().map_or("", |hold| &hold.org_path),
        )?;
        Ok(hold.ok_or_else(|| Error::NotFound(name.to_owned()))?)
    }

    async fn with_members(&self, rows: &[HoldRow]) -> Result<Vec<Hold>, Error> {
        let codes = rows.iter().map(|row| row.tube.as_str().into()).collect();
        let swabs = SwabRow::find(self.0.db.read(), "tube", codes, Lock::No).await?;
        let of = |tube: &str| -> Vec<SwabRow> {
            swabs
                .iter()
                .filter(|swab| swab.tube == tube)
                .cloned()
                .collect()
        };
        Ok(rows
            .iter()
            .map(|row| tube_convert::hold(row, &of(&row.tube)))
            .collect())
    }
}

#[tonic::async_trait]
impl HoldService for Api {
    async fn get_hold(&self, request: Request<GetHoldRequest>) -> Result<Response<Hold>, Status> {
        let caller = caller(&request)?;
        let row = self
            .readable(&caller, "name", &request.get_ref().name)
            .await?;
        let hold = self.with_members(&[row]).await?.pop().unwrap_or_default();
        Ok(Response::new(hold))
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
        let place = self.0.place(&caller, Permission::HoldRead, id).await?;
        let mut wheres =
            "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND tube > $4".to_owned();
        if active {
            wheres.push_str(" AND state = 1");
        }
        let values = vec![
            place.as_str().into(),
            format!("{place}/").into(),
            place.below_end().into(),
            after.into(),
        ];
        let mut rows = HoldRow::page(self.0.db.read(), &wheres, values, limit + 1)
            .await
            .map_err(Error::from)?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.tube, &binding));
        Ok(Response::new(ListHoldsResponse {
            holds: self.with_members(&rows).await?,
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
        let code = code(&mut fields, "name", &request.name);
        fields.required("reason", &request.reason);
        fields.text("reason", &request.reason, 200);
        fields.required("decided_by", &request.decided_by);
        fields.text("decided_by", &request.decided_by, 64);
        fields.finish()?;
        Ok(Response::new(
            self.0.release_hold(&caller, &code, &request).await?,
        ))
    }

    async fn list_recheck_orders(
        &self,
        request: Request<ListRecheckOrdersRequest>,
    ) -> Result<Response<ListRecheckOrdersResponse>, Status> {
        let caller = caller(&request)?;
        // A tube has at most twenty people: one page.
        let ListRecheckOrdersRequest {
            hold,
            page_size,
            page_token: _,
        } = request.into_inner();
        page::size(page_size)?;
        let row = self.readable(&caller, "hold", &hold).await?;
        let rows = RecheckRow::find(self.0.db.read(), "hold", vec![row.tube.into()], Lock::No)
            .await
            .map_err(Error::from)?;
        let order = |row: RecheckRow| {
            let state = match Value::from_code(row.result) {
                Some(Value::Negative) => recheck_order::State::Negative,
                Some(Value::Suspect | Value::Positive) => recheck_order::State::Positive,
                Some(Value::Invalid) | None => recheck_order::State::Pending,
            };
            RecheckOrder {
                person: tube_convert::member(row.kind, &row.person),
                tube: if row.tube.is_empty() {
                    String::new()
                } else {
                    format!("tubes/{}", row.tube)
                },
                state: state.into(),
                due_time: tube_convert::instant(row.due_time),
            }
        };
        Ok(Response::new(ListRecheckOrdersResponse {
            recheck_orders: rows.into_iter().map(order).collect(),
            next_page_token: String::new(),
        }))
    }

    async fn list_hold_events(
        &self,
        request: Request<ListHoldEventsRequest>,
    ) -> Result<Response<ListHoldEventsResponse>, Status> {
        let caller = caller(&request)?;
        let ListHoldEventsRequest {
            hold,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [hold.as_str()];
        let after: i64 = page::after(&page_token, &binding)?.unwrap_or_default();
        let row = self.readable(&caller, "hold", &hold).await?;
        let values = vec![row.tube.into(), after.into()];
        let mut rows = HoldEventRow::page(
            self.0.db.read(),
            "hold = $1 AND sequence > $2",
            values,
            limit + 1,
        )
        .await
        .map_err(Error::from)?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        let events = rows.into_iter().map(|row| HoldEvent {
            sequence: i32::try_from(row.sequence).unwrap_or(i32::MAX),
            event_time: tube_convert::instant(row.time),
            kind: row.kind,
            person: row.person,
            actor: row.actor,
            reason: row.reason,
        });
        Ok(Response::new(ListHoldEventsResponse {
            hold_events: events.collect(),
            next_page_token,
        }))
    }
}
