//! Lists of the duty watch.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use proto::safety as pb;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{DutyGrpc, convert, told};
use crate::app::Site;
use crate::domain::duty::{RosterState, ShiftState, Standing, SwapState};
use crate::grpc::cut;

/// A page of who is on duty is one page of the tree at most.
const STANDINGS: u64 = 500;

/// A request of a list over the tree: whose, how many, and after which token.
struct Listed<'a> {
    parent: &'a str,
    only: i32,
    page_size: i32,
    page_token: &'a str,
}

/// What such a request amounts to.
struct Asked {
    site: Site,
    size: u64,
    before: Option<Uuid>,
    only: String,
}

macro_rules! listed {
    ($request:ident, $only:ident) => {
        Listed {
            parent: &$request.parent,
            only: $request.$only,
            page_size: $request.page_size,
            page_token: &$request.page_token,
        }
    };
}

impl DutyGrpc {
    async fn asked(&self, caller: &Caller, list: &Listed<'_>) -> Result<Asked, Status> {
        let site = self
            .parent(caller, Permission::DutyRead, list.parent)
            .await?;
        Ok(asked(site, list)?)
    }

    pub(super) async fn rosters(
        &self,
        request: Request<pb::ListDutyRostersRequest>,
    ) -> Result<Response<pb::ListDutyRostersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let asked = self.asked(&caller, &listed!(request, state)).await?;
        let state = convert::only("state", request.state, RosterState::from_number)?;
        let page = (asked.before, asked.size + 1);
        let mut found = self.app.rosters(&asked.site, state, page).await?;
        let binding = [&*request.parent, &*asked.only];
        let next_page_token = cut(&mut found, asked.size, &binding, |one| one.record.id);
        Ok(Response::new(pb::ListDutyRostersResponse {
            duty_rosters: found.into_iter().map(convert::listed_roster).collect(),
            next_page_token,
        }))
    }

    pub(super) async fn shifts(
        &self,
        request: Request<pb::ListDutyShiftsRequest>,
    ) -> Result<Response<pb::ListDutyShiftsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let asked = self.asked(&caller, &listed!(request, state)).await?;
        let state = convert::only("state", request.state, ShiftState::from_number)?;
        let page = (asked.before, asked.size + 1);
        let mut found = self.app.shifts(&asked.site, state, page).await?;
        let binding = [&*request.parent, &*asked.only];
        let next_page_token = cut(&mut found, asked.size, &binding, |one| one.record.id);
        let mut duty_shifts: Vec<_> = found.into_iter().map(convert::shift).collect();
        let phones = duty_shifts.iter_mut().map(|shift| &mut shift.phone);
        phones.for_each(told(&caller, &asked.site));
        Ok(Response::new(pb::ListDutyShiftsResponse {
            duty_shifts,
            next_page_token,
        }))
    }

    pub(super) async fn swaps(
        &self,
        request: Request<pb::ListDutySwapsRequest>,
    ) -> Result<Response<pb::ListDutySwapsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let asked = self.asked(&caller, &listed!(request, state)).await?;
        let state = convert::only("state", request.state, SwapState::from_number)?;
        let page = (asked.before, asked.size + 1);
        let mut found = self.app.swaps(&asked.site, state, page).await?;
        let binding = [&*request.parent, &*asked.only];
        let next_page_token = cut(&mut found, asked.size, &binding, |one| one.record.id);
        Ok(Response::new(pb::ListDutySwapsResponse {
            duty_swaps: found.into_iter().map(convert::swap).collect(),
            next_page_token,
        }))
    }

    pub(super) async fn spot_checks(
        &self,
        request: Request<pb::ListSpotChecksRequest>,
    ) -> Result<Response<pb::ListSpotChecksResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let site = self.app.public_site(&caller, &organization).await?;
        let asked = asked(site, &listed!(request, result))?;
        let result = match request.result {
            0 => None,
            number => Some(convert::result(number)?.0),
        };
        let page = (asked.before, asked.size + 1);
        let mut found = self.app.spot_checks(&asked.site, result, page).await?;
        let binding = [&*request.parent, &*asked.only];
        let next_page_token = cut(&mut found, asked.size, &binding, |one| one.id);
        Ok(Response::new(pb::ListSpotChecksResponse {
            spot_checks: found.into_iter().map(convert::spot_check).collect(),
            next_page_token,
        }))
    }

    pub(super) async fn standings(
        &self,
        request: Request<pb::ListDutyStandingsRequest>,
    ) -> Result<Response<pb::ListDutyStandingsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let site = self
            .parent(&caller, Permission::DutyRead, &request.parent)
            .await?;
        let only = convert::only("state", request.state, Standing::from_number)?;
        let size = page::size(request.page_size)?.min(STANDINGS);
        let state = request.state.to_string();
        let binding = [&*request.parent, &*state];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let mut found = self.app.standings(&site, &after, size + 1).await?;
        let next_page_token = cut(&mut found, size, &binding, |last| {
            last.organization.org_path.clone()
        });
        found.retain(|one| only.is_none_or(|only| only == one.standing));
        let mut duty_standings: Vec<_> = found.into_iter().map(convert::standing).collect();
        let phones = duty_standings.iter_mut().map(|one| &mut one.phone);
        phones.for_each(told(&caller, &site));
        Ok(Response::new(pb::ListDutyStandingsResponse {
            duty_standings,
            next_page_token,
        }))
    }
}

fn asked(site: Site, list: &Listed<'_>) -> Result<Asked, Problem> {
    let size = page::size(list.page_size)?;
    let only = list.only.to_string();
    let before = page::after(list.page_token, &[list.parent, &only])?;
    Ok(Asked {
        site,
        size,
        before,
        only,
    })
}
