//! DutyService.

mod lists;

use kit::auth::{Caller, Permission, caller};
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use proto::safety::duty_service_server::DutyService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::duty as convert;
use crate::app::Site;
use crate::app::duty::{Act, Draft, Duty, ROSTERS, SHIFTS, SWAPS};
use crate::domain::duty::{ShiftStep, SwapStep, covered};

/// Who may do one of these at a place needs to call there: the telephone is told in full (rule 5.31).
const CALLERS: [Permission; 3] = [
    Permission::DutyWrite,
    Permission::DutyAttend,
    Permission::DutyCheck,
];

/// What of a telephone a caller is told at a place.
fn told(caller: &Caller, site: &Site) -> impl Fn(&mut String) {
    let mut permissions = CALLERS.into_iter();
    let calls = permissions.any(|permission| caller.require(permission, &site.path).is_ok());
    move |phone: &mut String| {
        if !calls {
            *phone = covered(phone);
        }
    }
}

/// Serves DutyService.
#[derive(Debug)]
pub(crate) struct DutyGrpc {
    app: Duty,
}

impl DutyGrpc {
    pub(crate) fn new(app: Duty) -> Self {
        Self { app }
    }

    /// The organisation and the id in a name, when the caller may do `permission` there.
    async fn named(
        &self,
        caller: &Caller,
        permission: Permission,
        (field, collection, name): (&'static str, &str, &str),
    ) -> Result<(Site, Uuid), Status> {
        let (organization, id) = convert::child(field, collection, name)?;
        let site = self.app.site(caller, permission, &organization).await?;
        Ok((site, id))
    }

    /// The organisation of a request, when the caller may do `permission` there.
    async fn parent(
        &self,
        caller: &Caller,
        permission: Permission,
        parent: &str,
    ) -> Result<Site, Status> {
        let organization = convert::organization("parent", parent)?;
        Ok(self.app.site(caller, permission, &organization).await?)
    }

    async fn act<A: Message>(
        &self,
        caller: &Caller,
        (name, request_id, request): (&str, &str, &A),
        (method, step): (&'static str, ShiftStep),
        read: impl FnOnce() -> Result<Act, Problem> + Send,
    ) -> Result<Response<pb::DutyShift>, Status> {
        let permission = Act::permission(step);
        let (site, id) = self
            .named(caller, permission, ("name", SHIFTS, name))
            .await?;
        let once = (method, (request_id, request));
        let acted = self
            .app
            .act(caller, (&site, id), read()?, once, convert::shift);
        Ok(Response::new(acted.await?))
    }
}

#[tonic::async_trait]
impl DutyService for DutyGrpc {
    async fn get_duty_template(
        &self,
        request: Request<pb::GetDutyTemplateRequest>,
    ) -> Result<Response<pb::DutyTemplate>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::singleton("name", "dutyTemplate", &request.name)?;
        let permission = Permission::DutyRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let day = convert::day("date", request.date)?;
        let template = self.app.template(&site, day).await?;
        Ok(Response::new(convert::template(template)))
    }

    async fn create_duty_roster(
        &self,
        request: Request<pb::CreateDutyRosterRequest>,
    ) -> Result<Response<pb::DutyRoster>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let site = self
            .parent(&caller, Permission::DutyWrite, &request.parent)
            .await?;
        let sent = request.duty_roster.clone().unwrap_or_default();
        let (span, shifts) = convert::shifts(&sent)?;
        let draft = Draft::Shifts(span, shifts);
        let once = ("CreateDutyRoster", (&*request.request_id, &request));
        let roster = self.app.draft(&caller, &site, draft, once, convert::roster);
        Ok(Response::new(roster.await?))
    }

