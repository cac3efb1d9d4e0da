//! What a check or an absence says that must be reported at once opens a case or an event with its
//! clock (rules 1.4, 1.16). Taking it back does not end it: only a human who rules it out does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::DbErr;
use sha2::{Digest, Sha256};

use super::case_files::MILD;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::absence::Reason;
use crate::domain::health::case::{Detection, EventKind, Subject};
use crate::domain::health::check::{Content, Whereabouts};
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::roll::PersonId;
use crate::error::Error;
use crate::store::health::absences::AbsenceRow;
use crate::store::health::cases::{self, CaseRow};
use crate::store::health::checks::CheckRow;
use kit::rows::{Lock, Row};

/// Who opens a case when no human does.
pub(super) const RULE: &str = "rule 1.16";

/// As many people an event concerns at most, as the contract has it.
const MOST_PEOPLE: i32 = 100_000;

/// As many events of a kind are opened at a school on a day.
const MOST_EVENTS: i16 = 20;

/// A case or event that a check or an absence asks for.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    row: CaseRow,
    /// Of an event: the number of the day of the check.
    day: i32,
    /// Of an event: as many people more than the same check told of it before.
    more: i32,
}

impl Alarm {
    fn of_person(row: CaseRow) -> Self {
        Self {
            row,
            day: 0,
            more: 0,
        }
    }
}

/// What the check `name`, stored as `row`, asks for: a suspected case of everybody with a severe sign
/// or a preliminary disease, and an event of each kind that it knows of, one open a school and day;
/// `before` is what stood in place of it.
pub(super) fn of_check(
    name: &str,
    (before, row): (Option<&CheckRow>, &CheckRow),
    content: &Content,
    people: &BTreeMap<PersonId, Whereabouts>,
) -> Result<Vec<Alarm>, DbErr> {
    let kind = row.unit()?.people();
    let found = CaseRow {
        school: row.school().to_owned(),
        certainty: Certainty::Suspected.code(),
        severity: MILD,
        onset: i32::from(Day::NEVER.number()),
        detection: Detection::Check as i16,
        basis: name.to_owned(),
        people: 1,
        detect_time: row.capture_time,
        ..CaseRow::default()
    };
    let mut alarms = Vec::new();
    for finding in content
        .findings
        .iter()
        .filter(|one| one.severe != 0 || one.disease != 0)
    {
        let Some(at) = people.get(&finding.person) else {
            continue;
        };
        alarms.push(Alarm::of_person(CaseRow {
            id: personal_id(name, &finding.person.0, finding.disease),
            subject: Subject::Person as i16,
            person: finding.person.0.to_vec(),
            kind: kind.code(),
            org_path: at.group.clone(),
            dormitory: at.dormitory.clone(),
            disease: finding.disease,
            onset: i32::from(finding.onset.number()),
            ..found.clone()
        }));
    }
    let told = before.map(CheckRow::content).transpose()?;
    for kind in [EventKind::UnexplainedIllness, EventKind::Other] {
        let people = told_of(content, kind);
        if people == 0 {
            continue;
        }
        let before = told.as_ref().map_or(0, |told| told_of(told, kind));
        let event = CaseRow {
            subject: Subject::Event as i16,
            event_kind: kind as i16,
            org_path: found.school.clone(),
            people,
            ..found.clone()
        };
        alarms.push(Alarm {
            row: event,
            day: row.day,
            more: (people - before).max(0),
        });
    }
    Ok(alarms)
}

/// Of how many people a check tells that an event of a kind concerns them; 0 when it knows of none.
fn told_of(content: &Content, kind: EventKind) -> i32 {
    let known = match kind {
        EventKind::UnexplainedIllness => content.group_illness,
        EventKind::Other => content.public_event,
    };
    if known {
        i32::try_from(content.findings.len().max(1)).unwrap_or(i32::MAX)
    } else {
        0
    }
}

