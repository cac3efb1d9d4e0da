//! CaseService.

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use prost::Message;
use proto::sampling::case_service_server::CaseService;
use proto::sampling::{
    AddContactsRequest, AddContactsResponse, Case, CaseContact, CloseCaseRequest,
    ConfirmCaseRequest, ExportCaseRequest, ExportCaseResponse, GetCaseRequest,
    ListCandidateContactsRequest, ListCandidateContactsResponse, ListCaseEventsRequest,
    ListCaseEventsResponse, ListCaseExportsRequest, ListCaseExportsResponse, ListCasesRequest,
    ListCasesResponse, ListContactsRequest, ListContactsResponse, OpenCaseRequest,
    RemoveContactRequest, RuleOutCaseRequest, UpdateSeverityRequest, case,
};
use tonic::{Request, Response, Status};

use super::case_requests::{self as requests, case_id, finish, only_case, person, text};
use super::{case_convert, contact_convert};
use crate::app::App;
use crate::app::health::cases::CaseChange;
use crate::domain::health::disease::Severity;
use crate::error::Error;
use crate::grpc::convert::{self, cut};

/// Serves cases.
#[derive(Clone, Debug)]
pub(super) struct Api(pub(super) App);

/// Bytes of one message of a document.
const CHUNK: usize = 64 << 10;

impl Api {
    /// Whether the caller may write about the case of this name.
    async fn may_write(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        requests::may(&self.0, caller, Permission::CaseWrite, name).await
    }

    async fn change(
        &self,
        caller: &Caller,
        (id, change): (String, CaseChange),
        once: (&str, &impl Message),
    ) -> Result<Response<Case>, Status> {
        let case = self.0.change_case(caller, &id, change, once).await?;
        Ok(Response::new(case))
    }
}

#[tonic::async_trait]
impl CaseService for Api {
    type ExportCaseStream = BoxStream<'static, Result<ExportCaseResponse, Status>>;