    async fn generate_duty_roster(
        &self,
        request: Request<pb::GenerateDutyRosterRequest>,
    ) -> Result<Response<pb::DutyRoster>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let site = self
            .parent(&caller, Permission::DutyWrite, &request.parent)
            .await?;
        let draft = convert::generated(&request)?;
        let once = ("GenerateDutyRoster", (&*request.request_id, &request));
        let roster = self.app.draft(&caller, &site, draft, once, convert::roster);
        Ok(Response::new(roster.await?))
    }

    async fn update_duty_roster(
        &self,
        request: Request<pb::UpdateDutyRosterRequest>,
    ) -> Result<Response<pb::DutyRoster>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sent = request.duty_roster.clone().unwrap_or_default();
        let name = ("duty_roster.name", ROSTERS, &*sent.name);
        let (site, id) = self.named(&caller, Permission::DutyWrite, name).await?;
        let shifts = convert::shifts(&sent)?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let roster = app.update(&caller, (&site, id), shifts, once, convert::roster);
        Ok(Response::new(roster.await?))
    }

    async fn get_duty_roster(
        &self,
        request: Request<pb::GetDutyRosterRequest>,
    ) -> Result<Response<pb::DutyRoster>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", ROSTERS, &*request.name);
        let (site, id) = self.named(&caller, Permission::DutyRead, name).await?;
        let mut roster = convert::roster(self.app.roster(&site, id).await?);
        let phones = roster.shifts.iter_mut().map(|shift| &mut shift.phone);
        phones.for_each(told(&caller, &site));
        Ok(Response::new(roster))
    }

    async fn list_duty_rosters(
        &self,
        request: Request<pb::ListDutyRostersRequest>,
    ) -> Result<Response<pb::ListDutyRostersResponse>, Status> {
        self.rosters(request).await
    }

    async fn publish_duty_roster(
        &self,
        request: Request<pb::PublishDutyRosterRequest>,
    ) -> Result<Response<pb::DutyRoster>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", ROSTERS, &*request.name);
        let (site, id) = self.named(&caller, Permission::DutyApprove, name).await?;
        let once = (&*request.request_id, &request);
        let roster = self
            .app
            .publish(&caller, (&site, id), once, convert::roster);
        Ok(Response::new(roster.await?))
    }

    async fn get_duty_shift(
        &self,
        request: Request<pb::GetDutyShiftRequest>,
    ) -> Result<Response<pb::DutyShift>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", SHIFTS, &*request.name);
        let (site, id) = self.named(&caller, Permission::DutyRead, name).await?;
        let mut shift = convert::shift(self.app.shift(&site, id).await?);
        told(&caller, &site)(&mut shift.phone);
        Ok(Response::new(shift))
    }

    async fn list_duty_shifts(
        &self,
        request: Request<pb::ListDutyShiftsRequest>,
    ) -> Result<Response<pb::ListDutyShiftsResponse>, Status> {
        self.shifts(request).await
    }

    async fn check_in_duty_shift(
        &self,
        request: Request<pb::CheckInDutyShiftRequest>,
    ) -> Result<Response<pb::DutyShift>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let by = ("CheckInDutyShift", ShiftStep::CheckIn);
        let once = (&*request.name, &*request.request_id, &request);
        self.act(&caller, once, by, || Ok(Act::CheckIn)).await
    }

    async fn write_handover(
        &self,
        request: Request<pb::WriteHandoverRequest>,
    ) -> Result<Response<pb::DutyShift>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let by = ("WriteHandover", ShiftStep::WriteHandover);
        let once = (&*request.name, &*request.request_id, &request);
        let read = || Ok(Act::WriteHandover(convert::note(&request)?));
        self.act(&caller, once, by, read).await
    }

    async fn take_over_duty_shift(
        &self,
        request: Request<pb::TakeOverDutyShiftRequest>,
    ) -> Result<Response<pb::DutyShift>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let by = ("TakeOverDutyShift", ShiftStep::TakeOver);
        let once = (&*request.name, &*request.request_id, &request);
        self.act(&caller, once, by, || Ok(Act::TakeOver)).await
    }

    async fn replace_duty_shift(
        &self,
        request: Request<pb::ReplaceDutyShiftRequest>,
    ) -> Result<Response<pb::DutyShift>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let by = ("ReplaceDutyShift", ShiftStep::Replace);
        let once = (&*request.name, &*request.request_id, &request);
        let read = || {
            let (leader, staff, reason) = convert::stand_ins(&request)?;
            Ok(Act::Replace(leader, staff, reason))
        };
        self.act(&caller, once, by, read).await
    }

    async fn request_duty_swap(
        &self,
        request: Request<pb::RequestDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("shift", SHIFTS, &*request.shift);
        let (site, id) = self.named(&caller, Permission::DutyWrite, name).await?;
        let swap = convert::swap_of(&request)?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let swap = app.request_swap(&caller, (&site, id), swap, once, convert::swap);
        Ok(Response::new(swap.await?))
    }

    async fn decide_duty_swap(
        &self,
        request: Request<pb::DecideDutySwapRequest>,
    ) -> Result<Response<pb::DutySwap>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", SWAPS, &*request.name);
        let (site, id) = self.named(&caller, Permission::DutyApprove, name).await?;
        let step = if request.approved {
            SwapStep::Approve
        } else {
            SwapStep::Refuse
        };
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let swap = app.decide_swap(&caller, (&site, id), step, once, convert::swap);
        Ok(Response::new(swap.await?))
    }

    async fn list_duty_swaps(
        &self,
        request: Request<pb::ListDutySwapsRequest>,
    ) -> Result<Response<pb::ListDutySwapsResponse>, Status> {
        self.swaps(request).await
    }

    async fn record_spot_check(
        &self,
        request: Request<pb::RecordSpotCheckRequest>,
    ) -> Result<Response<pb::SpotCheck>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("shift", SHIFTS, &*request.shift);
        let (site, id) = self.named(&caller, Permission::DutyCheck, name).await?;
        let result = convert::result(request.result)?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let check = app.spot_check(&caller, (&site, id), result, once, convert::spot_check);
        Ok(Response::new(check.await?))
    }

    async fn list_spot_checks(
        &self,
        request: Request<pb::ListSpotChecksRequest>,
    ) -> Result<Response<pb::ListSpotChecksResponse>, Status> {
        self.spot_checks(request).await
    }

    async fn record_patrol(
        &self,
        request: Request<pb::RecordPatrolRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("shift", SHIFTS, &*request.shift);
        let (site, id) = self.named(&caller, Permission::DutyAttend, name).await?;
        let point = convert::point(&request.point)?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let patrol = app.patrol(&caller, (&site, id), point, once, convert::patrol);
        Ok(Response::new(patrol.await?))
    }

    async fn get_patrol_day(
        &self,
        request: Request<pb::GetPatrolDayRequest>,
    ) -> Result<Response<pb::PatrolDay>, Status> {
        let caller = caller(&request)?;
        let (organization, day) = convert::patrol_day(&request.into_inner().name)?;
        let permission = Permission::DutyRead;
        let site = self.app.site(&caller, permission, &organization).await?;
        let day = self.app.patrol_day(&site, day).await?;
        Ok(Response::new(convert::patrolled(day)))
    }

    async fn list_duty_standings(
        &self,
        request: Request<pb::ListDutyStandingsRequest>,
    ) -> Result<Response<pb::ListDutyStandingsResponse>, Status> {
        self.standings(request).await
    }
}
