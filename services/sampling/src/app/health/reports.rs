//! Reports on cases and the hops they go up: written, received, sent on. Nothing is ever changed.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission, Role};
use kit::db::Tx;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::sampling::{CaseReport, ReportStep};

use super::deadlines::{self, Deadline};
use crate::app::App;
use crate::domain::health::report::{CITY, COUNTY_HEALTH, ReportKind, is_outside, sender};
use crate::error::Error;
use crate::grpc::health::report_convert;
use crate::store::health::cases::CaseRow;
use crate::store::health::reports::{self, CaseFile, ReportRow, StepRow};
use kit::rows::Row;

/// What a step is: numbers of the contract.
pub(super) const RECEIVED: i16 = 1;
const FORWARDED: i16 = 2;
const BESIDE: i16 = 3;
pub(super) const OUTSIDE: i16 = 4;

/// A step up the chain, by numbers of levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepUp {
    /// This level received; with the number of a receipt that was given outside.
    Receive(i16, String),
    /// The first level sent it to the second.
    Forward(i16, i16),
}

impl App {
    /// Writes the next report of a case; `draft` has its content and kind.
    pub(crate) async fn write_report(
        &self,
        caller: &Caller,
        id: &str,
        draft: ReportRow,
        (request_id, request): (&str, &impl Message),
    ) -> Result<CaseReport, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let permission = Permission::CaseWrite;
        let mut row = self
            .locked_case(&tx, caller, permission, id, &[])
            .await?
            .row;
        let ticket = match once(&tx, caller, "WriteReport", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let kind = ReportKind::from_code(draft.kind).ok_or(Error::ReportOrder(draft.kind))?;
        let last = ReportKind::from_code(row.last_report);
        // The final report of a case that was opened again since was not the last one.
        let reopened = row.is_open() && last == Some(ReportKind::Final);
        if !kind.follows(last.map(|last| if reopened { ReportKind::FollowUp } else { last })) {
            return Err(Error::ReportOrder(draft.kind));
        }
        if kind == ReportKind::Final && row.is_open() {
            return Err(Error::CaseState("OPEN"));
        }
        let time = now.timestamp_millis();
        let excluded = row.standing()?.certainty.is_none();
        // One that was ruled out owes nothing from then on.
        let until = if excluded { row.close_time } else { time };
        let due = match kind {
            ReportKind::First => row.first_due,
            ReportKind::FollowUp | ReportKind::Final => row.follow_due,
        };
        row.reports += 1;
        let report = ReportRow {
            case_id: row.id.clone(),
            sequence: row.reports,
            time,
            due,
            late: due != 0 && until > due,
            author: caller.subject.clone(),
            ..draft
        };
        row.late |= report.late;
        row.last_report = report.kind;
        if kind == ReportKind::First {
            row.first_time = time;
        }
        row.follow_due = match kind {
            ReportKind::First | ReportKind::FollowUp if row.follow_up != 0 => time + row.follow_up,
            _ => 0,
        };
        if row.follow_due == 0 {
            deadlines::settle(&tx, Deadline::FollowUpReport, id).await?;
        } else {
            deadlines::wait(&tx, Deadline::FollowUpReport, id, row.follow_due + 1).await?;
        }
        ReportRow::add(&tx, std::slice::from_ref(&report)).await?;
        self.finish_case(&tx, row, now).await?;
        let answer = report_convert::report(&report);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Notes a receipt or a sending.
    pub(crate) async fn step_up(
        &self,
        caller: &Caller,
        id: &str,
        step: StepUp,
        (request_id, request): (&str, &impl Message),
    ) -> Result<ReportStep, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let permission = Permission::ReportReceive;
        let row = self
            .locked_case(&tx, caller, permission, id, &[])
            .await?
            .row;
        let (method, level) = match &step {
            StepUp::Receive(level, reference) => {
                check_reference(*level, reference)?;
                ("AcknowledgeReport", *level)
            }
            StepUp::Forward(level, _) => ("ForwardReport", *level),
        };
        if !answers(caller, level, matches!(step, StepUp::Receive(..))) {
            return Err(Problem::new(ErrorReason::ScopeDenied)
                .meta("permission", permission)
                .into());
        }
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let found = reports::files(&tx, vec![row]).await?.pop();
        let file = found.ok_or_else(|| Error::NotFound(format!("cases/{id}")))?;
        let step = next_step(&file, caller, step, now)?;
        StepRow::add(&tx, std::slice::from_ref(&step)).await?;
        if matches!(step.kind, RECEIVED | OUTSIDE) {
            self.cluster_is_reported(&tx, &file.row, &caller.subject, now)
                .await?;
        }
        self.restart_clocks(&tx, &file.row, now).await?;
        self.finish_case(&tx, file.row, now).await?;
        let answer = report_convert::step(&step);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Waits for what is due of a case and for nothing else.
    pub(super) async fn restart_clocks(
        &self,
        tx: &Tx,
        row: &CaseRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let file = reports::files(tx, vec![row.clone()]).await?.pop();
        for clock in file.unwrap_or_default().clocks() {
            let entity = format!("{}/{}", row.id, clock.from);
            let waits = clock.received == 0 && clock.due >= now.timestamp_millis();
            if waits {
                deadlines::wait(tx, Deadline::ReportHop, &entity, clock.due + 1).await?;
            } else {
                deadlines::settle(tx, Deadline::ReportHop, &entity).await?;
            }
        }
        if row.follow_due >= now.timestamp_millis() {
            let due = row.follow_due + 1;
            deadlines::wait(tx, Deadline::FollowUpReport, &row.id, due).await?;
        }
        Ok(())
    }

    /// One report.
    pub(crate) async fn get_report(
        &self,
        caller: &Caller,
        id: &str,
        sequence: i32,
    ) -> Result<ReportRow, Error> {
        let found = self.list_reports(caller, id, sequence - 1, 1).await?.pop();
        found
            .filter(|report| report.sequence == sequence)
            .ok_or_else(|| Error::NotFound(format!("cases/{id}/reports/{sequence}")))
    }

    /// The reports of a case after one.
    pub(crate) async fn list_reports(
        &self,
        caller: &Caller,
        id: &str,
        after: i32,
        limit: u64,
    ) -> Result<Vec<ReportRow>, Error> {
        self.readable_case(caller, Permission::CaseRead, id).await?;
        Ok(reports::list(self.db.read(), id, after, limit).await?)
    }

    /// The receipts and sendings of a case after one.
    pub(crate) async fn list_report_steps(
        &self,
        caller: &Caller,
        id: &str,
        after: i32,
        limit: u64,
    ) -> Result<Vec<StepRow>, Error> {
        self.readable_case(caller, Permission::CaseRead, id).await?;
        Ok(reports::steps(self.db.read(), id, after, limit).await?)
    }
}

/// The receipt of a level without an account here carries a number, that of no other does.
fn check_reference(level: i16, reference: &str) -> Result<(), Problem> {
    let field = "outside_reference";
    match (is_outside(level), reference.is_empty()) {
        (true, true) => Err(Problem::invalid(
            field,
            "须填写上级回执的编号",
            "must be the number of the receipt",
        )),
        (false, false) => Err(Problem::invalid(
            field,
            "该层级在本系统签收，不填",
            "not for a level that receives here",
        )),
        _ => Ok(()),
    }
}

/// Whether the caller answers for a level: disease control, that of the county or that of the city in its
/// place, for the county's health authority, beside which an education bureau may receive; whoever
/// works for the whole city for the city. For a level
/// without an account here, whoever answers for the level that sends to it.
fn answers(caller: &Caller, level: i16, receives: bool) -> bool {
    let beside = receives && level == COUNTY_HEALTH;
    let level = if is_outside(level) {
        sender(level)
    } else {
        level
    };
    let of_city = caller.scope.ids().count() <= 1;
    let bureau = caller.is(Role::CityOfficer) || caller.is(Role::DistrictOfficer);
    match level {
        COUNTY_HEALTH => caller.is(Role::DiseaseControl) || (beside && bureau),
        CITY => of_city && (caller.is(Role::CityOfficer) || caller.is(Role::DiseaseControl)),
        _ => false,
    }
}

/// The next step of a case. Its time is the server's, and never before that of the last step.
fn next_step(
    file: &CaseFile,
    caller: &Caller,
    step: StepUp,
    now: DateTime<Utc>,
) -> Result<StepRow, Error> {
    let (kind, level, to_level, outside_reference) = match step {
        StepUp::Receive(level, reference) => {
            if file.row.reports == 0 {
                return Err(Error::ReportLevel(level));
            }
            let kind = if is_outside(level) {
                OUTSIDE
            } else if level == COUNTY_HEALTH && !caller.is(Role::DiseaseControl) {
                BESIDE
            } else {
                RECEIVED
            };
            (kind, level, 0, reference)
        }
        StepUp::Forward(level, to_level) => {
            if !file.receipts().any(|step| step.level == level) {
                return Err(Error::ReportLevel(level));
            }
            (FORWARDED, level, to_level, String::new())
        }
    };
    let last = file.steps.last();
    Ok(StepRow {
        case_id: file.row.id.clone(),
        sequence: last.map_or(1, |step| step.sequence + 1),
        kind,
        level,
        to_level,
        time: now.timestamp_millis().max(last.map_or(0, |step| step.time)),
        actor: caller.subject.clone(),
        outside_reference,
    })
}
