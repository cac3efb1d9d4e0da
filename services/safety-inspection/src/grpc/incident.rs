//! IncidentService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use proto::safety::incident_service_server::IncidentService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use super::convert::incident as read;
use crate::app::Site;
use crate::app::incidents::{Change, Incidents};

/// Serves IncidentService.
#[derive(Debug)]
pub(crate) struct Incident {
    incidents: Incidents,
}

/// A change that answers with the incident.
macro_rules! change {
    ($self:ident, $request:ident, $method:literal, $permission:ident, $read:path) => {{
        let caller = caller(&$request)?;
        let request = $request.into_inner();
        let once = ($method, &*request.request_id, &request);
        let said = || $read(&request);
        let permission = Permission::$permission;
        let at = (&caller, permission, &*request.name);
        $self.change(at, said, once).await
    }};
}

impl Incident {
    pub(crate) fn new(incidents: Incidents) -> Self {
        Self { incidents }
    }

    /// The site and id of an incident, when the caller may do `permission` there.
    async fn named(
        &self,
        caller: &Caller,
        permission: Permission,
        (field, name): (&'static str, &str),
    ) -> Result<(Site, Uuid), Status> {
        let (organization, id) = read::incident_name(field, name)?;
        let site = self.incidents.site(caller, permission, &organization);
        Ok((site.await?, id))
    }

    async fn change<M: Message>(
        &self,
        (caller, permission, name): (&Caller, Permission, &str),
        said: impl FnOnce() -> Result<(Change, String), Problem>,
        once: (&'static str, &str, &M),
    ) -> Result<Response<pb::Incident>, Status> {
        let (site, id) = self.named(caller, permission, ("name", name)).await?;
        let (change, reason) = said()?;
        let render = |told, ()| read::incident(told);
        let answer = self
            .incidents
            .change((caller, &site), id, (change, &reason), once, render)
            .await?;
        Ok(Response::new(answer))
    }
}

/// Cuts what was found to a page of `size`, and says with which key the next one begins.
fn cut<T, K: serde::Serialize>(
    found: &mut Vec<T>,
    size: u64,
    binding: &[&str],
    key: impl Fn(&T) -> K,
) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    match found.last() {
        Some(last) if more => page::next(&key(last), binding),
        _ => String::new(),
    }
}

#[tonic::async_trait]
impl IncidentService for Incident {
    async fn create_incident(
        &self,
        request: Request<pb::CreateIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::IncidentDetect;
        let site = self.incidents.site(&caller, permission, &organization);
        let site = site.await?;
        let noticed = read::noticed(&request, self.incidents.now())?;
        let once = ("CreateIncident", &*request.request_id, &request);
        let render = |told, ()| read::incident(told);
        let answer = self
            .incidents
            .detect((&caller, &site), noticed, once, render)
            .await?;
        Ok(Response::new(answer))
    }

    async fn get_incident(
        &self,
        request: Request<pb::GetIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let caller = caller(&request)?;
        let name = ("name", &*request.get_ref().name);
        let (site, id) = self.named(&caller, Permission::IncidentRead, name).await?;
        let told = self.incidents.get(&caller, &site, id).await?;
        Ok(Response::new(read::incident(told)))
    }

    async fn list_incidents(
        &self,
        request: Request<pb::ListIncidentsRequest>,
    ) -> Result<Response<pb::ListIncidentsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let permission = Permission::IncidentRead;
        let site = self.incidents.site(&caller, permission, &organization);
        let site = site.await?;
        let now = self.incidents.now();
        let filter = read::filter(&request, now)?;
        let size = page::size(request.page_size)?;
        let asked = format!(
            "{:?} {:?} {:?} {}",
            request.states, request.levels, request.categories, request.overdue
        );
        let binding = [&*request.parent, &*asked];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let page = (before, size + 1);
        let mut found = self.incidents.list(&caller, &site, filter, page).await?;
        let next_page_token = cut(&mut found, size, &binding, |(incident, _)| incident.id);
        let incidents = found.into_iter().map(|found| read::listed(found, now));
        Ok(Response::new(pb::ListIncidentsResponse {
            incidents: incidents.collect(),
            next_page_token,
        }))
    }

