//! ConcernService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use kit::status::Problem;
use prost::Message;
use proto::notification as pb;
use proto::notification::concern_service_server::ConcernService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::app::concerns::{Act, By, Concerns};

/// Serves ConcernService.
#[derive(Debug)]
pub(crate) struct ConcernGrpc {
    app: Concerns,
}

impl ConcernGrpc {
    pub(crate) fn new(app: Concerns) -> Self {
        Self { app }
    }

    async fn act(
        &self,
        caller: &Caller,
        (name, code): (&str, &str),
        (by, method): (By, &'static str),
        once: (&str, &impl Message),
        act: impl FnOnce() -> Result<Act, Problem>,
    ) -> Result<Response<pb::Concern>, Status> {
        let named = convert::named(name, code)?;
        self.app.concern(caller, named, by).await?;
        let now = self.app.now();
        let render = |concern| convert::concern(concern, now);
        let act = (act()?, by, method);
        let moved = self.app.act(caller, named, act, once, render).await?;
        Ok(Response::new(moved))
    }
}

#[tonic::async_trait]
impl ConcernService for ConcernGrpc {
    async fn submit_concern(
        &self,
        request: Request<pb::SubmitConcernRequest>,
    ) -> Result<Response<pb::SubmitConcernResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let receiver = convert::organization("parent", &request.parent)?;
        let receiver = self.app.receiver(&caller, &receiver).await?;
        let submission = convert::submission(&request)?;
        let once = (&*request.request_id, &request);
        let now = self.app.now();
        let render = |concern, receipt_code| pb::SubmitConcernResponse {
            concern: Some(convert::concern(concern, now)),
            receipt_code,
        };
        let submitted = self
            .app
            .submit(&caller, receiver, submission, once, render)
            .await?;
        Ok(Response::new(submitted))
    }

    async fn get_concern(
        &self,
        request: Request<pb::GetConcernRequest>,
    ) -> Result<Response<pb::Concern>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = convert::named(&request.name, &request.receipt_code)?;
        let concern = self.app.concern(&caller, named, By::Anyone).await?;
        Ok(Response::new(convert::concern(concern, self.app.now())))
    }

    async fn list_concerns(
        &self,
        request: Request<pb::ListConcernsRequest>,
    ) -> Result<Response<pb::ListConcernsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::organization("parent", &request.parent)?;
        let organization = self.app.dealt_with(&caller, &organization).await?;
        let state = convert::concern_state(request.state)?;
        let size = page::size(request.page_size)?;
        let (number, overdue) = (request.state.to_string(), request.overdue.to_string());
        let binding = [&*request.parent, &*number, &*overdue];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let which = (state, request.overdue, before);
        let mut found = self
            .app
            .list(&caller, &organization, which, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.id);
        let now = self.app.now();
        let concerns = found.into_iter();
        let concerns = concerns.map(|found| convert::concern(found, now)).collect();
        Ok(Response::new(pb::ListConcernsResponse {
            concerns,
            next_page_token,
        }))
    }

    async fn triage_concern(
        &self,
        request: Request<pb::TriageConcernRequest>,
    ) -> Result<Response<pb::Concern>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let by = (By::Handler, "TriageConcern");
        let act = || convert::triage(&request);
        self.act(&caller, (&request.name, ""), by, once, act).await
    }

    async fn assign_concern(
        &self,
        request: Request<pb::AssignConcernRequest>,
    ) -> Result<Response<pb::Concern>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let by = (By::Handler, "AssignConcern");
        let act = || convert::assign(&request);
        self.act(&caller, (&request.name, ""), by, once, act).await
    }

    async fn answer_concern(
        &self,
        request: Request<pb::AnswerConcernRequest>,
    ) -> Result<Response<pb::Concern>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let by = (By::Answerer, "AnswerConcern");
        let act = || convert::answer(&request);
        self.act(&caller, (&request.name, ""), by, once, act).await
    }

    async fn rate_answer(
        &self,
        request: Request<pb::RateAnswerRequest>,
    ) -> Result<Response<pb::Concern>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let once = (&*request.request_id, &request);
        let by = (By::Author, "RateAnswer");
        let act = || convert::rate(&request);
        let named = (&*request.name, &*request.receipt_code);
        self.act(&caller, named, by, once, act).await
    }

    async fn get_concern_figures(
        &self,
        request: Request<pb::GetConcernFiguresRequest>,
    ) -> Result<Response<pb::ConcernFigures>, Status> {
        let caller = caller(&request)?;
        let id = convert::organization("parent", &request.into_inner().parent)?;
        let permission = Permission::ConcernFiguresRead;
        let organization = self.app.organization(&caller, permission, &id).await?;
        let figures = self.app.figures(&caller, &organization).await?;
        Ok(Response::new(convert::concern_figures(&id, figures)))
    }
}
