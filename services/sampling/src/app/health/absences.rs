//! Records absences: those that checks report, many at once, and those that people do.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use proto::sampling::{Absence, RecordAbsenceRequest};
use sea_orm::Value;

use super::absence_book::Changed;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::absence::Reason;
use crate::domain::health::symptom::Symptoms;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::absence_convert;
use crate::store::health::absences::{self, AbsenceRow, TraceRow};
use crate::store::people::locate;
use kit::rows::Row;

/// What came of an attempt to reach somebody: a number of the contract.
pub(super) const REACHED: i16 = 1;

/// Somebody who is not there, as a check says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AbsenceReport {
    /// Who.
    pub(crate) person: PersonId,
    /// A student or a member of staff.
    pub(crate) kind: GroupKind,
    /// The place of the person's group.
    pub(crate) group_path: String,
    /// The civil day of the check.
    pub(crate) day: Day,
    /// Why, as far as the check knows: a number of the contract.
    pub(crate) reason: i16,
    /// The check's resource name.
    pub(crate) check: String,
    /// The account that submitted the check.
    pub(crate) reporter: String,
}

/// An illness as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Illness {
    pub(crate) symptoms: Symptoms,
    /// Tenths of a degree Celsius, 0 for none.
    pub(crate) temperature: i16,
    pub(crate) onset: Day,
    pub(crate) seen_doctor: bool,
    /// A number of the contract, 0 for none.
    pub(crate) disease: i16,
    pub(crate) hospitalised: bool,
}

/// An absence to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct NewAbsence {
    pub(crate) person: (GroupKind, PersonId),
    pub(crate) reason: Reason,
    pub(crate) start: Day,
    /// Milliseconds since 1970, 0 for none.
    pub(crate) leave_time: i64,
    pub(crate) illness: Option<Illness>,
    /// The notes of the first trace, when the reason was given unasked.
    pub(crate) told: Option<String>,
}

impl App {
    /// Opens an absence with its tracing task for everybody who has none open; whoever is absent
    /// already stays so, from the earliest day and for the gravest reason reported. The schools are
    /// locked by the caller, people not yet.
    ///
    /// # Errors
    /// POLICY_UNKNOWN when no policy is known for a school, and when the database fails.
    pub(super) async fn report_absences(
        &self,
        tx: &Tx,
        reports: &[AbsenceReport],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut people: Vec<[u8; 16]> = reports.iter().map(|report| report.person.0).collect();
        people.sort_unstable();
        people.dedup();
        let keys: Vec<Value> = people.iter().map(|person| person.to_vec().into()).collect();
        let open = absences::open_of(tx, &keys).await?;
        let open: HashMap<Vec<u8>, AbsenceRow> = open
            .into_iter()
            .map(|row| (row.person.clone(), row))
            .collect();
        let mut rows: BTreeMap<[u8; 16], AbsenceRow> = BTreeMap::new();
        for report in reports {
            let row = rows.entry(report.person.0).or_insert_with(|| {
                let known = open.get(&report.person.0[..]).cloned();
                known.unwrap_or_else(|| AbsenceRow {
                    check_name: report.check.clone(),
                    ..self.opened(
                        (report.kind, report.person),
                        &report.group_path,
                        report.day,
                        &report.reporter,
                        now,
                    )
                })
            });
            let reason = Reason::from_code(report.reason).unwrap_or(Reason::Unknown);
            merge(row, reason, report.day);
        }
        let changed = rows.into_values().filter_map(|row| {
            let before = open.get(&row.person).cloned();
            (before.as_ref() != Some(&row)).then_some((before, row))
        });
        let changed: Vec<Changed> = changed.collect();
        self.keep_absences(tx, changed, now).await
    }

