//! SupportService.

use kit::auth::{Caller, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::notification as pb;
use proto::notification::support_service_server::SupportService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::app::care::Care;
use crate::app::support::Support;
use crate::domain::support::Verb;
use crate::store::care::CareKey;
use crate::store::support::CaseKey;

/// Serves SupportService.
#[derive(Debug)]
pub(crate) struct SupportGrpc {
    app: Support,
    care: Care,
}

impl SupportGrpc {
    pub(crate) fn new(app: Support, care: Care) -> Self {
        Self { app, care }
    }

    async fn act(
        &self,
        caller: &Caller,
        (name, note): (&str, &str),
        method: &'static str,
        once: (&str, &impl Message),
        verb: impl FnOnce() -> Result<Verb, Problem>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let (school, id) = convert::child("name", "supportCases", name)?;
        let school = self.app.school(caller, &school).await?;
        let act = (verb()?, convert::note(note)?, method);
        let case = (&school, id);
        let render = convert::support_case;
        let moved = self.app.act(caller, case, act, once, render).await?;
        Ok(Response::new(moved))
    }
}

#[tonic::async_trait]
impl SupportService for SupportGrpc {
    async fn open_support_case(
        &self,
        request: Request<pb::OpenSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let school = convert::organization("parent", &request.parent)?;
        let school = self.app.school(&caller, &school).await?;
        let opening = convert::opening(&request)?;
        let once = (&*request.request_id, &request);
        let render = convert::support_case;
        let opened = self
            .app
            .open(&caller, school, opening, once, render)
            .await?;
        Ok(Response::new(opened))
    }

    async fn get_support_case(
        &self,
        request: Request<pb::GetSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let (school, id) = convert::child("name", "supportCases", &name)?;
        let school = self.app.school(&caller, &school).await?;
        let (case, entries) = self.app.case(&caller, &school, id).await?;
        Ok(Response::new(convert::support_case(case, entries)))
    }

    async fn list_support_cases(
        &self,
        request: Request<pb::ListSupportCasesRequest>,
    ) -> Result<Response<pb::ListSupportCasesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let school = convert::organization("parent", &request.parent)?;
        let school = self.app.school(&caller, &school).await?;
        let size = page::size(request.page_size)?;
        let closed = request.show_closed.to_string();
        let binding = [&*request.parent, &*closed];
        let after: Option<CaseKey> = page::after(&request.page_token, &binding)?;
        let which = (request.show_closed, after);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (cases, next) = self.app.list(&caller, &school, which, size).await?;
        let next = next.map(|next| page::next(&next, &binding));
        let cases = cases.into_iter();
        let support_cases = cases.map(|case| convert::support_case(case, Vec::new()));
        Ok(Response::new(pb::ListSupportCasesResponse {
            support_cases: support_cases.collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn grade_support_case(
        &self,
        request: Request<pb::GradeSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || convert::grade(request.grade).map(Verb::Grade);
        self.act(&caller, case, "GradeSupportCase", once, verb)
            .await
    }

    async fn record_contact(
        &self,
        request: Request<pb::RecordContactRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || Ok(Verb::Contact);
        self.act(&caller, case, "RecordContact", once, verb).await
    }

    async fn begin_support(
        &self,
        request: Request<pb::BeginSupportRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || Ok(Verb::Support);
        self.act(&caller, case, "BeginSupport", once, verb).await
    }

    async fn inform_guardian(
        &self,
        request: Request<pb::InformGuardianRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || Ok(Verb::Inform);
        self.act(&caller, case, "InformGuardian", once, verb).await
    }

    async fn refer_support_case(
        &self,
        request: Request<pb::ReferSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || Ok(Verb::Refer);
        self.act(&caller, case, "ReferSupportCase", once, verb)
            .await
    }

    async fn follow_up_support_case(
        &self,
        request: Request<pb::FollowUpSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || Ok(Verb::FollowUp);
        self.act(&caller, case, "FollowUpSupportCase", once, verb)
            .await
    }

    async fn close_support_case(
        &self,
        request: Request<pb::CloseSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || convert::close_reason(request.reason).map(Verb::Close);
        self.act(&caller, case, "CloseSupportCase", once, verb)
            .await
    }

    async fn reopen_support_case(
        &self,
        request: Request<pb::ReopenSupportCaseRequest>,
    ) -> Result<Response<pb::SupportCase>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let case = (&*request.name, &*request.note);
        let verb = || convert::grade(request.grade).map(Verb::Reopen);
        self.act(&caller, case, "ReopenSupportCase", once, verb)
            .await
    }

    async fn list_support_accesses(
        &self,
        request: Request<pb::ListSupportAccessesRequest>,
    ) -> Result<Response<pb::ListSupportAccessesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (school, id) = convert::child("parent", "supportCases", &request.parent)?;
        let school = self.app.school(&caller, &school).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.accesses(&school, id, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.id);
        Ok(Response::new(pb::ListSupportAccessesResponse {
            accesses: found.into_iter().map(convert::access).collect(),
            next_page_token,
        }))
    }

    async fn get_support_figures(
        &self,
        request: Request<pb::GetSupportFiguresRequest>,
    ) -> Result<Response<pb::SupportFigures>, Status> {
        let caller = caller(&request)?;
        let id = convert::organization("parent", &request.into_inner().parent)?;
        let figures = self.app.figures(&caller, &id).await?;
        Ok(Response::new(convert::support_figures(&id, figures)))
    }

    async fn list_care_tasks(
        &self,
        request: Request<pb::ListCareTasksRequest>,
    ) -> Result<Response<pb::ListCareTasksResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let school = convert::organization("parent", &request.parent)?;
        let class_group = convert::class_group(&school, &request.class_group)?;
        let place = self.care.place(&caller, &school, class_group).await?;
        let state = convert::care_state(request.state)?;
        let size = page::size(request.page_size)?;
        let number = request.state.to_string();
        let binding = [&*request.parent, &*request.class_group, &*number];
        let after: Option<CareKey> = page::after(&request.page_token, &binding)?;
        let mut found = self.care.list(&place, state, after, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| CareKey {
            due_at: last.due.timestamp_millis(),
            id: last.id,
        });
        Ok(Response::new(pb::ListCareTasksResponse {
            care_tasks: found.into_iter().map(convert::care_task).collect(),
            next_page_token,
        }))
    }

    async fn complete_care_task(
        &self,
        request: Request<pb::CompleteCareTaskRequest>,
    ) -> Result<Response<pb::CareTask>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (school, id) = convert::child("name", "careTasks", &request.name)?;
        let once = (&*request.request_id, &request);
        let task = (&*school, id);
        let render = convert::care_task;
        let done = self.care.complete(&caller, task, once, render).await?;
        Ok(Response::new(done))
    }
}
