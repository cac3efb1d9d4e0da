//! What every change of a case ends with: its sign is said, its clocks are set, it is announced.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::feed::announce;
use kit::hop;
use kit::status::Problem;
use proto::error::ErrorReason;
use std::collections::{BTreeMap, BTreeSet};

use super::Said;
use super::clusters::is_above;
use super::deadlines::{self, Deadline};
use super::reports;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::case::{Detection, Happening, Subject};
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::health::report;
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::Symptoms;
use crate::domain::policy::Policy;
use crate::domain::roll::{GroupKind, person};
use crate::error::Error;
use crate::grpc::health::case_convert;
use crate::store::health::cases::{self, CaseEventRow, CaseRow};
use crate::store::health::contacts::ContactRow;
use crate::store::health::dormitories;
use crate::store::health::reports::{CaseFile, HopRow, StepRow, files};
use crate::store::holds::HoldRow;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

/// A case that is locked for a change, with the locked tubes whose holds led to it.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) row: CaseRow,
    pub(super) tubes: BTreeMap<String, TubeRow>,
}

impl App {
    /// Locks a case that the caller may change, in the order of all writers: the tubes and holds
    /// that led to it, the school and `schools`, the case.
    pub(super) async fn locked_case(
        &self,
        tx: &Tx,
        caller: &Caller,
        permission: Permission,
        id: &str,
        schools: &[&str],
    ) -> Result<Locked, Error> {
        caller.allowed(permission)?;
        let seen = CaseRow::get(tx, id, Lock::No).await?;
        let path = seen.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        let missing = || Error::NotFound(format!("cases/{id}"));
        let seen = seen.ok_or_else(missing)?;
        let findings = cases::findings(tx, id).await?;
        let codes: BTreeSet<&str> = findings
            .iter()
            .filter_map(|finding| finding.source.strip_prefix("holds/"))
            .collect();
        let keys: Vec<_> = codes.iter().map(|code| (*code).into()).collect();
        let tubes = TubeRow::find(tx, "code", keys.clone(), Lock::Yes).await?;
        HoldRow::find(tx, "tube", keys, Lock::Yes).await?;
        let mut schools = schools.to_vec();
        schools.push(&seen.school);
        self.lock_health(tx, &schools).await?;
        let row = CaseRow::get(tx, id, Lock::Yes).await?.ok_or_else(missing)?;
        if cases::findings(tx, id).await? != findings {
            return Err(Problem::new(ErrorReason::Conflict).into());
        }
        let tubes = tubes.into_iter().map(|tube| (tube.code.clone(), tube));
        Ok(Locked {
            row,
            tubes: tubes.collect(),
        })
    }

