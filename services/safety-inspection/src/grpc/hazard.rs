//! HazardService.

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use proto::safety::hazard_service_server::HazardService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::acting::Acting;
use super::convert::hazard as convert;
use super::convert::organization;
use super::{asked, cut};
use crate::app::hazards::{By, Done, Hazards, rule_book};
use crate::domain::hazard::major::RuleBook;
use crate::domain::hazard::verb::Verb;

type Answer<T> = Result<Response<T>, Status>;
type Acted = Answer<pb::Hazard>;

/// Serves HazardService.
#[derive(Debug)]
pub(crate) struct HazardGrpc {
    app: Hazards,
    book: &'static RuleBook,
}

impl HazardGrpc {
    /// Serves `app`.
    ///
    /// # Errors
    /// When the rules that ship are malformed: the text says which.
    pub(crate) fn new(app: Hazards) -> Result<Self, &'static str> {
        let book = rule_book()?;
        Ok(Self { app, book })
    }

    /// Authorises, then reads what is asked, then does it.
    async fn done<M: Acting, R: Message + Default>(
        &self,
        request: Request<M>,
        by: By,
        verb: impl FnOnce(&M) -> Result<Verb, Problem>,
        render: impl FnOnce(Done) -> R,
    ) -> Answer<R> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = convert::hazard_name("name", request.name())?;
        let (site, _) = self.app.held(&caller, named, by).await?;
        let verb = verb(&request)?;
        let once = (request.request_id(), &request);
        let whom = (named, &site, by);
        let answer = self.app.act(&caller, whom, verb, once, render).await?;
        Ok(Response::new(answer))
    }

    async fn act<M: Acting>(
        &self,
        request: Request<M>,
        by: By,
        verb: impl FnOnce(&M) -> Result<Verb, Problem>,
    ) -> Acted {
        let render = |done: Done| convert::hazard(done.view);
        self.done(request, by, verb, render).await
    }

    async fn readable(
        &self,
        caller: &Caller,
        field: &'static str,
        name: &str,
    ) -> Result<crate::domain::hazard::entry::Hazard, Status> {
        let named = convert::hazard_name(field, name)?;
        Ok(self.app.held(caller, named, By::Reader).await?.1)
    }
}

#[tonic::async_trait]
impl HazardService for HazardGrpc {
    type ExportHazardLedgerStream =
        BoxStream<'static, Result<pb::ExportHazardLedgerResponse, Status>>;

    async fn report_hazard(&self, request: Request<pb::ReportHazardRequest>) -> Acted {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = organization("parent", &request.parent)?;
        let site = self.app.reporting(&caller, &id).await?;
        let stated = convert::report(request.hazard.as_ref(), self.book, self.app.now())?;
        let once = (&*request.request_id, &request);
        let app = &self.app;
        let answer = app.report(&caller, &site, stated, once, convert::hazard);
        Ok(Response::new(answer.await?))
    }

    async fn get_hazard(&self, request: Request<pb::GetHazardRequest>) -> Acted {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let hazard = self.readable(&caller, "name", &name).await?;
        let view = self.app.view(&caller, hazard).await?;
        Ok(Response::new(convert::hazard(view)))
    }

