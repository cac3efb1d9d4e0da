//! InspectionPlanService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use prost::Message;
use proto::safety as pb;
use proto::safety::inspection_plan_service_server::InspectionPlanService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::inspection as convert;
use crate::app::Site;
use crate::app::inspections::Inspections;
use crate::domain::inspection::campaign::{TargetState, Verb};

/// Over how many days what is due is asked at once.
const DUE_DAYS: i64 = 31;
/// Over how many days coverage is asked.
const COVERAGE_DAYS: i64 = 366;
const CAMPAIGNS: &str = "inspectionCampaigns";

/// Serves InspectionPlanService.
#[derive(Debug)]
pub(crate) struct InspectionPlanGrpc {
    app: Inspections,
}

impl InspectionPlanGrpc {
    pub(crate) fn new(app: Inspections) -> Self {
        Self { app }
    }

    async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        parent: &str,
    ) -> Result<Site, Status> {
        let id = convert::organization("parent", parent)?;
        Ok(self.app.site(caller, permission, &id).await?)
    }

    async fn campaign(
        &self,
        caller: &Caller,
        permission: Permission,
        (field, name): (&'static str, &str),
    ) -> Result<(Site, Uuid), Status> {
        let (organization, id) = convert::child(field, CAMPAIGNS, name)?;
        Ok((self.app.site(caller, permission, &organization).await?, id))
    }

    async fn end(
        &self,
        caller: &Caller,
        name: &str,
        verb: (Verb, &'static str),
        once: (&str, &impl Message),
    ) -> Result<Response<pb::InspectionCampaign>, Status> {
        let permission = Permission::InspectionCampaignWrite;
        let (site, id) = self.campaign(caller, permission, ("name", name)).await?;
        let at = (&site, id);
        let ended = self
            .app
            .end_campaign(caller, at, verb, once, convert::campaign);
        Ok(Response::new(ended.await?))
    }
}

#[tonic::async_trait]
impl InspectionPlanService for InspectionPlanGrpc {
    async fn create_inspection_place(
        &self,
        request: Request<pb::CreateInspectionPlaceRequest>,
    ) -> Result<Response<pb::InspectionPlace>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionPlanWrite;
        let site = self.site(&caller, permission, &request.parent).await?;
        let wish = convert::wish(request.inspection_place.as_ref())?;
        let once = (&*request.request_id, &request);
        let entered = self
            .app
            .enter_place(&caller, &site, wish, once, convert::place);
        Ok(Response::new(entered.await?))
    }

    async fn close_inspection_place(
        &self,
        request: Request<pb::CloseInspectionPlaceRequest>,
    ) -> Result<Response<pb::InspectionPlace>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "inspectionPlaces", &request.name)?;
        let permission = Permission::InspectionPlanWrite;
        let site = self.app.site(&caller, permission, &organization).await?;
        let once = (&*request.request_id, &request);
        let at = (&site, id);
        let closed = self.app.close_place(&caller, at, once, convert::place);
        Ok(Response::new(closed.await?))
    }

    async fn list_inspection_places(
        &self,
        request: Request<pb::ListInspectionPlacesRequest>,
    ) -> Result<Response<pb::ListInspectionPlacesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionRead;
        let site = self.site(&caller, permission, &request.parent).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.places(&site, after, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.id);
        Ok(Response::new(pb::ListInspectionPlacesResponse {
            inspection_places: found.into_iter().map(convert::place).collect(),
            next_page_token,
        }))
    }

    async fn create_inspection_schedule(
        &self,
        request: Request<pb::CreateInspectionScheduleRequest>,
    ) -> Result<Response<pb::InspectionSchedule>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionPlanWrite;
        let site = self.site(&caller, permission, &request.parent).await?;
        let timetable = convert::timetable(request.inspection_schedule.as_ref())?;
        let once = (&*request.request_id, &request);
        let entered = self
            .app
            .enter_schedule(&caller, &site, timetable, once, convert::schedule);
        Ok(Response::new(entered.await?))
    }

    async fn end_inspection_schedule(
        &self,
        request: Request<pb::EndInspectionScheduleRequest>,
    ) -> Result<Response<pb::InspectionSchedule>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::schedule_id("name", &request.name)?;
        let once = (&*request.request_id, &request);
        let end = |today| convert::end_day(request.end_date, today);
        let ended = self
            .app
            .end_schedule(&caller, id, end, once, convert::schedule);
        Ok(Response::new(ended.await?))
    }

    async fn list_inspection_schedules(
        &self,
        request: Request<pb::ListInspectionSchedulesRequest>,
    ) -> Result<Response<pb::ListInspectionSchedulesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionRead;
        let site = self.site(&caller, permission, &request.parent).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let mut found = self.app.schedules(&site, &after, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.id.clone());
        Ok(Response::new(pb::ListInspectionSchedulesResponse {
            inspection_schedules: found.into_iter().map(convert::schedule).collect(),
            next_page_token,
        }))
    }

    async fn list_due_inspections(
        &self,
        request: Request<pb::ListDueInspectionsRequest>,
    ) -> Result<Response<pb::ListDueInspectionsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionRead;
        let site = self.site(&caller, permission, &request.parent).await?;
        let ends = (request.start_date, request.end_date);
        let days = convert::days(ends, DUE_DAYS, None)?;
        let size = page::size(request.page_size)?;
        let outstanding = request.outstanding_only;
        let (range, only) = (format!("{days:?}"), outstanding.to_string());
        let binding = [&*request.parent, &*range, &*only];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let part = (&*after.unwrap_or_default(), size);
        let (due, last) = self.app.due(&site, days, outstanding, part).await?;
        let today = self.app.today();
        Ok(Response::new(pb::ListDueInspectionsResponse {
            due_inspections: due
                .into_iter()
                .map(|due| convert::due(due, today))
                .collect(),
            next_page_token: last.map_or_else(String::new, |last| page::next(&last, &binding)),
        }))
    }

    async fn list_inspection_coverage(
        &self,
        request: Request<pb::ListInspectionCoverageRequest>,
    ) -> Result<Response<pb::ListInspectionCoverageResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionRead;
        let site = self.site(&caller, permission, &request.parent).await?;
        let ends = (request.start_date, request.end_date);
        let days = convert::days(ends, COVERAGE_DAYS, Some(self.app.today()))?;
        let size = page::size(request.page_size)?;
        let range = format!("{days:?}");
        let binding = [&*request.parent, &*range];
        let after: Option<usize> = page::after(&request.page_token, &binding)?;
        let skip = after.unwrap_or(0);
        let (covered, total) = self.app.coverage(&site, days).await?;
        let limit = usize::try_from(size).unwrap_or(usize::MAX);
        let end = skip.saturating_add(limit);
        let next_page_token = if covered.len() > end {
            page::next(&end, &binding)
        } else {
            String::new()
        };
        let coverage = covered.into_iter().skip(skip).take(limit);
        Ok(Response::new(pb::ListInspectionCoverageResponse {
            coverage: coverage.map(convert::coverage).collect(),
            total: Some(convert::coverage(total)),
            next_page_token,
        }))
    }

    async fn create_inspection_campaign(
        &self,
        request: Request<pb::CreateInspectionCampaignRequest>,
    ) -> Result<Response<pb::InspectionCampaign>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionCampaignWrite;
        let site = self.site(&caller, permission, &request.parent).await?;
        let call = convert::call(request.inspection_campaign.as_ref(), self.app.today())?;
        let once = (&*request.request_id, &request);
        let called = self
            .app
            .call_campaign(&caller, &site, call, once, convert::campaign);
        Ok(Response::new(called.await?))
    }

    async fn get_inspection_campaign(
        &self,
        request: Request<pb::GetInspectionCampaignRequest>,
    ) -> Result<Response<pb::InspectionCampaign>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", &*request.name);
        let permission = Permission::InspectionRead;
        let (site, id) = self.campaign(&caller, permission, name).await?;
        let standing = self.app.campaign(&site, id).await?;
        Ok(Response::new(convert::campaign(standing)))
    }

    async fn list_inspection_campaigns(
        &self,
        request: Request<pb::ListInspectionCampaignsRequest>,
    ) -> Result<Response<pb::ListInspectionCampaignsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::InspectionRead;
        let site = self.site(&caller, permission, &request.parent).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.campaigns(&site, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.campaign.id);
        Ok(Response::new(pb::ListInspectionCampaignsResponse {
            inspection_campaigns: found.into_iter().map(convert::campaign).collect(),
            next_page_token,
        }))
    }

    async fn close_inspection_campaign(
        &self,
        request: Request<pb::CloseInspectionCampaignRequest>,
    ) -> Result<Response<pb::InspectionCampaign>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Close, "CloseInspectionCampaign");
        self.end(&caller, &request.name, verb, once).await
    }

    async fn cancel_inspection_campaign(
        &self,
        request: Request<pb::CancelInspectionCampaignRequest>,
    ) -> Result<Response<pb::InspectionCampaign>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let verb = (Verb::Cancel, "CancelInspectionCampaign");
        self.end(&caller, &request.name, verb, once).await
    }

    async fn list_campaign_progress(
        &self,
        request: Request<pb::ListCampaignProgressRequest>,
    ) -> Result<Response<pb::ListCampaignProgressResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("parent", &*request.parent);
        let permission = Permission::InspectionRead;
        let (site, id) = self.campaign(&caller, permission, name).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<String> = page::after(&request.page_token, &binding)?;
        let after = after.unwrap_or_default();
        let (mut found, over) = self.app.progress((&site, id), &after, size + 1).await?;
        let next_page_token =
            super::cut(&mut found, size, &binding, |last| last.organization.clone());
        let progress = found.into_iter().map(|one| convert::progress(one, over));
        Ok(Response::new(pb::ListCampaignProgressResponse {
            progress: progress.collect(),
            next_page_token,
        }))
    }

    async fn list_campaign_targets(
        &self,
        request: Request<pb::ListCampaignTargetsRequest>,
    ) -> Result<Response<pb::ListCampaignTargetsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("parent", CAMPAIGNS, &request.parent)?;
        let at = (&*organization, id);
        self.app.within_reach(&caller, &organization).await?;
        let state = convert::filter("state", request.state, TargetState::from_number)?;
        let size = page::size(request.page_size)?;
        let wanted = request.state.to_string();
        let binding = [&*request.parent, &*wanted];
        let after: Option<(String, i16, String)> = page::after(&request.page_token, &binding)?;
        let listed = (state, after);
        let mut found = self.app.targets(&caller, at, listed, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |(last, _)| {
            (last.org_path.clone(), last.kind as i16, last.place.clone())
        });
        Ok(Response::new(pb::ListCampaignTargetsResponse {
            targets: found.into_iter().map(convert::target).collect(),
            next_page_token,
        }))
    }
}
