//! Decides about checks that share a transaction, one after the other as if each were alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::feed::announce;

use super::super::App;
use super::Said;
use super::absences::AbsenceReport;
use super::alarms::{self, Alarm};
use super::screening::{Submission, Submitted};
use super::screening_known::{Known, Vetted};
use super::units::check_name;
use crate::domain::day::Day;
use crate::domain::health::check::{Check, Content, Whereabouts};
use crate::domain::health::coverage::Corrections;
use crate::domain::health::rules::Slot;
use crate::domain::health::screening::{Claim, Session, Verdict, identity};
use crate::domain::roll::PersonId;
use crate::error::Error;
use crate::grpc::health::screening_convert::screening_day_change;
use crate::store::health::checks::{self, CheckRow, Key, SubmissionRow};
use crate::store::health::{corrections, days};

/// One check with everything submitted of it, as it becomes.
#[derive(Debug, Default)]
struct Held {
    before: Option<CheckRow>,
    row: Option<CheckRow>,
    session: Session,
    /// Submissions of this batch that do not stand.
    gone: Vec<SubmissionRow>,
    /// What stands, when that is of this batch.
    content: Content,
    people: BTreeMap<PersonId, Whereabouts>,
}

impl Held {
    /// What stands, when it is of this batch, and what stood before it.
    fn moved(&self) -> Option<(&CheckRow, Option<&CheckRow>)> {
        let (row, before) = (self.row.as_ref()?, self.before.as_ref());
        let same = before.is_some_and(|before| before.version == row.version);
        (!same).then_some((row, before))
    }

    /// By how many more it was corrected, and when; none where what stands is no correction and was none.
    fn corrected(&self) -> Option<Corrections> {
        let (row, before) = self.moved()?;
        let was = before.is_some_and(|before| before.correction);
        (row.correction || was).then(|| Corrections {
            count: i32::from(row.correction) - i32::from(was),
            last: if row.correction { row.submit_time } else { 0 },
        })
    }
}

/// The checks of one batch.
#[derive(Debug)]
pub(super) struct Batch(BTreeMap<Key, Held>);

impl Batch {
    /// From what stands, and what does not; the schools are locked.
    pub(super) fn new(
        standing: Vec<CheckRow>,
        superseded: Vec<SubmissionRow>,
    ) -> Result<Self, Error> {
        let mut losers: BTreeMap<(i32, i16, String), Vec<Claim>> = BTreeMap::new();
        for row in superseded {
            let claim = row.claim();
            let claims = losers.entry((row.day, row.slot, row.place)).or_default();
            claims.push(claim);
        }
        let mut held = BTreeMap::new();
        for row in standing {
            let key = row.key()?;
            let place = (row.day, row.slot, row.place.clone());
            let losers = losers.remove(&place).unwrap_or_default();
            let one = Held {
                session: Session::new(Some(row.claim()), losers),
                before: Some(row.clone()),
                row: Some(row),
                ..Held::default()
            };
            held.insert(key, one);
        }
        Ok(Self(held))
    }

    /// Decides about one submission that arrives now.
    pub(super) fn take(
        &mut self,
        submission: &Submission,
        vetted: Vetted,
        now: i64,
    ) -> Result<Submitted, Error> {
        let key = (submission.day, submission.slot, vetted.place.clone());
        let unit = vetted.unit;
        let missing = || {
            let (day, slot, place) = &key;
            Error::NotFound(check_name(place, unit, *day, *slot))
        };
        let stands = self.0.get(&key).is_some_and(|held| held.row.is_some());
        if submission.replaces && !stands {
            return Err(missing());
        }
        let held = self.0.entry(key.clone()).or_default();
        let digest = submission.content.digest();
        let correction = submission.correction.as_deref();
        let claim = Claim {
            client: submission.client,
            identity: identity(&submission.content, submission.capture, correction),
            content: digest,
            capture: submission.capture.unwrap_or(now).min(now),
            correction: correction.is_some(),
            arrival: now,
        };
        if !held.session.has_room(&claim.client) {
            return Err(Error::CheckSubmissions);
        }
        let (verdict, is_new) = held.session.offer(claim)?;
        if is_new {
            let mut row = new_row(submission, &vetted, &claim);
            if verdict == Verdict::Stored {
                if let Some(old) = held.row.take() {
                    row.version = old.version + 1;
                    row.expected = old.expected;
                    held.gone.push(old.superseded());
                }
                held.row = Some(row);
                held.content = submission.content.clone();
                held.people = vetted.people;
            } else {
                held.gone.push(row.superseded());
            }
        }
        let session = &held.session;
        let row = held.row.as_mut().ok_or_else(missing)?;
        row.first_submit_time = session.first_arrival();
        row.submission_count = small(session.len());
        row.conflict_count = small(session.conflicts());
        Ok(Submitted {
            verdict,
            check: row.clone(),
        })
    }

