//! Records absences: those that checks report, many at once, and those that people do.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::request::{Once, once};
use proto::sampling::{Absence, RecordAbsenceRequest};
use sea_orm::Value;

use super::absence_book::Changed;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::absence::{Reason, together};
use crate::domain::health::symptom::Symptoms;
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::absence_convert;
use crate::store::health::absences::{self, AbsenceRow, ReportRow, TraceRow};
use crate::store::people::locate;
use kit::rows::{Lock, Row};

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
    /// The checks in `spoke` say `reports` from now on, in place of all they said before; each is
    /// marked whether it may have spoken before. An absence is what the reports that stand amount to:
    /// whoever has none open gets one with its tracing task, one that nothing reports any more is
    /// withdrawn unless somebody was reached about it, and one that is over stays as it ended. The
    /// schools are locked by the caller, people not yet.
    ///
    /// # Errors
    /// POLICY_UNKNOWN when no policy is known for a school, and when the database fails.
    pub(super) async fn report_absences(
        &self,
        tx: &Tx,
        spoke: &BTreeMap<String, bool>,
        reports: &[AbsenceReport],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let again = spoke.iter().filter(|(_, before)| **before);
        let again: Vec<&str> = again.map(|(check, _)| check.as_str()).collect();
        let mut gone: BTreeMap<(String, Vec<u8>), ReportRow> = absences::reports_of(tx, &again)
            .await?
            .into_iter()
            .map(|row| ((row.source.clone(), row.person.clone()), row))
            .collect();
        let (mut said, mut fresh) = (Vec::new(), Vec::new());
        for report in reports {
            match gone.remove(&(report.check.clone(), report.person.0.to_vec())) {
                Some(known) => {
                    let row = report.row(&known.absence);
                    if row != known {
                        said.push(row);
                    }
                }
                None => fresh.push(report),
            }
        }
        let gone: Vec<ReportRow> = gone.into_values().collect();
        let people: BTreeSet<Vec<u8>> = fresh.iter().map(|one| one.person.0.to_vec()).collect();
        let people: Vec<Value> = people.into_iter().map(Value::from).collect();
        let open = absences::open_of(tx, &people).await?;
        let moved: BTreeSet<&str> = said
            .iter()
            .chain(&gone)
            .map(|row| row.absence.as_str())
            .collect();
        let moved = moved.into_iter().map(Value::from).collect();
        let moved = AbsenceRow::find(tx, "id", moved, Lock::No).await?;
        let before: BTreeMap<String, AbsenceRow> = moved
            .into_iter()
            .chain(open.iter().cloned())
            .map(|row| (row.id.clone(), row))
            .collect();
        let mut rows = before.clone();
        let mut at: BTreeMap<Vec<u8>, String> =
            open.into_iter().map(|row| (row.person, row.id)).collect();
        for report in fresh {
            let id = at.entry(report.person.0.to_vec()).or_insert_with(|| {
                let of = (report.kind, report.person);
                let row = self.opened(of, &report.group_path, report.day, &report.reporter, now);
                let id = row.id.clone();
                rows.insert(id.clone(), row);
                id
            });
            said.push(report.row(id));
        }
        absences::take_back(tx, &gone).await?;
        ReportRow::save(tx, &said).await?;
        let ids = rows.keys().map(|id| id.as_str().into()).collect();
        let mut standing: BTreeMap<String, Vec<ReportRow>> = BTreeMap::new();
        for report in absences::reports_on(tx, ids).await? {
            let reports = standing.entry(report.absence.clone()).or_default();
            reports.push(report);
        }
        let mut changed: Vec<Changed> = Vec::new();
        for (id, mut row) in rows {
            derive(&mut row, standing.get(&id).map_or(&[], Vec::as_slice), now)?;
            let before = before.get(&id).cloned();
            if before.as_ref() != Some(&row) {
                changed.push((before, row));
            }
        }
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
        self.record_report(&tx, &mut row, (new.reason, new.start), now)
            .await?;
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

    /// Whoever recorded the absence reports it: no check takes that back.
    async fn record_report(
        &self,
        tx: &Tx,
        row: &mut AbsenceRow,
        said: (Reason, Day),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut standing = absences::reports_on(tx, vec![row.id.as_str().into()]).await?;
        let name = row.name();
        let own = standing.iter().position(|report| report.source == name);
        let own = own.map(|place| standing.swap_remove(place).said());
        let all = own.transpose()?.into_iter().chain([said]);
        let (reason, day) = together(all).unwrap_or(said);
        let report = ReportRow {
            source: name,
            person: row.person.clone(),
            absence: row.id.clone(),
            reason: reason.code(),
            day: i32::from(day.number()),
        };
        ReportRow::save(tx, std::slice::from_ref(&report)).await?;
        standing.push(report);
        derive(row, &standing, now)
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

impl AbsenceReport {
    /// As it is kept with its absence.
    fn row(&self, absence: &str) -> ReportRow {
        let reason = Reason::from_code(self.reason).unwrap_or(Reason::Unknown);
        ReportRow {
            source: self.check.clone(),
            person: self.person.0.to_vec(),
            absence: absence.to_owned(),
            reason: reason.code(),
            day: i32::from(self.day.number()),
        }
    }
}

/// What the reports that stand make of an absence: their order and repetition do not matter. What
/// people found out stays, and so does an absence that is over.
fn derive(row: &mut AbsenceRow, standing: &[ReportRow], now: DateTime<Utc>) -> Result<(), Error> {
    if row.facts()?.stands().is_over() {
        return Ok(());
    }
    let said: Vec<(Reason, Day)> = standing
        .iter()
        .map(ReportRow::said)
        .collect::<Result<_, _>>()?;
    let name = row.name();
    let checks = standing.iter().filter(|report| report.source != name);
    let first = checks.min_by_key(|report| (report.day, &report.source));
    row.check_name = first.map_or_else(String::new, |report| report.source.clone());
    let ill = said.iter().filter(|(reason, _)| *reason == Reason::Illness);
    let ill = ill.map(|(_, day)| i32::from(day.number())).min();
    if row.told != Reason::Illness.code() || row.ill_day == 0 {
        row.ill_day = ill.unwrap_or_default();
    } else {
        row.ill_day = ill.map_or(row.ill_day, |day| day.min(row.ill_day));
    }
    match together(said) {
        Some((reason, start)) => {
            row.reported = reason.code();
            row.start_day = i32::from(start.number());
        }
        None => {
            row.reported = Reason::Unknown.code();
            if row.told == 0 {
                row.withdraw_time = now.timestamp_millis();
            }
        }
    }
    Ok(())
}

/// Somebody was reached and gave the reason.
pub(super) fn reached(row: &mut AbsenceRow, reason: Reason, now: DateTime<Utc>) {
    row.told = reason.code();
    if reason == Reason::Illness && row.ill_day == 0 {
        // Nobody knew of another reason: it was an illness from the first day on.
        row.ill_day = if row.reported == Reason::Unknown.code() {
            row.start_day
        } else {
            i32::from(Day::from(civil_date(now)).number())
        };
    }
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
