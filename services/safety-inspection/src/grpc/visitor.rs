//! VisitorService.

use kit::auth::{Permission, caller};
use kit::field::to_timestamp;
use kit::page;
use proto::safety as pb;
use proto::safety::visitor_service_server::VisitorService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::{organization, visitor as convert};
use crate::app::visitors::Visitors;

/// Serves VisitorService.
#[derive(Debug)]
pub(crate) struct Visiting {
    visitors: Visitors,
}

impl Visiting {
    pub(crate) fn new(visitors: Visitors) -> Self {
        Self { visitors }
    }

    /// A visitor as requests are compared: what identifies one is veiled.
    fn veiled(&self, visitor: &mut Option<pb::Visitor>) {
        let Some(visitor) = visitor else { return };
        for text in [
            &mut visitor.full_name,
            &mut visitor.document_number,
            &mut visitor.phone,
            &mut visitor.recent_regions,
        ] {
            *text = self.visitors.veil(text);
        }
    }
}

/// Reads the caller, the visit that the request names and, with `$permission`, whether it may be done.
macro_rules! named {
    ($self:ident, $request:ident, $permission:ident) => {{
        let caller = caller(&$request)?;
        let request = $request.into_inner();
        let name = convert::visit(&request.name)?;
        let permission = Permission::$permission;
        let named = $self.visitors.named(&caller, permission, name).await?;
        (caller, request, named)
    }};
}

/// The same for a request that names the school.
macro_rules! at_school {
    ($self:ident, $request:ident, $permission:ident) => {{
        let caller = caller(&$request)?;
        let request = $request.into_inner();
        let school = organization("parent", &request.parent)?;
        let permission = Permission::$permission;
        let site = $self.visitors.site(&caller, permission, &school).await?;
        (caller, request, site)
    }};
}

#[tonic::async_trait]
impl VisitorService for Visiting {
    async fn create_visit(
        &self,
        request: Request<pb::CreateVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, mut request, site) = at_school!(self, request, VisitRequest);
        let wish = convert::wish(request.visit.clone())?;
        if let Some(visit) = &mut request.visit {
            self.veiled(&mut visit.visitor);
        }
        let once = (&*request.request_id, &request);
        let created = self
            .visitors
            .request(&caller, &site, wish, once, convert::shown);
        Ok(Response::new(created.await?))
    }

    async fn get_visit(
        &self,
        request: Request<pb::GetVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (_, _, named) = named!(self, request, VisitRead);
        let opened = self.visitors.visit(&named).await?;
        Ok(Response::new(convert::shown(opened)))
    }

    async fn list_visits(
        &self,
        request: Request<pb::ListVisitsRequest>,
    ) -> Result<Response<pb::ListVisitsResponse>, Status> {
        let (_, request, site) = at_school!(self, request, VisitRead);
        let filter = convert::filter(&request)?;
        let size = page::size(request.page_size)?;
        let state = request.state.to_string();
        let day = filter.day.map(|day| day.to_string()).unwrap_or_default();
        let overdue = request.after_entry_overdue.to_string();
        let binding = [&*request.parent, &*state, &*day, &*request.host, &*overdue];
        let after: Option<(String, Uuid)> = page::after(&request.page_token, &binding)?;
        let visits = &self.visitors;
        let mut found = visits.visits(&site, &filter, after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&(&last.visit.org_path, last.visit.id), &binding),
            _ => String::new(),
        };
        Ok(Response::new(pb::ListVisitsResponse {
            visits: found.into_iter().map(convert::shown).collect(),
            next_page_token,
        }))
    }

    async fn confirm_visit(
        &self,
        request: Request<pb::ConfirmVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, VisitConfirm);
        let once = (&*request.request_id, &request);
        let seen = request.document_seen;
        let moved = self
            .visitors
            .confirm(&caller, &named, seen, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn approve_visit(
        &self,
        request: Request<pb::ApproveVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, VisitApprove);
        let once = (&*request.request_id, &request);
        let moved = self.visitors.approve(&caller, &named, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn refuse_visit(
        &self,
        request: Request<pb::RefuseVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, VisitConfirm);
        let why = convert::why(&request.reason)?;
        let once = (&*request.request_id, &request);
        let moved = self
            .visitors
            .refuse(&caller, &named, why, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn cancel_visit(
        &self,
        request: Request<pb::CancelVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, VisitRequest);
        let once = (&*request.request_id, &request);
        let moved = self.visitors.cancel(&caller, &named, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn get_visit_pass(
        &self,
        request: Request<pb::GetVisitPassRequest>,
    ) -> Result<Response<pb::VisitPass>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let permission = Permission::VisitRequest;
        let named = convert::pass(&name)?;
        let named = self.visitors.named(&caller, permission, named).await?;
        let (pass_code, dies) = self.visitors.pass(&named).await?;
        Ok(Response::new(pb::VisitPass {
            name,
            pass_code,
            expire_time: Some(to_timestamp(dies)),
        }))
    }

    async fn arrive_visit(
        &self,
        request: Request<pb::ArriveVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, site) = at_school!(self, request, GateCheck);
        let once = (&*request.request_id, &request);
        let code = &*request.pass_code;
        let moved = self
            .visitors
            .arrive(&caller, site, code, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn check_visit(
        &self,
        request: Request<pb::CheckVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, GateCheck);
        let seen = convert::check_of(&request)?;
        let once = (&*request.request_id, &request);
        let moved = self
            .visitors
            .check(&caller, &named, seen, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn override_visit(
        &self,
        request: Request<pb::OverrideVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, GateOverride);
        let why = convert::why(&request.reason)?;
        let once = (&*request.request_id, &request);
        let visitors = &self.visitors;
        let moved = visitors.override_check(&caller, &named, why, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn leave_visit(
        &self,
        request: Request<pb::LeaveVisitRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, named) = named!(self, request, GateCheck);
        let once = (&*request.request_id, &request);
        let count = request.companion_count;
        let moved = self
            .visitors
            .leave(&caller, &named, count, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn admit_emergency(
        &self,
        request: Request<pb::AdmitEmergencyRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, request, site) = at_school!(self, request, GateCheck);
        let crew = convert::crew(&request)?;
        let once = (&*request.request_id, &request);
        let visitors = &self.visitors;
        let admitted = visitors.admit_emergency(&caller, &site, crew, once, convert::shown);
        Ok(Response::new(admitted.await?))
    }

    async fn record_after_entry(
        &self,
        request: Request<pb::RecordAfterEntryRequest>,
    ) -> Result<Response<pb::Visit>, Status> {
        let (caller, mut request, named) = named!(self, request, GateCheck);
        let card = convert::after_entry(&request)?;
        self.veiled(&mut request.visitor);
        let once = (&*request.request_id, &request);
        let moved = self
            .visitors
            .after_entry(&caller, &named, card, once, convert::shown);
        Ok(Response::new(moved.await?))
    }

    async fn reveal_visitor(
        &self,
        request: Request<pb::RevealVisitorRequest>,
    ) -> Result<Response<pb::Visitor>, Status> {
        let (caller, request, named) = named!(self, request, VisitorReveal);
        let why = convert::why(&request.reason)?;
        let card = self.visitors.reveal(&caller, &named, &why).await?;
        Ok(Response::new(convert::visitor(card)))
    }
}