    async fn open_case(&self, request: Request<OpenCaseRequest>) -> Result<Response<Case>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let new = requests::opening(&request)?;
        let once = (request.request_id.as_str(), &request);
        Ok(Response::new(self.0.open_case(&caller, new, once).await?))
    }

    async fn confirm_case(
        &self,
        request: Request<ConfirmCaseRequest>,
    ) -> Result<Response<Case>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let may = self.may_write(&caller, &request.name);
        let change = read_or_denied(requests::confirmation(&request), may).await?;
        self.change(&caller, change, (&request.request_id, &request))
            .await
    }

    async fn rule_out_case(
        &self,
        request: Request<RuleOutCaseRequest>,
    ) -> Result<Response<Case>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let may = self.may_write(&caller, &request.name);
        let read = requests::reasoned(&request.name, &request.reason);
        let (id, reason) = read_or_denied(read, may).await?;
        let change = (id, CaseChange::RuleOut(reason));
        self.change(&caller, change, (&request.request_id, &request))
            .await
    }

    async fn update_severity(
        &self,
        request: Request<UpdateSeverityRequest>,
    ) -> Result<Response<Case>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = case_id(&mut fields, "name", &request.name);
        let severity: Option<case::Severity> = fields.enumeration("severity", request.severity);
        let may = self.may_write(&caller, &request.name);
        let severity = read_or_denied(finish(fields, severity), may).await?;
        let severity = Severity::from_code(requests::small(severity.into())).unwrap_or_default();
        let change = (id, CaseChange::Grade(severity));
        self.change(&caller, change, (&request.request_id, &request))
            .await
    }

    async fn close_case(
        &self,
        request: Request<CloseCaseRequest>,
    ) -> Result<Response<Case>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let may = self.may_write(&caller, &request.name);
        let change = read_or_denied(requests::closing(&request), may).await?;
        self.change(&caller, change, (&request.request_id, &request))
            .await
    }

    async fn get_case(&self, request: Request<GetCaseRequest>) -> Result<Response<Case>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let id = only_case("name", &request.get_ref().name)?;
        let file = self.0.get_case(&caller, &id).await?;
        Ok(Response::new(case_convert::case(&file, self.0.clock.now())))
    }

    async fn list_cases(
        &self,
        request: Request<ListCasesRequest>,
    ) -> Result<Response<ListCasesResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListCasesRequest {
            organization,
            state,
            disease,
            late,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let filter = format!("{state} {disease} {late}");
        let binding = [organization.as_str(), &filter];
        let after: String = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let below = convert::organization(&mut fields, "organization", &organization);
        let disease = requests::disease(&mut fields, disease).map(|disease| disease.0);
        let open = if state == 0 {
            None
        } else {
            let state: Option<case::State> = fields.enumeration("state", state);
            Some(state == Some(case::State::Open))
        };
        fields.finish()?;
        let wanted = (open, disease, late);
        let mut files = self
            .0
            .list_cases(&caller, below, wanted, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut files, limit, |file| page::next(&file.row.id, &binding));
        let now = self.0.clock.now();
        Ok(Response::new(ListCasesResponse {
            cases: files
                .iter()
                .map(|file| case_convert::case(file, now))
                .collect(),
            next_page_token,
        }))
    }

    async fn list_case_events(
        &self,
        request: Request<ListCaseEventsRequest>,
    ) -> Result<Response<ListCaseEventsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListCaseEventsRequest {
            case,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [case.as_str()];
        let after: i32 = page::after(&page_token, &binding)?.unwrap_or_default();
        let id = only_case("case", &case)?;
        let mut rows = self
            .0
            .list_case_events(&caller, &id, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListCaseEventsResponse {
            case_events: rows.into_iter().map(case_convert::event).collect(),
            next_page_token,
        }))
    }

    async fn list_candidate_contacts(
        &self,
        request: Request<ListCandidateContactsRequest>,
    ) -> Result<Response<ListCandidateContactsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListCandidateContactsRequest {
            case,
            page_size,
            page_token,
            via,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [case.as_str(), via.as_str()];
        let after: Vec<u8> = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let id = case_id(&mut fields, "case", &case);
        let met = if via.is_empty() {
            None
        } else {
            person(&mut fields, "via", &via).map(|(person, _)| person)
        };
        fields.finish()?;
        let mut found = self
            .0
            .candidate_contacts(&caller, &id, met, (&after, limit + 1))
            .await?;
        let next_page_token = cut(&mut found, limit, |one| page::next(&one.person, &binding));
        let told = found
            .iter()
            .map(|one| contact_convert::candidate(one, &via));
        Ok(Response::new(ListCandidateContactsResponse {
            candidate_contacts: told.collect(),
            next_page_token,
        }))
    }

    async fn add_contacts(
        &self,
        request: Request<AddContactsRequest>,
    ) -> Result<Response<AddContactsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let may = self.may_write(&caller, &request.case);
        let (id, new) = read_or_denied(requests::contacts(&request), may).await?;
        let once = (request.request_id.as_str(), &request);
        let added = self.0.add_contacts(&caller, &id, new, once).await?;
        Ok(Response::new(added))
    }

    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListContactsRequest {
            case,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [case.as_str()];
        let after: Vec<u8> = page::after(&page_token, &binding)?.unwrap_or_default();
        let id = only_case("case", &case)?;
        let mut rows = self.0.list_contacts(&caller, &id, after, limit + 1).await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.person, &binding));
        Ok(Response::new(ListContactsResponse {
            contacts: rows.iter().map(contact_convert::contact).collect(),
            next_page_token,
        }))
    }

    async fn remove_contact(
        &self,
        request: Request<RemoveContactRequest>,
    ) -> Result<Response<CaseContact>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseWrite)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = case_id(&mut fields, "case", &request.case);
        let who = person(&mut fields, "person", &request.person);
        fields.required("reason", &request.reason);
        text(&mut fields, "reason", &request.reason, 200);
        let may = self.may_write(&caller, &request.case);
        let (who, _) = read_or_denied(finish(fields, who), may).await?;
        let who = (who, request.person.as_str());
        let once = (request.request_id.as_str(), &request);
        let removed = self
            .0
            .remove_contact(&caller, &id, who, &request.reason, once);
        Ok(Response::new(removed.await?))
    }

    async fn export_case(
        &self,
        request: Request<ExportCaseRequest>,
    ) -> Result<Response<Self::ExportCaseStream>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseExport)?;
        let request = request.into_inner();
        let may = requests::may(&self.0, &caller, Permission::CaseExport, &request.name);
        let (id, format) = read_or_denied(requests::export(&request), may).await?;
        let export = self.0.export_case(&caller, &id, format, &request.purpose);
        let bytes = export.await?;
        let chunks: Vec<_> = bytes
            .chunks(CHUNK)
            .map(|chunk| {
                Ok(ExportCaseResponse {
                    content: chunk.to_vec().into(),
                })
            })
            .collect();
        Ok(Response::new(stream::iter(chunks).boxed()))
    }

    async fn list_case_exports(
        &self,
        request: Request<ListCaseExportsRequest>,
    ) -> Result<Response<ListCaseExportsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CaseRead)?;
        let ListCaseExportsRequest {
            case,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [case.as_str()];
        let after: i32 = page::after(&page_token, &binding)?.unwrap_or_default();
        let id = only_case("case", &case)?;
        let mut rows = self
            .0
            .list_case_exports(&caller, &id, after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| page::next(&row.sequence, &binding));
        Ok(Response::new(ListCaseExportsResponse {
            case_exports: rows.into_iter().map(case_convert::export).collect(),
            next_page_token,
        }))
    }
}