    async fn list_hazards(
        &self,
        request: Request<pb::ListHazardsRequest>,
    ) -> Answer<pb::ListHazardsResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = organization("parent", &request.parent)?;
        let site = self.app.site(&caller, Permission::HazardRead, &id).await?;
        let size = page::size(request.page_size)?;
        let binding = asked(&request, |it| {
            (it.page_size, it.page_token) = (0, String::new());
        });
        let before: Option<Uuid> = page::after(&request.page_token, &[&*binding])?;
        let listed = convert::listed(&request, self.app.today(), before)?;
        let mut found = self.app.list(&site, listed, size + 1).await?;
        let next_page_token = cut(&mut found, size, &[&binding], |last| last.hazard.id);
        Ok(Response::new(pb::ListHazardsResponse {
            hazards: found.into_iter().map(convert::hazard).collect(),
            next_page_token,
        }))
    }

    async fn list_hazard_changes(
        &self,
        request: Request<pb::ListHazardChangesRequest>,
    ) -> Answer<pb::ListHazardChangesResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let hazard = self.readable(&caller, "parent", &request.parent).await?;
        let size = page::size(request.page_size)?;
        let after: Option<i32> = page::after(&request.page_token, &[&*request.parent])?;
        let after = after.unwrap_or_default();
        let mut found = self.app.changes(&hazard, after, size + 1).await?;
        let next_page_token = cut(&mut found, size, &[&request.parent], |last| last.sequence);
        let changes = found.into_iter();
        let changes = changes.map(|change| convert::change(&request.parent, change));
        Ok(Response::new(pb::ListHazardChangesResponse {
            changes: changes.collect(),
            next_page_token,
        }))
    }

    async fn list_hazard_progress_reports(
        &self,
        request: Request<pb::ListHazardProgressReportsRequest>,
    ) -> Answer<pb::ListHazardProgressReportsResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let hazard = self.readable(&caller, "parent", &request.parent).await?;
        let size = page::size(request.page_size)?;
        let after: Option<i32> = page::after(&request.page_token, &[&*request.parent])?;
        let after = after.unwrap_or_default();
        let mut found = self.app.progress(&hazard, after, size + 1).await?;
        let next_page_token = cut(&mut found, size, &[&request.parent], |last| last.sequence);
        let reports = found.into_iter();
        let reports = reports.map(|report| convert::progress_report(&request.parent, report));
        Ok(Response::new(pb::ListHazardProgressReportsResponse {
            progress_reports: reports.collect(),
            next_page_token,
        }))
    }

    async fn list_major_rules(
        &self,
        request: Request<pb::ListMajorRulesRequest>,
    ) -> Answer<pb::ListMajorRulesResponse> {
        caller(&request)?.allowed(Permission::HazardReport)?;
        let request = request.into_inner();
        let day = convert::date_filter("date", request.date)?;
        let size = page::size(request.page_size)?;
        let binding = format!("{:?}", request.date);
        let after: Option<String> = page::after(&request.page_token, &[&*binding])?;
        let after = after.unwrap_or_default();
        let rules = self.book.rules().iter().filter(|rule| rule.code > after);
        let rules = rules.filter(|rule| day.is_none_or(|day| rule.holds_on(day)));
        let mut found: Vec<_> = rules.collect();
        let next_page_token = cut(&mut found, size, &[&binding], |last| last.code.clone());
        let major_rules = found.into_iter();
        let major_rules = major_rules.map(|rule| convert::major_rule(rule, self.book));
        Ok(Response::new(pb::ListMajorRulesResponse {
            major_rules: major_rules.collect(),
            next_page_token,
        }))
    }

    async fn verify_hazard(&self, request: Request<pb::VerifyHazardRequest>) -> Acted {
        let verb = |it: &pb::VerifyHazardRequest| convert::verify(it, self.book);
        self.act(request, By::Handler, verb).await
    }

    async fn dismiss_hazard(&self, request: Request<pb::DismissHazardRequest>) -> Acted {
        self.act(request, By::Handler, |it| {
            convert::words("reason", &it.reason, false, Verb::Dismiss)
        })
        .await
    }

    async fn control_hazard(&self, request: Request<pb::ControlHazardRequest>) -> Acted {
        self.act(request, By::Handler, |it| {
            convert::control(it.control.as_ref())
        })
        .await
    }

    async fn assign_hazard(&self, request: Request<pb::AssignHazardRequest>) -> Acted {
        self.act(request, By::Handler, |it| {
            convert::assign(it.fixes.as_ref())
        })
        .await
    }

    async fn hand_over_hazard(&self, request: Request<pb::HandOverHazardRequest>) -> Acted {
        self.act(request, By::Handler, convert::hand_over).await
    }

    async fn remind_hazard(&self, request: Request<pb::RemindHazardRequest>) -> Acted {
        self.act(request, By::Handler, |it| {
            convert::said(&it.note, Verb::Remind)
        })
        .await
    }

    async fn rectify_hazard(&self, request: Request<pb::RectifyHazardRequest>) -> Acted {
        self.act(request, By::Owner, |_| Ok(Verb::Rectify)).await
    }

    async fn submit_hazard(&self, request: Request<pb::SubmitHazardRequest>) -> Acted {
        let now = self.app.now();
        self.act(request, By::Owner, |it| {
            convert::submit(it.submission.as_ref(), now)
        })
        .await
    }

    async fn review_hazard(&self, request: Request<pb::ReviewHazardRequest>) -> Acted {
        self.act(request, By::Reviewer, |_| Ok(Verb::Review)).await
    }

    async fn close_hazard(&self, request: Request<pb::CloseHazardRequest>) -> Acted {
        self.act(request, By::Reviewer, |it| {
            convert::said(&it.note, Verb::Close)
        })
        .await
    }

    async fn return_hazard(&self, request: Request<pb::ReturnHazardRequest>) -> Acted {
        self.act(request, By::Reviewer, |it| {
            convert::words("reason", &it.reason, false, Verb::Return)
        })
        .await
    }

    async fn report_hazard_progress(
        &self,
        request: Request<pb::ReportHazardProgressRequest>,
    ) -> Answer<pb::HazardProgressReport> {
        let verb =
            |it: &pb::ReportHazardProgressRequest| convert::progress(it.progress_report.as_ref());
        let render = |done: Done| {
            let name = done.view.hazard.name();
            let report = done.report;
            let report = report.map(|report| convert::progress_report(&name, report));
            report.unwrap_or_default()
        };
        self.done(request, By::Owner, verb, render).await
    }

    async fn request_hazard_extension(
        &self,
        request: Request<pb::RequestHazardExtensionRequest>,
    ) -> Acted {
        self.act(request, By::Owner, convert::request_extension)
            .await
    }

    async fn decide_hazard_extension(
        &self,
        request: Request<pb::DecideHazardExtensionRequest>,
    ) -> Acted {
        self.act(request, By::Reviewer, convert::decide_extension)
            .await
    }

    async fn supervise_hazard(&self, request: Request<pb::SuperviseHazardRequest>) -> Acted {
        self.act(request, By::Supervisor, |it| {
            convert::words("demand", &it.demand, true, Verb::Supervise)
        })
        .await
    }

    async fn record_hazard_supervision(
        &self,
        request: Request<pb::RecordHazardSupervisionRequest>,
    ) -> Acted {
        self.act(request, By::Supervisor, |it| {
            convert::words("finding", &it.finding, true, Verb::RecordSupervision)
        })
        .await
    }

    async fn lift_hazard_supervision(
        &self,
        request: Request<pb::LiftHazardSupervisionRequest>,
    ) -> Acted {
        self.act(request, By::Supervisor, |it| {
            convert::said(&it.note, Verb::LiftSupervision)
        })
        .await
    }

    async fn export_hazard_ledger(
        &self,
        request: Request<pb::ExportHazardLedgerRequest>,
    ) -> Answer<Self::ExportHazardLedgerStream> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = organization("parent", &request.parent)?;
        let permission = Permission::HazardExport;
        let site = self.app.site(&caller, permission, &id).await?;
        let year = convert::year(request.year)?;
        let pages = self.app.export(&caller, &site, year).await?;
        let heading = stream::once(async { Ok(part(convert::heading())) });
        // A page is read when the one before was taken; after the last one, or an error, nothing is.
        let lines = stream::unfold(Some(pages), |pages| async {
            let mut pages = pages?;
            match pages.next().await {
                Ok(lines) if lines.is_empty() => None,
                Ok(lines) => {
                    let text = lines.iter().map(convert::line).collect();
                    Some((Ok(part(text)), Some(pages)))
                }
                Err(err) => Some((Err(Status::from(err)), None)),
            }
        });
        Ok(Response::new(heading.chain(lines).boxed()))
    }

    async fn list_hazard_ledger_exports(
        &self,
        request: Request<pb::ListHazardLedgerExportsRequest>,
    ) -> Answer<pb::ListHazardLedgerExportsResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = organization("parent", &request.parent)?;
        let permission = Permission::HazardExport;
        let site = self.app.site(&caller, permission, &id).await?;
        let size = page::size(request.page_size)?;
        let before: Option<Uuid> = page::after(&request.page_token, &[&*request.parent])?;
        let mut found = self.app.exports(&site, before, size + 1).await?;
        let next_page_token = cut(&mut found, size, &[&request.parent], |last| last.id);
        Ok(Response::new(pb::ListHazardLedgerExportsResponse {
            hazard_ledger_exports: found.into_iter().map(convert::export).collect(),
            next_page_token,
        }))
    }
}

fn part(text: String) -> pb::ExportHazardLedgerResponse {
    pb::ExportHazardLedgerResponse {
        chunk: text.into_bytes().into(),
    }
}
