//! ScreeningService.

use futures_util::future::join_all;
use kit::auth::{Caller, Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::screening_service_server::ScreeningService;
use proto::sampling::{
    BatchSubmitChecksRequest, BatchSubmitChecksResponse, Check, CorrectCheckRequest,
    GetCheckRequest, ListChecksRequest, ListChecksResponse, ListMissingRequest,
    ListMissingResponse, ListReporterExamsRequest, ListReporterExamsResponse,
    RecordReporterExamRequest, ReporterExam, SubmitCheckRequest, SubmitCheckResponse,
};
use tonic::{Request, Response, Status};

use super::super::convert::{self, cut};
use super::screening_convert as answers;
use super::screening_requests as requests;
use crate::app::App;
use crate::app::health::screening::{Checks, Submission, Submitted};
use crate::app::health::units::{Scope, UnitName};
use crate::domain::day::Day;
use crate::domain::health::rules::Slot;
use crate::error::Error;

/// Serves checks.
#[derive(Clone, Debug)]
pub(in crate::grpc) struct Api {
    pub(in crate::grpc) app: App,
    pub(in crate::grpc) checks: Checks,
}

/// The most checks of one batch.
const BATCH: usize = 500;
/// The longest that an examination is valid, in civil days.
const TERM: u16 = 200;

/// What a list of checks asks for.
struct Asked {
    scope: Scope,
    of: (Day, Slot),
    after: String,
    limit: u64,
    binding: [String; 3],
}

impl Asked {
    fn binding(&self) -> Vec<&str> {
        self.binding.iter().map(String::as_str).collect()
    }
}

/// Whether the caller sees whom checks list: who submits them, or reads people's health.
fn sees_people(caller: &Caller) -> bool {
    let may = [Permission::CheckSubmit, Permission::HealthRead];
    may.into_iter().any(|one| caller.allowed(one).is_ok())
}

impl Api {
    async fn submit(&self, submission: Submission) -> Result<Submitted, Problem> {
        let submitted = self.checks.submit(submission).await?;
        submitted.map_err(Problem::from)
    }

    /// Whether the caller may submit checks of a unit. That the name is that of none is found wrong with
    /// the request.
    async fn may_submit(&self, caller: &Caller, unit: Option<UnitName>) -> Result<(), Error> {
        match unit {
            Some(unit) => {
                let unit = self.app.unit(caller, Permission::CheckSubmit, &unit).await;
                unit.map(drop)
            }
            None => Ok(()),
        }
    }

    /// Whether the caller may list checks of what this name stands for. That it is no scope is found
    /// wrong with the request.
    async fn may_list(&self, caller: &Caller, scope: &str) -> Result<(), Error> {
        let scope = requests::scope(&mut Fields::new(), "scope", scope);
        match scope {
            Some(scope) => {
                let read = Permission::CheckRead;
                self.app.range(caller, read, &scope, "").await.map(drop)
            }
            None => Ok(()),
        }
    }

    fn asked(
        &self,
        scope: &str,
        date: Option<proto::Date>,
        slot: i32,
        page_size: i32,
        page_token: &str,
    ) -> Result<Asked, Problem> {
        let limit = page::size(page_size)?;
        let mut fields = Fields::new();
        let day = convert::optional_date(&mut fields, "check_date", date);
        let of = requests::slot(&mut fields, "slot", slot);
        let read = requests::scope(&mut fields, "scope", scope);
        fields.finish()?;
        let day = day.map_or_else(|| self.app.today(), Day::from);
        let (scope_read, of) = read
            .zip(of)
            .ok_or_else(|| Problem::new(ErrorReason::InvalidField))?;
        let binding = [scope.to_owned(), day.to_string(), slot.to_string()];
        let bound = binding.iter().map(String::as_str).collect::<Vec<_>>();
        let after: Option<String> = page::after(page_token, &bound)?;
        Ok(Asked {
            scope: scope_read,
            of: (day, of),
            after: after.unwrap_or_default(),
            limit,
            binding,
        })
    }
}

#[tonic::async_trait]
impl ScreeningService for Api {
    async fn submit_check(
        &self,
        request: Request<SubmitCheckRequest>,
    ) -> Result<Response<SubmitCheckResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckSubmit)?;
        let check = request.into_inner().check;
        let scope = check.as_ref().map(|check| check.scope.as_str());
        let unit = scope.and_then(requests::read_unit);
        let may = self.may_submit(&caller, unit);
        let submission = requests::submission(&caller, check);
        let submission = read_or_denied(submission, may).await?;
        let submitted = self.submit(submission).await?;
        let answer = answers::submitted(&submitted).map_err(Error::from)?;
        Ok(Response::new(answer))
    }

    async fn batch_submit_checks(
        &self,
        request: Request<BatchSubmitChecksRequest>,
    ) -> Result<Response<BatchSubmitChecksResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckSubmit)?;
        let checks = request.into_inner().checks;
        let mut fields = Fields::new();
        fields.within("checks", checks.len(), 1..=BATCH);
        fields.finish()?;
        let submitting = checks.into_iter().map(|check| {
            let submission = requests::submission(&caller, Some(check));
            async move { self.submit(submission?).await }
        });
        let results = join_all(submitting).await.into_iter().enumerate();
        Ok(Response::new(BatchSubmitChecksResponse {
            results: results
                .map(|(index, answer)| answers::result(index, answer))
                .collect(),
        }))
    }

    async fn correct_check(
        &self,
        request: Request<CorrectCheckRequest>,
    ) -> Result<Response<SubmitCheckResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckSubmit)?;
        let request = request.into_inner();
        let named = requests::check(&mut Fields::new(), "name", &request.name);
        let may = self.may_submit(&caller, named.map(|(unit, _)| unit));
        let submission = requests::correction(&caller, request);
        let submission = read_or_denied(submission, may).await?;
        let submitted = self.submit(submission).await?;
        let answer = answers::submitted(&submitted).map_err(Error::from)?;
        Ok(Response::new(answer))
    }

    async fn get_check(
        &self,
        request: Request<GetCheckRequest>,
    ) -> Result<Response<Check>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckRead)?;
        let mut fields = Fields::new();
        let named = requests::check(&mut fields, "name", &request.get_ref().name);
        fields.finish()?;
        let (unit, of) = named.ok_or_else(|| Problem::new(ErrorReason::InvalidField))?;
        let (row, superseded) = self.app.get_check(&caller, &unit, of).await?;
        let reveal = sees_people(&caller);
        let mut check = answers::check(&row, reveal).map_err(Error::from)?;
        check.superseded = superseded
            .into_iter()
            .map(|one| answers::superseded(one, &row.digest, reveal))
            .collect();
        Ok(Response::new(check))
    }

    async fn list_checks(
        &self,
        request: Request<ListChecksRequest>,
    ) -> Result<Response<ListChecksResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckRead)?;
        let ListChecksRequest {
            scope,
            check_date,
            slot,
            page_size,
            page_token,
        } = request.into_inner();
        let asked = self.asked(&scope, check_date, slot, page_size, &page_token);
        let asked = read_or_denied(asked, self.may_list(&caller, &scope)).await?;
        let mut rows = self
            .app
            .list_checks(
                &caller,
                &asked.scope,
                asked.of,
                &asked.after,
                asked.limit + 1,
            )
            .await?;
        let next_page_token = cut(&mut rows, asked.limit, |row| {
            page::next(&row.place, &asked.binding())
        });
        let reveal = sees_people(&caller);
        let checks: Result<Vec<Check>, _> =
            rows.iter().map(|row| answers::check(row, reveal)).collect();
        Ok(Response::new(ListChecksResponse {
            checks: checks.map_err(Error::from)?,
            next_page_token,
        }))
    }

    async fn list_missing(
        &self,
        request: Request<ListMissingRequest>,
    ) -> Result<Response<ListMissingResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckRead)?;
        let ListMissingRequest {
            scope,
            check_date,
            slot,
            page_size,
            page_token,
        } = request.into_inner();
        let asked = self.asked(&scope, check_date, slot, page_size, &page_token);
        let asked = read_or_denied(asked, self.may_list(&caller, &scope)).await?;
        let most = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        let most = most.saturating_add(1);
        let mut due = self
            .app
            .list_missing(&caller, &asked.scope, asked.of, &asked.after, most)
            .await?;
        let next_page_token = cut(&mut due, asked.limit, |due| {
            page::next(&due.missing.place, &asked.binding())
        });
        let now = self.app.clock.now().timestamp_millis();
        Ok(Response::new(ListMissingResponse {
            missing_checks: due
                .into_iter()
                .map(|due| answers::missing(due, now))
                .collect(),
            next_page_token,
        }))
    }

    async fn record_reporter_exam(
        &self,
        request: Request<RecordReporterExamRequest>,
    ) -> Result<Response<ReporterExam>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ReporterExamine)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "parent", &request.parent);
        fields.required("account", &request.account);
        fields.text("account", &request.account, 64);
        let today = self.app.today();
        let passed = convert::optional_date(&mut fields, "pass_date", request.pass_date);
        let passed = passed.map_or(today, Day::from);
        let until = fields.date("valid_until_date", request.valid_until_date);
        let until = until.map_or(passed, Day::from);
        if passed > today {
            fields.violation("pass_date", "不能晚于今天", "must not be in the future");
        }
        let last = Day::from_number(passed.number().saturating_add(TERM));
        if until < passed || until > last {
            fields.violation(
                "valid_until_date",
                "应在考核通过之日起 200 天内",
                "must be within 200 days after pass_date",
            );
        }
        let permission = Permission::ReporterExamine;
        let may = convert::may_at(&self.app, &caller, permission, organization);
        read_or_denied(fields.finish(), may).await?;
        let answer = self
            .app
            .record_exam(&caller, organization, (passed, until), &request)
            .await?;
        Ok(Response::new(answer))
    }

    async fn list_reporter_exams(
        &self,
        request: Request<ListReporterExamsRequest>,
    ) -> Result<Response<ListReporterExamsResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::CheckRead)?;
        let ListReporterExamsRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let limit = page::size(page_size)?;
        let binding = [parent.as_str()];
        let after: (String, String) = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "parent", &parent);
        fields.finish()?;
        let mut rows = self
            .app
            .list_exams(&caller, organization, &after, limit + 1)
            .await?;
        let next_page_token = cut(&mut rows, limit, |row| {
            page::next(&(&row.place, &row.account), &binding)
        });
        Ok(Response::new(ListReporterExamsResponse {
            reporter_exams: rows.iter().map(answers::exam).collect(),
            next_page_token,
        }))
    }
}
