//! Stores absences with all that follows from each: where it stands, its clocks, what it says of the
//! person's health, the counters of the school, and the feed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::feed::announce;
use sea_orm::Value;

use super::Said;
use super::alarms;
use super::deadlines::{self, Deadline};
use crate::app::App;
use crate::app::tube_steps::millis;
use crate::domain::day::Day;
use crate::domain::health::absence::{AbsenceState, Reason, interview_at};
use crate::domain::health::absence_tally::AbsenceTally;
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::health::rules::{HealthRules, Slot};
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::{Symptom, Symptoms};
use crate::domain::policy::Policy;
use crate::domain::roll::{GroupKind, person};
use crate::error::Error;
use crate::grpc::announced::absence_change;
use crate::store::health::absences::{self, AbsenceRow};
use crate::store::health::dormitories;
use crate::store::policy::Facts;
use kit::rows::Row;

/// When a day's absences are known where the policy has no morning check: noon.
const NOON: u16 = 12 * 60;

/// An absence before and after; none before it was recorded.
pub(super) type Changed = (Option<AbsenceRow>, AbsenceRow);

impl App {
    /// Stores absences that changed, with all that follows. Their schools are locked.
    pub(super) async fn keep_absences(
        &self,
        tx: &Tx,
        mut changed: Vec<Changed>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        let facts = self.facts.get(tx).await?;
        let groups: BTreeSet<&str> = changed
            .iter()
            .map(|(_, row)| row.org_path.as_str())
            .collect();
        let rooms =
            dormitories::rooms_of(tx, groups.into_iter().map(Value::from).collect()).await?;
        let (mut said, mut alarms) = (Said::default(), Vec::new());
        let mut tallies: BTreeMap<String, AbsenceTally> = BTreeMap::new();
        let (mut due, mut over, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (before, row) in &mut changed {
            let policy = facts.policy(&row.org_path, self.today());
            let policy = policy.ok_or_else(|| Error::NoPolicy(row.org_path.clone()))?;
            settle(row, policy, now)?;
            let tally = tallies.entry(row.school.clone()).or_default();
            tally.add(&row.tally()?, 1);
            let mut had = [None; 3];
            if let Some(before) = before {
                tally.add(&before.tally()?, -1);
                had = waits(before, &facts, &policy.health);
            }
            let has = waits(row, &facts, &policy.health);
            for (place, kind) in KINDS.into_iter().enumerate() {
                match (had[place], has[place]) {
                    (_, Some(at)) => due.push((kind, row.id.clone(), at)),
                    (Some(_), None) => over.push((kind, row.id.clone())),
                    (None, None) => {}
                }
            }
            let ill = |row: &AbsenceRow| row.reason == Reason::Illness.code();
            if before.as_ref().is_some_and(ill) || ill(row) {
                let room = rooms.get(&person(&row.person)).cloned().unwrap_or_default();
                alarms.extend(alarms::of_absence(before.as_ref(), row, &room, now));
                let signs = sign(row, room, &policy.health).into_iter().collect();
                said.source(&row.name(), before.is_none(), signs);
            }
            changes.push(absence_change(row));
        }
        let rows: Vec<AbsenceRow> = changed.into_iter().map(|(_, row)| row).collect();
        AbsenceRow::save(tx, &rows).await?;
        absences::count(tx, &tallies).await?;
        for (kind, id) in over {
            deadlines::settle(tx, kind, &id).await?;
        }
        deadlines::wait_all(tx, due).await?;
        announce(tx, changes).await?;
        if said.is_empty() {
            return Ok(());
        }
        self.note_signs(tx, said, now).await?;
        self.raise(tx, alarms, now).await
    }
}

/// The deadlines of an absence, in the order of [`waits`].
const KINDS: [Deadline; 3] = [
    Deadline::AbsenceContact,
    Deadline::AbsenceUpload,
    Deadline::AbsenceInterview,
];

/// Until when somebody waits for each deadline of an absence.
fn waits(row: &AbsenceRow, facts: &Facts, rules: &HealthRules) -> [Option<i64>; 3] {
    let ill = row.reason == Reason::Illness.code();
    let contact = row.state == AbsenceState::Open.code();
    let upload = ill && row.upload_time == 0 && !row.upload_overdue;
    let away = ill && row.return_time == 0 && row.interview_time == 0 && !row.interview_due;
    [
        contact.then_some(row.contact_due),
        upload.then_some(row.upload_due),
        away.then(|| interview(row, facts, rules)).flatten(),
    ]
}

/// When the sick days of an absence ask for an interview, counted from the first day with the reason
/// illness, by the calendar as it is known now.
pub(super) fn interview(row: &AbsenceRow, facts: &Facts, rules: &HealthRules) -> Option<i64> {
    let morning = rules.slots.iter().find(|rule| rule.slot == Slot::Morning);
    let minute = morning.map_or(NOON, |rule| rule.deadline_minute);
    let start = to_day(if row.ill_day == 0 {
        row.start_day
    } else {
        row.ill_day
    });
    interview_at(&facts.calendar, start, rules.interview_days, minute)
}

/// Where the absence stands now and which clocks run.
fn settle(row: &mut AbsenceRow, policy: &Policy, now: DateTime<Utc>) -> Result<(), Error> {
    let facts = row.facts()?;
    let (state, reason) = (facts.stands(), facts.reason());
    (row.state, row.reason) = (state.code(), reason.code());
    let now = now.timestamp_millis();
    match state {
        AbsenceState::Open if row.contact_due == 0 => {
            row.contact_due = now + millis(policy.health.contact_sla);
        }
        AbsenceState::Excused | AbsenceState::Withdrawn => row.contact_due = 0,
        _ => {}
    }
    if reason == Reason::Illness {
        if row.illness_time == 0 {
            row.illness_time = now;
        }
        if row.upload_due == 0 {
            row.upload_due = now + millis(policy.health.upload_sla);
        }
    } else {
        // When an illness was to be uploaded, and that it was not, is remembered: it may be one after all.
        (row.illness_time, row.interview_due) = (0, false);
    }
    if state == AbsenceState::Ended {
        row.interview_due = false;
    }
    row.policy_version.clone_from(&policy.version);
    row.version += 1;
    Ok(())
}

/// What an absence says of the health of somebody in a room: one sign on its first day, which goes on
/// until the day before the return. An illness of which no more is known counts as another symptom, so
/// that the person is not taken for well.
fn sign(row: &AbsenceRow, dormitory: String, rules: &HealthRules) -> Option<Sign> {
    if row.reason != Reason::Illness.code() {
        return None;
    }
    let mut symptoms = Symptoms::from_bits(row.symptoms);
    if row.temperature >= rules.fever && row.temperature > 0 {
        symptoms = symptoms.with(Symptom::Fever);
    }
    if symptoms.is_empty() && row.disease == 0 {
        symptoms = symptoms.with(Symptom::Other);
    }
    let suspected = (Disease(row.disease), Certainty::Suspected);
    Some(Sign {
        source: row.name(),
        person: person(&row.person),
        kind: GroupKind::from_code(row.kind)?,
        group: row.org_path.clone(),
        dormitory,
        day: to_day(row.start_day),
        until: last_day(row),
        symptoms,
        temperature: row.temperature,
        diagnosis: (row.disease != 0).then_some(suspected),
        ruled_out: None,
        severity: if row.hospitalised {
            Severity::Hospitalised
        } else {
            Severity::Mild
        },
        onset: to_day(row.onset),
        time: row.illness_time,
    })
}

/// The last day of an absence: that before the return; open-ended while the person is not back.
fn last_day(row: &AbsenceRow) -> Day {
    if row.return_time == 0 {
        return Day::from_number(u16::MAX);
    }
    let back = DateTime::from_timestamp_millis(row.return_time).unwrap_or_default();
    Day::from(civil_date(back)).before()
}

pub(super) fn to_day(number: i32) -> Day {
    Day::from_number(u16::try_from(number).unwrap_or_default())
}