    /// Records one absence, or adds to the one that is open.
    pub(crate) async fn record_absence(
        &self,
        caller: &Caller,
        new: NewAbsence,
        request: &RecordAbsenceRequest,
    ) -> Result<Absence, Error> {
        let (kind, person) = new.person;
        let located = locate(self.db.read(), person).await?;
        let located = located.filter(|located| located.group.kind == kind);
        let path = located.as_ref().map_or("", |located| &located.group.path);
        let path = path.to_owned();
        Self::check_path(caller, Permission::AbsenceWrite, &path)?;
        let located = located.ok_or_else(|| Error::NotFound(person_name(kind, person)))?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        self.lock_health(&tx, &[located.group.school_path()])
            .await?;
        let method = "RecordAbsence";
        let ticket = match once(&tx, caller, method, &request.request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let known = absences::open_of(&tx, &[person.0.to_vec().into()])
            .await?
            .pop();
        let mut row = known
            .clone()
            .unwrap_or_else(|| self.opened(new.person, &path, new.start, &caller.subject, now));
        merge(&mut row, new.reason, new.start);
        if new.leave_time != 0 && row.leave_time == 0 {
            row.leave_time = new.leave_time;
        }
        if let Some(illness) = &new.illness {
            tell(&mut row, illness, now);
        }
        if let Some(note) = &new.told {
            let told = (REACHED, Some(new.reason), note.as_str());
            reached(&mut row, new.reason, now);
            self.note_trace(&tx, caller, &row.id, told, now).await?;
        }
        let id = row.id.clone();
        if known.as_ref() != Some(&row) {
            self.keep_absences(&tx, vec![(known, row)], now).await?;
        }
        let row = self.stored_absence(&tx, &id).await?;
        let answer = absence_convert::absence(&row, Self::sees_health(caller, &row.org_path));
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Adds a line to the trail of an absence.
    pub(super) async fn note_trace(
        &self,
        tx: &Tx,
        caller: &Caller,
        absence: &str,
        (outcome, reason, note): (i16, Option<Reason>, &str),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let trace = TraceRow {
            absence: absence.to_owned(),
            sequence: absences::count_traces(tx, absence).await? + 1,
            time: now.timestamp_millis(),
            outcome,
            reason: reason.map_or(0, Reason::code),
            note: note.to_owned(),
            actor: caller.subject.clone(),
        };
        Ok(TraceRow::add(tx, &[trace]).await?)
    }

    /// An absence as it begins.
    fn opened(
        &self,
        (kind, person): (GroupKind, PersonId),
        path: &str,
        start: Day,
        reporter: &str,
        now: DateTime<Utc>,
    ) -> AbsenceRow {
        let mut id = [0; 16];
        id.copy_from_slice(&(self.entropy)()[..16]);
        AbsenceRow {
            id: uuid::Builder::from_random_bytes(id).into_uuid().to_string(),
            person: person.0.to_vec(),
            kind: kind.code(),
            school: path
                .rsplit_once('/')
                .map_or("", |(school, _)| school)
                .to_owned(),
            org_path: path.to_owned(),
            reported: Reason::Unknown.code(),
            start_day: i32::from(start.number()),
            reporter: reporter.to_owned(),
            create_time: now.timestamp_millis(),
            ..AbsenceRow::default()
        }
    }
}

/// Adds a report: order and repetition do not matter.
fn merge(row: &mut AbsenceRow, reason: Reason, start: Day) {
    let known = Reason::from_code(row.reported).unwrap_or(Reason::Unknown);
    row.reported = known.or(reason).code();
    row.start_day = row.start_day.min(i32::from(start.number()));
}

/// Somebody was reached and gave the reason.
pub(super) fn reached(row: &mut AbsenceRow, reason: Reason, now: DateTime<Utc>) {
    row.told = reason.code();
    if row.trace_time == 0 {
        row.trace_time = now.timestamp_millis();
    }
}

/// What is told of the illness stands in place of what was known.
pub(super) fn tell(row: &mut AbsenceRow, illness: &Illness, now: DateTime<Utc>) {
    let Illness {
        symptoms,
        temperature,
        onset,
        seen_doctor,
        disease,
        hospitalised,
    } = illness.clone();
    row.symptoms = symptoms.bits();
    row.temperature = temperature;
    row.onset = i32::from(onset.number());
    row.seen_doctor = seen_doctor;
    row.disease = disease;
    row.hospitalised = hospitalised;
    row.illness_time = now.timestamp_millis();
}

#[cfg(test)]
#[path = "absences_tests.rs"]
mod tests;
