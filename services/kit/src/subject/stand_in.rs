//! The requests of a roster that can be down, for tests of what asks it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::error::ErrorReason;
use proto::roster::subject_request_service_server::{
    SubjectRequestService, SubjectRequestServiceServer,
};
use proto::roster::{
    AnswerSubjectRequestRequest, FileSubjectRequestRequest, GetSubjectDataRequest,
    GetSubjectRequestRequest, HeldCategory, HeldItem, ListSubjectRequestsRequest,
    ListSubjectRequestsResponse, RefuseSubjectRequestRequest, SubjectData, SubjectRequest,
    UseSubjectRequestRequest, UseSubjectRequestResponse, WithdrawSubjectRequestRequest,
};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::Group;
use crate::deadline;
use crate::stand_in::{self, lock, unasked};
use crate::status::Problem;

/// Requests of a roster that can be down: it then refuses every call. It has never heard of a request of which
/// nothing was said. Clones share what was said and heard.
#[derive(Clone, Debug, Default)]
pub struct StandIn {
    /// Whether it is down.
    pub down: Arc<AtomicBool>,
    /// Whose data may be shown because of a request, by its name; none once it is closed.
    said: Arc<Mutex<BTreeMap<String, Option<UseSubjectRequestResponse>>>>,
    /// Every use that it was asked for.
    heard: Arc<Mutex<Vec<UseSubjectRequestRequest>>>,
    /// How long whoever asked for each of them waits.
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl StandIn {
    /// The request `name` is about `person`, from now on: a student of the class group at `org_path`, or
    /// whoever works for the organisation there.
    pub fn say(&self, name: &str, person: &str, org_path: &str) {
        let above = usize::from(!person.starts_with(Group::Staff.collection()));
        let school = org_path.rsplit('/').nth(above).unwrap_or_default();
        let whose = UseSubjectRequestResponse {
            person: person.to_owned(),
            organization: format!("organizations/{school}"),
            org_path: org_path.to_owned(),
        };
        lock(&self.said).insert(name.to_owned(), Some(whose));
    }

    /// Nothing may be shown because of the request `name` from now on.
    pub fn close(&self, name: &str) {
        lock(&self.said).insert(name.to_owned(), None);
    }

    /// Every use that it was asked for while it was not down, in order.
    pub fn heard(&self) -> Vec<UseSubjectRequestRequest> {
        lock(&self.heard).clone()
    }

    /// How long whoever asked for each use waits, where they said it, in order.
    pub fn waits(&self) -> Vec<Duration> {
        lock(&self.waits).clone()
    }

    /// Whose data may be shown because of the request `name`.
    fn whose(&self, name: &str) -> Result<UseSubjectRequestResponse, Problem> {
        let said = lock(&self.said).get(name).cloned();
        let said = said.ok_or_else(|| Problem::not_found(name))?;
        let closed = || Problem::new(ErrorReason::SubjectRequestState).meta("state", "REFUSED");
        said.ok_or_else(closed)
    }

    /// Itself as a service.
    pub fn service(&self) -> SubjectRequestServiceServer<Self> {
        SubjectRequestServiceServer::new(self.clone())
    }

    /// Answers at a port of its own, whose address it returns, as long as the process lives.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn serve(&self) -> std::io::Result<String> {
        stand_in::serve(Routes::new(self.service())).await
    }
}

#[tonic::async_trait]
impl SubjectRequestService for StandIn {
    async fn use_subject_request(
        &self,
        request: Request<UseSubjectRequestRequest>,
    ) -> Result<Response<UseSubjectRequestResponse>, Status> {
        stand_in::up(&self.down)?;
        stand_in::signed(&request)?;
        let wait = deadline::read(&request.metadata().clone().into_headers());
        lock(&self.waits).extend(wait);
        let message = request.into_inner();
        let name = message.name.clone();
        lock(&self.heard).push(message);
        Ok(Response::new(self.whose(&name)?))
    }

    async fn get_subject_request(
        &self,
        _: Request<GetSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        unasked()
    }

    async fn list_subject_requests(
        &self,
        _: Request<ListSubjectRequestsRequest>,
    ) -> Result<Response<ListSubjectRequestsResponse>, Status> {
        unasked()
    }

    async fn file_subject_request(
        &self,
        _: Request<FileSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        unasked()
    }

    async fn get_subject_data(
        &self,
        request: Request<GetSubjectDataRequest>,
    ) -> Result<Response<SubjectData>, Status> {
        stand_in::up(&self.down)?;
        let name = request.into_inner().name;
        let of = name.strip_suffix("/data").unwrap_or(&name);
        let whose = self.whose(of)?;
        let item = HeldItem {
            field: "display_name".to_owned(),
            value: whose.person,
        };
        let category = HeldCategory {
            category: "register".to_owned(),
            items: vec![item],
            ..HeldCategory::default()
        };
        Ok(Response::new(SubjectData {
            name,
            categories: vec![category],
            create_time: None,
        }))
    }

    async fn answer_subject_request(
        &self,
        _: Request<AnswerSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        unasked()
    }

    async fn refuse_subject_request(
        &self,
        _: Request<RefuseSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        unasked()
    }

    async fn withdraw_subject_request(
        &self,
        _: Request<WithdrawSubjectRequestRequest>,
    ) -> Result<Response<SubjectRequest>, Status> {
        unasked()
    }
}