    /// A case that the caller may read.
    pub(crate) async fn readable_case(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<CaseRow, Error> {
        caller.allowed(permission)?;
        let row = CaseRow::get(self.db.read(), id, Lock::No).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        row.ok_or_else(|| Error::NotFound(format!("cases/{id}")))
    }

    /// Adds a new case: its chain and clocks follow from the policy in force (rules 1.16 to 1.18).
    /// The school is locked by the caller.
    pub(super) async fn add_case(
        &self,
        tx: &Tx,
        mut row: CaseRow,
        policy: &Policy,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<CaseFile, Error> {
        let disease = Disease(row.disease);
        let is_event = row.subject == Subject::Event as i16;
        let limit = report::first_limit(&policy.health, disease, row.toll()?);
        row.urgent = report::is_urgent(&policy.health, disease, is_event);
        row.first_due = row.detect_time + hop::millis(limit);
        row.follow_up = hop::millis(report::follow_up(&policy.health, row.urgent));
        row.open_time = now.timestamp_millis();
        row.policy_version.clone_from(&policy.version);
        let hops: Vec<HopRow> = report::chain(&policy.health, row.urgent)
            .iter()
            .map(|hop| HopRow {
                case_id: row.id.clone(),
                from_level: hop.from,
                to_level: hop.to,
                sla: hop::millis(hop.sla),
            })
            .collect();
        HopRow::add(tx, &hops).await?;
        let entity = format!("{}/{}", row.id, report::SCHOOL);
        deadlines::wait(tx, Deadline::ReportHop, &entity, row.first_due + 1).await?;
        self.exclude_by_case(tx, &row, actor, now).await?;
        self.say_case(tx, &row, true, now).await?;
        log(tx, &mut row, Happening::Opened, actor, "", now).await?;
        self.finish_case(tx, row, now).await
    }

    /// Says what the case knows of its person's health: what they have or, once it was ruled out, what
    /// they have not; nothing while the disease is unknown, when the check that led to it says what was
    /// seen.
    pub(super) async fn say_case(
        &self,
        tx: &Tx,
        row: &CaseRow,
        first: bool,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(kind) = GroupKind::from_code(row.kind) else {
            return Ok(());
        };
        let standing = row.standing()?;
        let disease = Some(Disease(row.disease)).filter(|disease| disease.0 != 0);
        let sign = disease.map(|disease| match standing.certainty {
            Some(certainty) => Sign {
                diagnosis: Some((disease, certainty)),
                severity: standing.severity,
                // Whoever was cleared before it was confirmed is ill again from then on.
                time: if certainty == Certainty::Confirmed {
                    row.detect_time.max(row.confirm_time)
                } else {
                    row.detect_time
                },
                ..sign_of(row, kind)
            },
            None => Sign {
                ruled_out: Some(disease),
                time: row.close_time,
                ..sign_of(row, kind)
            },
        });
        let mut said = Said::default();
        said.source(&row.name(), first, sign.into_iter().collect());
        self.note_signs(tx, said, now).await
    }

    /// Says that the person of a case that was of `before` had not that, so that whatever suspected it
    /// counts no more, and takes back that they had not what it is of now.
    pub(super) async fn say_revised(
        &self,
        tx: &Tx,
        row: &CaseRow,
        before: Disease,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(kind) = GroupKind::from_code(row.kind) else {
            return Ok(());
        };
        let source = |disease: i16| format!("{}/diseases/{disease}", row.name());
        let mut said = Said::default();
        said.source(&source(row.disease), false, Vec::new());
        if before.0 != 0 && before.0 != row.disease {
            let none = Sign {
                source: source(before.0),
                ruled_out: Some(before),
                time: now.timestamp_millis(),
                ..sign_of(row, kind)
            };
            said.source(&source(before.0), false, vec![none]);
        }
        self.note_signs(tx, said, now).await
    }

    /// Stores a changed case, finds out whether anything of it is late, and announces it.
    pub(super) async fn finish_case(
        &self,
        tx: &Tx,
        mut row: CaseRow,
        now: DateTime<Utc>,
    ) -> Result<CaseFile, Error> {
        row.version += 1;
        let mut found = files(tx, vec![row]).await?;
        let mut file = found.pop().unwrap_or_default();
        file.row.late = file.is_late(now.timestamp_millis());
        CaseRow::save(tx, std::slice::from_ref(&file.row)).await?;
        announce(tx, vec![case_convert::change(&file, now)]).await?;
        Ok(file)
    }

    /// Nobody waits for a report of this case any more.
    pub(super) async fn stop_clocks(&self, tx: &Tx, row: &CaseRow) -> Result<(), Error> {
        for level in report::SCHOOL..=report::STATE {
            let entity = format!("{}/{level}", row.id);
            deadlines::settle(tx, Deadline::ReportHop, &entity).await?;
        }
        deadlines::settle(tx, Deadline::FollowUpReport, &row.id).await?;
        Ok(())
    }

    /// Locks what a deadline of a case concerns, in the order of all writers.
    pub(super) async fn lock_case_deadline(&self, tx: &Tx, entity: &str) -> Result<(), Error> {
        let id = entity.split('/').next().unwrap_or_default();
        let Some(row) = CaseRow::get(tx, id, Lock::No).await? else {
            return Ok(());
        };
        let contacts = ContactRow::find(tx, "case_id", vec![id.into()], Lock::No).await?;
        let mut schools: Vec<&str> = contacts
            .iter()
            .map(|row| school_of(&row.org_path))
            .collect();
        schools.push(&row.school);
        self.lock_health(tx, &schools).await
    }

    /// A report or a receipt of a case is due now.
    pub(super) async fn case_due(
        &self,
        tx: &Tx,
        entity: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let id = entity.split('/').next().unwrap_or_default();
        if let Some(row) = CaseRow::get(tx, id, Lock::Yes).await? {
            self.finish_case(tx, row, now).await?;
        }
        Ok(())
    }
}

impl CaseFile {
    /// The instant up to which the clocks run: one that was ruled out owes nothing from then on.
    pub(crate) fn until(&self, now: i64) -> i64 {
        let excluded = self
            .row
            .standing()
            .is_ok_and(|standing| standing.certainty.is_none());
        if excluded {
            now.min(self.row.close_time)
        } else {
            now
        }
    }

    /// The clock of each hop.
    pub(crate) fn clocks(&self) -> Vec<hop::HopClock> {
        let hop = |hop: &HopRow| hop::Hop {
            from: hop.from_level,
            to: hop.to_level,
            sla: std::time::Duration::from_millis(hop.sla.unsigned_abs()),
        };
        let receipts: Vec<hop::Receipt> = self
            .receipts()
            .map(|step| hop::Receipt {
                level: step.level,
                time: step.time,
            })
            .collect();
        let hops: Vec<_> = self.hops.iter().map(hop).collect();
        let first = self.row.first_due - self.row.detect_time;
        hop::clocks(&hops, self.row.detect_time, first, &receipts)
    }

    /// The receipts on the chain, not those beside it.
    pub(super) fn receipts(&self) -> impl Iterator<Item = &StepRow> {
        let kinds = [reports::RECEIVED, reports::OUTSIDE];
        let steps = self.steps.iter();
        steps.filter(move |step| kinds.contains(&step.kind))
    }

    /// Whether the receipt that ended a hop was recorded by whoever sent, not by who received.
    pub(crate) fn recorded_by_sender(&self, clock: &hop::HopClock) -> bool {
        let reached = self.receipts().filter(|step| step.level >= clock.to);
        let first = reached.min_by_key(|step| (step.time, step.level));
        first.is_some_and(|step| step.kind == reports::OUTSIDE)
    }

    /// Whether anything is or was late.
    pub(crate) fn is_late(&self, now: i64) -> bool {
        let written = report::Written {
            first_due: self.row.first_due,
            first: self.row.first_time,
            follow_due: self.row.follow_due,
        };
        self.row.late || report::is_late(written, &self.clocks(), self.until(now))
    }
}

/// A school may not undo by itself what others found or know of: what was confirmed, came from a
/// laboratory, is urgent or was reported is ruled out only above it, and only there are the contacts
/// freed before their day (rules 1.16, 1.17, 2.21).
pub(super) fn check_decides(caller: &Caller, row: &CaseRow) -> Result<(), Error> {
    let weighs = row.certainty == Certainty::Confirmed.code()
        || row.detection == Detection::Laboratory as i16
        || row.urgent
        || row.reports != 0;
    if weighs && !is_above(caller, &row.school) {
        return Err(Error::CaseDecidedAbove);
    }
    Ok(())
}

/// Notes what happened to a case.
pub(super) async fn log(
    tx: &Tx,
    row: &mut CaseRow,
    happening: Happening,
    actor: &str,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    row.events += 1;
    let event = CaseEventRow {
        case_id: row.id.clone(),
        sequence: row.events,
        time: now.timestamp_millis(),
        kind: happening as i16,
        actor: actor.to_owned(),
        severity: row.severity,
        note: note.to_owned(),
    };
    Ok(CaseEventRow::add(tx, std::slice::from_ref(&event)).await?)
}

/// A sign of the person of a case that says nothing yet.
fn sign_of(row: &CaseRow, kind: GroupKind) -> Sign {
    Sign {
        source: row.name(),
        person: person(&row.person),
        kind,
        group: row.org_path.clone(),
        dormitory: row.dormitory.clone(),
        day: found_on(row),
        until: Day::NEVER,
        symptoms: Symptoms::NONE,
        temperature: 0,
        diagnosis: None,
        ruled_out: None,
        severity: Severity::Mild,
        onset: Day::from_number(u16::try_from(row.onset).unwrap_or_default()),
        time: 0,
    }
}

/// The civil day on which a case was found.
pub(super) fn found_on(row: &CaseRow) -> Day {
    let found = DateTime::from_timestamp_millis(row.detect_time).unwrap_or_default();
    civil_date(found).into()
}

/// The place of the school of a group.
pub(in crate::app) fn school_of(group: &str) -> &str {
    group.rsplit_once('/').map_or("", |(school, _)| school)
}

/// The identifier of the dormitory room of somebody in a group; empty for who has none.
pub(super) async fn room_of(tx: &Tx, group: &str, who: &[u8]) -> Result<String, Error> {
    let mut rooms = dormitories::rooms_of(tx, vec![group.into()]).await?;
    Ok(rooms.remove(&person(who)).unwrap_or_default())
}

/// A mild illness is what nobody has said more of.
pub(super) const MILD: i16 = Severity::Mild as i16;
