//! SubjectRequestService.

use chrono::Days;
use kit::auth::caller;
use kit::field::Fields;
use kit::org::OrgPath;
use kit::page;
use proto::roster::subject_request_service_server::SubjectRequestService;
use proto::roster::{
    AnswerSubjectRequestRequest, FileSubjectRequestRequest, GetSubjectDataRequest,
    GetSubjectRequestRequest, ListSubjectRequestsRequest, ListSubjectRequestsResponse,
    RefuseSubjectRequestRequest, SubjectData, SubjectRequest, UseSubjectRequestRequest,
    UseSubjectRequestResponse, WithdrawSubjectRequestRequest,
};
use tonic::{Request, Response, Status};

use super::convert;
use super::destruction_parse::reason;
use super::organization::act;
use super::subject_convert::{self as subject, named};
use crate::app::App;
use crate::domain::subject::{ANSWER_DAYS, Close};
use crate::store::subjects::Wanted;

/// Serves requests of people about what is held of them.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl SubjectRequestService for Api {
    async fn get_subject_request(
        &self,
        request: Request<GetSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        let caller = caller(&request)?;
        let named = named("name", &request.get_ref().name)?;
        let found = self.0.get_subject_request(&caller, &named).await?;
        let today = self.0.clock.today();
        Ok(Response::new(subject::request(found, today)))
    }

    async fn list_subject_requests(
        &self,
        request: Request<ListSubjectRequestsRequest>,
    ) -> Result<Response<ListSubjectRequestsResponse>, Status> {
        let caller = caller(&request)?;
        let ListSubjectRequestsRequest {
            parent,
            due_by,
            page_size,
            page_token,
        } = request.into_inner();
        let organization = convert::id("parent", "organizations", &parent)?;
        let size = page::size(page_size)?;
        let due = match due_by {
            None => None,
            some => {
                let mut fields = Fields::new();
                let due = fields.date("due_by", some);
                fields.finish()?;
                due
            }
        };
        let binding = [
            &*parent,
            &due.map(|due| due.to_string()).unwrap_or_default(),
        ];
        let before: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let wanted = Wanted {
            place: OrgPath::root(),
            person: None,
            waiting_since: due
                .and_then(|due| due.checked_sub_days(Days::new(ANSWER_DAYS.unsigned_abs()))),
            before,
            limit: size + 1,
        };
        let found = self.0.list_subject_requests(&caller, organization, wanted);
        let mut found = found.await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.id, &binding),
            _ => String::new(),
        };
        let today = self.0.clock.today();
        let requests = found.into_iter().map(|one| subject::request(one, today));
        Ok(Response::new(ListSubjectRequestsResponse {
            subject_requests: requests.collect(),
            next_page_token,
        }))
    }

    async fn file_subject_request(
        &self,
        request: Request<FileSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("parent", "organizations", &request.parent)?;
        self.0.may_ask_about_subjects(&caller, organization).await?;
        let sent = request.subject_request.clone().unwrap_or_default();
        let asked = subject::asked(organization, &sent)?;
        let act = act("FileSubjectRequest", &request.request_id, &request);
        let filed = self.0.file_subject_request(&caller, asked, act).await?;
        Ok(Response::new(filed))
    }

    async fn get_subject_data(
        &self,
        request: Request<GetSubjectDataRequest>,
    ) -> Result<Response<SubjectData>, Status> {
        let caller = caller(&request)?;
        let named = subject::data_of(&request.get_ref().name)?;
        Ok(Response::new(
            self.0.get_subject_data(&caller, &named).await?,
        ))
    }

    async fn use_subject_request(
        &self,
        request: Request<UseSubjectRequestRequest>,
    ) -> Result<Response<UseSubjectRequestResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        self.0.may_be_told(&caller, named.organization).await?;
        let other = subject::other("service", &request.service)?;
        let act = act("UseSubjectRequest", &request.request_id, &request);
        let used = self.0.use_subject_request(&caller, &named, other, act);
        Ok(Response::new(used.await?))
    }

    async fn answer_subject_request(
        &self,
        request: Request<AnswerSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        self.0
            .may_answer_subjects(&caller, named.organization)
            .await?;
        let close = Close::Answer {
            text: reason("answer", &request.answer)?,
            holdings: subject::holdings(&request.holdings)?,
        };
        let act = act("AnswerSubjectRequest", &request.request_id, &request);
        let closed = self.0.close_subject_request(&caller, &named, close, act);
        Ok(Response::new(closed.await?))
    }

    async fn refuse_subject_request(
        &self,
        request: Request<RefuseSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        self.0
            .may_answer_subjects(&caller, named.organization)
            .await?;
        let close = Close::Refuse(reason("reason", &request.reason)?);
        let act = act("RefuseSubjectRequest", &request.request_id, &request);
        let closed = self.0.close_subject_request(&caller, &named, close, act);
        Ok(Response::new(closed.await?))
    }

    async fn withdraw_subject_request(
        &self,
        request: Request<WithdrawSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let named = named("name", &request.name)?;
        let act = act("WithdrawSubjectRequest", &request.request_id, &request);
        let closed = self
            .0
            .close_subject_request(&caller, &named, Close::Withdraw, act);
        Ok(Response::new(closed.await?))
    }
}
