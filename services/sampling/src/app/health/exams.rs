//! Examinations of class reporters by the school's epidemic reporter (rule 1.3).

use kit::auth::{Caller, Permission, Role};
use kit::request::{Once, once};
use proto::sampling::{RecordReporterExamRequest, ReporterExam};

use super::super::App;
use crate::domain::day::Day;
use crate::error::Error;
use crate::grpc::health::screening_convert as convert;
use crate::store::health::exams::{self, ExamRow};
use kit::rows::Row;

/// Whether somebody submits checks as a class reporter and as nothing else.
pub(super) fn is_only_class_reporter(caller: &Caller) -> bool {
    let mut submitting = caller
        .roles
        .iter()
        .filter(|role| caller.authority.grants(**role, Permission::CheckSubmit));
    submitting.all(|role| *role == Role::ClassReporter)
}

impl App {
    /// Records that an account passed.
    pub(crate) async fn record_exam(
        &self,
        caller: &Caller,
        organization: &str,
        (passed, until): (Day, Day),
        request: &RecordReporterExamRequest,
    ) -> Result<ReporterExam, Error> {
        let permission = Permission::ReporterExamine;
        let place = self.place(caller, permission, organization).await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let method = "RecordReporterExam";
        let ticket = match once(&tx, caller, method, &request.request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let row = ExamRow {
            place: place.to_string(),
            account: request.account.clone(),
            passed: i32::from(passed.number()),
            valid_until: i32::from(until.number()),
            examiner: caller.subject.clone(),
            record_time: now.timestamp_millis(),
        };
        ExamRow::save(&tx, std::slice::from_ref(&row)).await?;
        let answer = convert::exam(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Examinations at or below an organisation, ordered by path and account after `after`.
    pub(crate) async fn list_exams(
        &self,
        caller: &Caller,
        organization: &str,
        after: &(String, String),
        limit: u64,
    ) -> Result<Vec<ExamRow>, Error> {
        let place = self
            .place(caller, Permission::CheckRead, organization)
            .await?;
        Ok(exams::list(self.db.read(), place.as_str(), after, limit).await?)
    }
}
