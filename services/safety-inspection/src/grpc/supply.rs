//! SupplyService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use proto::safety as pb;
use proto::safety::supply_service_server::SupplyService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::{self, supply};
use crate::app::Site;
use crate::app::supplies::Supplies;
use crate::domain::supply::item::Catalogue;
use crate::domain::supply::transfer::Verb;
use crate::error::Error;

/// A page of alerts or transfers has at most as many: each brings its lots or its history.
const MOST: u64 = 200;

/// Serves SupplyService.
#[derive(Debug)]
pub(crate) struct SupplyGrpc {
    app: Supplies,
}

impl SupplyGrpc {
    pub(crate) fn new(app: Supplies) -> Self {
        Self { app }
    }

    async fn read(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        self.app.site(caller, Permission::SupplyRead, id).await
    }
}

#[tonic::async_trait]
impl SupplyService for SupplyGrpc {
    async fn list_supply_items(
        &self,
        request: Request<pb::ListSupplyItemsRequest>,
    ) -> Result<Response<pb::ListSupplyItemsResponse>, Status> {
        caller(&request)?.allowed(Permission::SupplyRead)?;
        let request = request.into_inner();
        let size = page::size(request.page_size)?;
        let after: Option<String> = page::after(&request.page_token, &[])?;
        let after = after.unwrap_or_default();
        let items = Catalogue::shipped().items.iter();
        let mut found: Vec<_> = items.filter(|item| item.code > after).collect();
        let next_page_token = super::cut(&mut found, size, &[], |last| last.code.clone());
        Ok(Response::new(pb::ListSupplyItemsResponse {
            supply_items: found.into_iter().map(supply::written_item).collect(),
            next_page_token,
        }))
    }

    async fn record_supply_movement(
        &self,
        request: Request<pb::RecordSupplyMovementRequest>,
    ) -> Result<Response<pb::RecordSupplyMovementResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.app.site(&caller, Permission::SupplyWrite, &id).await?;
        let movement = supply::movement(&request)?;
        let once = (&*request.request_id, &request);
        let answer = self
            .app
            .record(&caller, &site, movement, once, |rows, level| {
                pb::RecordSupplyMovementResponse {
                    supply_movements: rows.into_iter().map(supply::entered).collect(),
                    level: Some(supply::level(&level)),
                }
            });
        Ok(Response::new(answer.await?))
    }

    async fn list_supply_movements(
        &self,
        request: Request<pb::ListSupplyMovementsRequest>,
    ) -> Result<Response<pb::ListSupplyMovementsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let item = if request.item.is_empty() {
            ""
        } else {
            &supply::wanted("item", &request.item)?.code
        };
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent, &*request.item];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.movements(&site, item, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.id);
        Ok(Response::new(pb::ListSupplyMovementsResponse {
            supply_movements: found.into_iter().map(supply::entered).collect(),
            next_page_token,
        }))
    }

    async fn get_supply_stock(
        &self,
        request: Request<pb::GetSupplyStockRequest>,
    ) -> Result<Response<pb::SupplyStock>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let id = convert::singleton("name", "supplyStock", &name)?;
        let site = self.read(&caller, &id).await?;
        let stock = self.app.stock(&site).await?;
        Ok(Response::new(supply::stock(name, &stock)))
    }

    async fn list_supply_alerts(
        &self,
        request: Request<pb::ListSupplyAlertsRequest>,
    ) -> Result<Response<pb::ListSupplyAlertsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let size = page::size(request.page_size)?.min(MOST);
        let binding = [&*request.parent];
        let after: Option<(i32, String)> = page::after(&request.page_token, &binding)?;
        let (since, stock) = after.unwrap_or((i32::MIN, String::new()));
        let mut found = self.app.to_attend(&site, (since, &stock), size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| {
            (last.row.attention, last.row.stock.clone())
        });
        // What the register has changed since the last entry may have set right.
        found.retain(|attended| !attended.level.level.alerts.is_empty());
        Ok(Response::new(pb::ListSupplyAlertsResponse {
            supply_alerts: found.iter().map(supply::alert).collect(),
            next_page_token,
        }))
    }

    async fn preview_supply_transfers(
        &self,
        request: Request<pb::PreviewSupplyTransfersRequest>,
    ) -> Result<Response<pb::PreviewSupplyTransfersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let item = supply::wanted("item", &request.item)?;
        let advice = self.app.advice(&site, item).await?;
        Ok(Response::new(supply::advice(advice)))
    }

    async fn send_supply_transfer(
        &self,
        request: Request<pb::SendSupplyTransferRequest>,
    ) -> Result<Response<pb::SupplyTransfer>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.app.site(&caller, Permission::SupplyWrite, &id).await?;
        let sending = supply::sending(&request)?;
        let once = (&*request.request_id, &request);
        let answer = self
            .app
            .send(&caller, &site, sending, once, supply::transfer);
        Ok(Response::new(answer.await?))
    }

    async fn receive_supply_transfer(
        &self,
        request: Request<pb::ReceiveSupplyTransferRequest>,
    ) -> Result<Response<pb::SupplyTransfer>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (giver, id) = convert::child("name", "supplyTransfers", &request.name)?;
        let (named, once) = ((&*giver, id), (&*request.request_id, &request));
        let verb = Verb::Receive;
        let answer = self
            .app
            .settle(&caller, named, verb, once, supply::transfer);
        Ok(Response::new(answer.await?))
    }

    async fn cancel_supply_transfer(
        &self,
        request: Request<pb::CancelSupplyTransferRequest>,
    ) -> Result<Response<pb::SupplyTransfer>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (giver, id) = convert::child("name", "supplyTransfers", &request.name)?;
        let (named, once) = ((&*giver, id), (&*request.request_id, &request));
        let verb = Verb::Cancel;
        let answer = self
            .app
            .settle(&caller, named, verb, once, supply::transfer);
        Ok(Response::new(answer.await?))
    }

    async fn get_supply_transfer(
        &self,
        request: Request<pb::GetSupplyTransferRequest>,
    ) -> Result<Response<pb::SupplyTransfer>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let (giver, id) = convert::child("name", "supplyTransfers", &name)?;
        let sent = self.app.transfer(&caller, (&giver, id)).await?;
        Ok(Response::new(supply::transfer(sent)))
    }

    async fn list_supply_transfers(
        &self,
        request: Request<pb::ListSupplyTransfersRequest>,
    ) -> Result<Response<pb::ListSupplyTransfersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let size = page::size(request.page_size)?.min(MOST);
        let binding = [&*request.parent, &*request.under_way.to_string()];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let under_way = request.under_way;
        let mut found = self
            .app
            .transfers(&site, under_way, before, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.row.id);
        Ok(Response::new(pb::ListSupplyTransfersResponse {
            supply_transfers: found.into_iter().map(supply::transfer).collect(),
            next_page_token,
        }))
    }
}