    /// Stores all, counts it, and lets follow what it says of people.
    pub(super) async fn store(
        self,
        app: &App,
        tx: &Tx,
        known: &Known,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        let (mut said, mut absences) = (Said::default(), Vec::new());
        let (mut spoke_of_absences, mut alarms) = (BTreeMap::new(), Vec::<Alarm>::new());
        let mut counted = BTreeSet::new();
        for ((day, slot, place), held) in &self.0 {
            let changed = held
                .row
                .as_ref()
                .filter(|row| held.before.as_ref() != Some(*row));
            let Some(row) = changed else { continue };
            rows.push(row.clone());
            gone.extend(held.gone.iter().cloned());
            counted.insert((row.school().to_owned(), *day));
            let Some((row, before)) = held.moved() else {
                continue;
            };
            let name = check_name(place, row.unit()?, *day, *slot);
            let spoke = before.is_some_and(|before| before.finding_count > 0);
            if spoke || !held.content.is_zero() {
                let check = Check {
                    name: &name,
                    unit: row.unit()?,
                    day: *day,
                    time: row.capture_time,
                    people: &held.people,
                };
                let rules = &known.policy(place, *day)?.health;
                said.source(&name, !spoke, held.content.signs(&check, rules));
            }
            alarms.extend(alarms::of_check(
                &name,
                (before, row),
                &held.content,
                &held.people,
            )?);
            if before.is_some() || !held.content.absences.is_empty() {
                spoke_of_absences.insert(name.clone(), before.is_some());
            }
            for (person, reason) in &held.content.absences {
                let group = held.people.get(person).map(|at| at.group.clone());
                absences.push(AbsenceReport {
                    person: *person,
                    kind: row.unit()?.people(),
                    group_path: group.unwrap_or_default(),
                    day: *day,
                    reason: *reason,
                    check: name.clone(),
                    reporter: row.reporter.clone(),
                });
            }
        }
        checks::save(tx, &rows, &gone).await?;
        let mut tallies = days::of(tx, &counted).await?;
        let mut late = BTreeMap::new();
        let mut after_due: BTreeMap<(Day, Slot), BTreeSet<&str>> = BTreeMap::new();
        for ((day, slot, _), held) in &self.0 {
            let Some(row) = &held.row else { continue };
            let key = (row.school().to_owned(), *day);
            let Some(tally) = tallies.get_mut(&key) else {
                continue;
            };
            let tally = tally.slot_mut(*slot);
            if tally.frozen && held.moved().is_some() {
                let schools = after_due.entry((*day, *slot)).or_default();
                schools.insert(row.school());
            }
            let overdue = tally.frozen && tally.missing() > 0;
            if let Some(before) = &held.before {
                tally.subtract(before.tally());
            }
            tally.add(row.tally());
            if overdue && held.before.is_none() {
                late.insert((key, *slot), row.due_time);
            }
        }
        days::save(tx, &tallies).await?;
        let mut corrected = corrections::Changes::new();
        for ((day, slot, _), held) in &self.0 {
            if let (Some(row), Some(more)) = (&held.row, held.corrected()) {
                let key = (*day, row.school().to_owned(), *slot);
                corrected.entry(key).or_default().add(more);
            }
        }
        corrections::add(tx, corrected).await?;
        let changes = late.into_iter().filter_map(|(((school, day), slot), due)| {
            let tally = tallies.get(&(school.clone(), day))?.slot(slot);
            let removed = tally.missing() == 0;
            Some(screening_day_change(
                &school, day, slot, tally, due, removed,
            ))
        });
        announce(tx, changes.collect()).await?;
        if !said.is_empty() {
            app.note_signs(tx, said, now).await?;
        }
        if !spoke_of_absences.is_empty() {
            app.report_absences(tx, &spoke_of_absences, &absences, now)
                .await?;
        }
        for (of, schools) in after_due {
            let schools: Vec<&str> = schools.into_iter().collect();
            app.end_by_checks(tx, of, &schools, now).await?;
        }
        app.raise(tx, alarms, now).await
    }
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The row of a submission that is alone so far.
fn new_row(submission: &Submission, vetted: &Vetted, claim: &Claim) -> CheckRow {
    let content = &submission.content;
    let correction = submission.correction.clone();
    CheckRow {
        day: i32::from(submission.day.number()),
        slot: submission.slot.code(),
        place: vetted.place.clone(),
        unit: vetted.unit.code(),
        expected: vetted.expected,
        roll_count: i32::from(content.counts.roll),
        present_count: i32::from(content.counts.present),
        absent_count: i32::from(content.counts.absent),
        ill_absent_count: i32::from(content.counts.ill_absent),
        finding_count: small(content.findings.len()),
        content: content.pack(),
        capture_time: claim.capture,
        submit_time: claim.arrival,
        first_submit_time: claim.arrival,
        due_time: vetted.due,
        reporter: submission.caller.subject.clone(),
        client: claim.client.to_vec(),
        identity: claim.identity.to_vec(),
        digest: claim.content.to_vec(),
        correction: claim.correction,
        correction_reason: correction.unwrap_or_default(),
        policy_version: vetted.policy.clone(),
        version: 1,
        submission_count: 1,
        conflict_count: 0,
    }
}
