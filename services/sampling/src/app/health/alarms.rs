//! What a check says that must be reported at once opens a case or an event with its clock (rules 1.4,
//! 1.16). Taking it back from the check does not end it: only a human who rules it out does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::DbErr;
use sha2::{Digest, Sha256};

use super::case_files::MILD;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::case::{Detection, EventKind, Subject};
use crate::domain::health::check::{Content, Whereabouts};
use crate::domain::health::disease::Certainty;
use crate::domain::roll::PersonId;
use crate::error::Error;
use crate::store::health::cases::{self, CaseRow};
use crate::store::health::checks::CheckRow;
use kit::rows::{Lock, Row};

/// Who opens a case when no human does.
const RULE: &str = "rule 1.16";

/// A case or event that a check asks for.
#[derive(Clone, Debug)]
pub(super) struct Alarm(CaseRow);

/// What the check `name`, stored as `row`, asks for: a suspected case of everybody with a severe sign,
/// and an event of each kind that it knows of, one a school and day.
pub(super) fn of_check(
    name: &str,
    row: &CheckRow,
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
    for finding in content.findings.iter().filter(|one| one.severe != 0) {
        let Some(at) = people.get(&finding.person) else {
            continue;
        };
        alarms.push(Alarm(CaseRow {
            id: case_id(&[name.as_bytes(), &finding.person.0]),
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
    let events = [
        (content.group_illness, EventKind::UnexplainedIllness),
        (content.public_event, EventKind::Other),
    ];
    let ill = i32::try_from(content.findings.len().max(1)).unwrap_or(i32::MAX);
    for (_, event) in events.into_iter().filter(|(known, _)| *known) {
        let kind = event as i16;
        let day = row.day.to_be_bytes();
        alarms.push(Alarm(CaseRow {
            id: case_id(&[found.school.as_bytes(), &day, &kind.to_be_bytes()]),
            subject: Subject::Event as i16,
            event_kind: kind,
            org_path: found.school.clone(),
            people: ill,
            ..found.clone()
        }));
    }
    Ok(alarms)
}

impl App {
    /// Opens what these alarms ask for, each once however often its check says it. Somebody whose
    /// illness has an open case gets no second one. The schools are locked by the caller.
    pub(super) async fn raise(
        &self,
        tx: &Tx,
        alarms: Vec<Alarm>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for Alarm(row) in alarms {
            if CaseRow::get(tx, &row.id, Lock::No).await?.is_some() {
                continue;
            }
            if !row.person.is_empty() {
                let open = cases::open_of(tx, vec![row.person.clone().into()]).await?;
                let same = |one: &CaseRow| row.disease == 0 || one.disease == row.disease;
                if open.iter().any(same) {
                    continue;
                }
            }
            let policy = self.policy_at(tx, &row.org_path).await?;
            self.add_case(tx, row, &policy, RULE, now).await?;
        }
        Ok(())
    }
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