    async fn get_incident_counts(
        &self,
        request: Request<pb::GetIncidentCountsRequest>,
    ) -> Result<Response<pb::IncidentCounts>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let parent = request.name.strip_suffix("/incidentCounts");
        let organization = convert::organization("name", parent.unwrap_or_default())?;
        let permission = Permission::IncidentRead;
        let site = self.incidents.site(&caller, permission, &organization);
        let site = site.await?;
        let span = read::counts(&request)?;
        let told = self.incidents.counts(&site, span).await?;
        Ok(Response::new(read::counted(request.name, told)))
    }

    async fn write_incident_report(
        &self,
        request: Request<pb::WriteIncidentReportRequest>,
    ) -> Result<Response<pb::IncidentReport>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("incident", &*request.incident);
        let permission = Permission::IncidentHandle;
        let (site, id) = self.named(&caller, permission, name).await?;
        let draft = read::report(&request)?;
        let once = ("WriteIncidentReport", &*request.request_id, &request);
        let answer = self
            .incidents
            .report((&caller, &site), id, draft, once, read::written)
            .await?;
        Ok(Response::new(answer))
    }

    async fn list_incident_reports(
        &self,
        request: Request<pb::ListIncidentReportsRequest>,
    ) -> Result<Response<pb::ListIncidentReportsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let parent = ("parent", &*request.parent);
        let permission = Permission::IncidentRead;
        let (site, id) = self.named(&caller, permission, parent).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let after: Option<i32> = page::after(&request.page_token, &binding)?;
        let page = (after.unwrap_or_default(), size + 1);
        let mut found = self.incidents.reports((&caller, &site), id, page).await?;
        let next_page_token = cut(&mut found, size, &binding, |row| row.sequence);
        let reports = found.iter().map(|row| read::written(&request.parent, row));
        Ok(Response::new(pb::ListIncidentReportsResponse {
            incident_reports: reports.collect(),
            next_page_token,
        }))
    }

    async fn confirm_incident(
        &self,
        request: Request<pb::ConfirmIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "ConfirmIncident",
            IncidentVerify,
            read::confirm
        )
    }

    async fn make_incident_confidential(
        &self,
        request: Request<pb::MakeIncidentConfidentialRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "MakeIncidentConfidential",
            IncidentHandle,
            read::make_confidential
        )
    }

    async fn respond_incident(
        &self,
        request: Request<pb::RespondIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "RespondIncident",
            IncidentHandle,
            read::respond
        )
    }

    async fn control_incident(
        &self,
        request: Request<pb::ControlIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "ControlIncident",
            IncidentHandle,
            read::control
        )
    }

    async fn dismiss_incident(
        &self,
        request: Request<pb::DismissIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "DismissIncident",
            IncidentVerify,
            read::dismiss
        )
    }

    async fn relevel_incident(
        &self,
        request: Request<pb::RelevelIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "RelevelIncident",
            IncidentVerify,
            read::relevel
        )
    }

    async fn supplement_casualties(
        &self,
        request: Request<pb::SupplementCasualtiesRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(
            self,
            request,
            "SupplementCasualties",
            IncidentHandle,
            read::supplement
        )
    }

    async fn close_incident(
        &self,
        request: Request<pb::CloseIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        change!(self, request, "CloseIncident", IncidentVerify, read::close)
    }

    async fn acknowledge_incident(
        &self,
        request: Request<pb::AcknowledgeIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", &*request.name);
        let permission = Permission::IncidentReceive;
        let (site, id) = self.named(&caller, permission, name).await?;
        let receipt = read::receipt(&request)?;
        let once = ("AcknowledgeIncident", &*request.request_id, &request);
        let render = |told, ()| read::incident(told);
        let answer = self
            .incidents
            .acknowledge((&caller, &site), id, receipt, once, render)
            .await?;
        Ok(Response::new(answer))
    }

    async fn record_incident_notice(
        &self,
        request: Request<pb::RecordIncidentNoticeRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", &*request.name);
        let permission = Permission::IncidentHandle;
        let (site, id) = self.named(&caller, permission, name).await?;
        let (told, reference) = read::notice(&request)?;
        let once = ("RecordIncidentNotice", &*request.request_id, &request);
        let render = |told, ()| read::incident(told);
        let answer = self
            .incidents
            .note((&caller, &site), id, (told, &reference), once, render)
            .await?;
        Ok(Response::new(answer))
    }

    async fn review_incident(
        &self,
        request: Request<pb::ReviewIncidentRequest>,
    ) -> Result<Response<pb::Incident>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = ("name", &*request.name);
        let permission = Permission::IncidentReview;
        let (site, id) = self.named(&caller, permission, name).await?;
        let findings = read::review(&request)?;
        let once = ("ReviewIncident", &*request.request_id, &request);
        let render = |told, ()| read::incident(told);
        let answer = self
            .incidents
            .review((&caller, &site), id, findings, once, render)
            .await?;
        Ok(Response::new(answer))
    }

    async fn list_incident_events(
        &self,
        request: Request<pb::ListIncidentEventsRequest>,
    ) -> Result<Response<pb::ListIncidentEventsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let parent = ("parent", &*request.parent);
        let permission = Permission::IncidentRead;
        let (site, id) = self.named(&caller, permission, parent).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent, "events"];
        let after: Option<i32> = page::after(&request.page_token, &binding)?;
        let page = (after.unwrap_or_default(), size + 1);
        let mut found = self.incidents.events((&caller, &site), id, page).await?;
        let next_page_token = cut(&mut found, size, &binding, |row| row.sequence);
        Ok(Response::new(pb::ListIncidentEventsResponse {
            incident_events: found.into_iter().map(read::event).collect(),
            next_page_token,
        }))
    }
}