/// What an absence by illness asks for whose disease became known at `now`, of somebody in a room: a
/// suspected case of it.
pub(super) fn of_absence(
    before: Option<&AbsenceRow>,
    row: &AbsenceRow,
    dormitory: &str,
    now: DateTime<Utc>,
) -> Option<Alarm> {
    let ill = |row: &AbsenceRow| row.reason == Reason::Illness.code();
    let is_known = before.is_some_and(|one| ill(one) && one.disease == row.disease);
    if !ill(row) || row.disease == 0 || is_known {
        return None;
    }
    let severity = if row.hospitalised {
        Severity::Hospitalised.code()
    } else {
        MILD
    };
    Some(Alarm::of_person(CaseRow {
        id: personal_id(&row.name(), &row.person, row.disease),
        subject: Subject::Person as i16,
        person: row.person.clone(),
        kind: row.kind,
        school: row.school.clone(),
        org_path: row.org_path.clone(),
        dormitory: dormitory.to_owned(),
        disease: row.disease,
        certainty: Certainty::Suspected.code(),
        severity,
        onset: row.onset,
        detection: Detection::Absence as i16,
        basis: row.name(),
        people: 1,
        detect_time: now.timestamp_millis(),
        ..CaseRow::default()
    }))
}

impl App {
    /// Opens what these alarms ask for, each once however often its check says it. Somebody whose
    /// illness has an open case gets no second one: a disease that becomes known names it. The schools
    /// are locked by the caller.
    pub(super) async fn raise(
        &self,
        tx: &Tx,
        alarms: Vec<Alarm>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for Alarm { row, day, more } in alarms {
            if row.subject == Subject::Event as i16 {
                self.raise_event(tx, row, (day, more), now).await?;
                continue;
            }
            if CaseRow::get(tx, &row.id, Lock::No).await?.is_some() {
                continue;
            }
            let open = cases::open_of(tx, vec![row.person.clone().into()]).await?;
            let same = |one: &CaseRow| row.disease == 0 || one.disease == row.disease;
            if open.iter().any(same) {
                continue;
            }
            let unnamed = |one: &CaseRow| one.disease == 0 && one.school == row.school;
            if let Some(mut case) = open.into_iter().find(unnamed) {
                let disease = Disease(row.disease);
                self.name_disease(tx, &mut case, disease, RULE, now).await?;
                self.say_case(tx, &case, false, now).await?;
                self.finish_case(tx, case, now).await?;
                continue;
            }
            let policy = self.policy_at(tx, &row.org_path).await?;
            self.add_case(tx, row, &policy, RULE, now).await?;
        }
        Ok(())
    }

    /// Opens an event, or tells the one of the school, day and kind that is open of `more` people. What
    /// was seen after an event was ended is another one, unless the check that led to the first says it
    /// again.
    async fn raise_event(
        &self,
        tx: &Tx,
        mut row: CaseRow,
        (day, more): (i32, i32),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for sequence in 1..=MOST_EVENTS {
            row.id = event_id(&row, day, sequence);
            let Some(mut known) = CaseRow::get(tx, &row.id, Lock::Yes).await? else {
                let policy = self.policy_at(tx, &row.org_path).await?;
                self.add_case(tx, row, &policy, RULE, now).await?;
                return Ok(());
            };
            if known.is_open() {
                if more > 0 {
                    known.people = known.people.saturating_add(more).min(MOST_PEOPLE);
                    if known.first_time == 0 {
                        self.shorten(tx, &mut known, now).await?;
                    }
                    self.finish_case(tx, known, now).await?;
                }
                return Ok(());
            }
            if row.detect_time <= known.close_time || row.basis == known.basis {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The identifier of an event of a school, day and kind, by its number on that day from 1 on.
fn event_id(row: &CaseRow, day: i32, sequence: i16) -> String {
    let (day, kind) = (day.to_be_bytes(), row.event_kind.to_be_bytes());
    let number = sequence.to_be_bytes();
    let parts = [row.school.as_bytes(), &day, &kind, &number];
    case_id(if sequence == 1 { &parts[..3] } else { &parts })
}

/// The identifier of the case that a check or an absence opens of somebody; a disease that it names
/// later, or another one, has a case of its own.
fn personal_id(source: &str, person: &[u8], disease: i16) -> String {
    let disease = disease.to_be_bytes();
    let parts = [source.as_bytes(), person, &disease];
    case_id(if disease == [0, 0] {
        &parts[..2]
    } else {
        &parts
    })
}

/// The identifier of the case that these parts name: the same whenever it is asked for.
pub(super) fn case_id(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for (place, part) in parts.iter().enumerate() {
        if place != 0 {
            hash.update([0]);
        }
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid().to_string()
}
