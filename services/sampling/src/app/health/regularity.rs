//! Looks at checks for what is improbable once their time is over: a few schools in one transaction,
//! never while somebody submits. Doing it twice changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::clock::civil_date;
use kit::db::Tx;
use sha2::{Digest, Sha256};

use super::super::App;
use super::deadlines::{Deadline, wait};
use super::overdue::read_slot;
use crate::domain::day::Day;
use crate::domain::health::regularity::{
    Irregularity, Kind, QUIET_DAYS, Report, SchoolDay, TEXT_DAYS, irregularities, no_illness,
};
use crate::domain::health::rules::Slot;
use crate::domain::health::signal::{SignalState, visible_from};
use crate::domain::health::tally::DayTally;
use crate::error::Error;
use crate::store::health::expectations::ExpectationRow;
use crate::store::health::signals::{self, Schools, SignalRow};
use crate::store::policy::Facts;
use kit::rows::Row;

/// How many schools are looked at in one transaction: their checks of two days are a few thousand
/// rows.
const TOGETHER: usize = 10;

/// A slot whose time is over, and the school after which to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Round {
    /// The slot as the deadline of its checks writes it.
    slot: String,
    after: String,
}

impl Round {
    /// As it is stored: `20220407-1-510`, or with `@` and the school.
    fn entity(&self) -> String {
        format!("{}@{}", self.slot, self.after)
    }

    fn read(entity: &str) -> Self {
        let (slot, after) = entity.split_once('@').unwrap_or((entity, ""));
        Self {
            slot: slot.to_owned(),
            after: after.to_owned(),
        }
    }
}

impl App {
    /// Looks at the checks of the next schools, of the day and, as late ones came since, of the
    /// school day before when this is the first check of the day.
    pub(super) async fn look_for_signals(&self, tx: &Tx, entity: &str) -> Result<(), Error> {
        let round = Round::read(entity);
        let Some((day, slot, minute)) = read_slot(&round.slot) else {
            return Ok(());
        };
        let now = self.clock.now();
        let limit = u64::try_from(TOGETHER).unwrap_or(u64::MAX);
        let rows = signals::schools_after(tx, &round.after, limit).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(());
        };
        if rows.len() == TOGETHER {
            let next = Round {
                after: last.school.clone(),
                ..round
            };
            wait(
                tx,
                Deadline::Signals,
                &next.entity(),
                now.timestamp_millis(),
            )
            .await?;
        }
        let facts = self.facts.get(tx).await?;
        let between = Schools {
            first: &first.school,
            last: &last.school,
        };
        let concerned: Vec<&ExpectationRow> = rows
            .iter()
            .filter(|row| {
                let policy = facts.policy(&row.school, day);
                let rule = policy.and_then(|policy| policy.health.slot(slot));
                rule.is_some_and(|rule| rule.deadline_minute == minute)
            })
            .collect();
        if concerned.is_empty() {
            return Ok(());
        }
        let known = Known::load(tx, &facts, between, day).await?;
        let mut found = Vec::new();
        for school in concerned {
            for judged in known.judged(&facts, &school.school, slot) {
                for one in known.improbable(&facts, school, judged) {
                    found.push(signal(&facts, &school.school, judged, one, now));
                }
            }
        }
        Ok(SignalRow::add(tx, &found).await?)
    }
}

/// What is known of neighbouring schools.
struct Known {
    day: Day,
    reports: HashMap<String, Vec<Report>>,
    tallies: BTreeMap<(String, Day), DayTally>,
    /// Schools of which it was said lately that nobody is ever ill.
    raised: BTreeSet<String>,
}

impl Known {
    async fn load(tx: &Tx, facts: &Facts, between: Schools<'_>, day: Day) -> Result<Self, Error> {
        let back = |count: u32| facts.calendar.first_of_last(count, day);
        let whole = [1, 2, 3].map(back).into();
        let reports = signals::reports(tx, between, &whole, back(TEXT_DAYS + 1)).await?;
        let quiet: Vec<Day> = (1..=QUIET_DAYS + 1).map(back).collect();
        let tallies = signals::tallies(tx, between, &quiet).await?;
        let raised = signals::raised(tx, between, Kind::NoIllness, back(QUIET_DAYS)).await?;
        Ok(Self {
            day,
            reports,
            tallies,
            raised,
        })
    }

    /// The days that are looked at.
    fn judged(&self, facts: &Facts, school: &str, slot: Slot) -> Vec<Day> {
        let policy = facts.policy(school, self.day);
        let first =
            policy.and_then(|policy| policy.health.slots.iter().map(|rule| rule.slot).min());
        if first == Some(slot) {
            vec![facts.calendar.first_of_last(2, self.day), self.day]
        } else {
            vec![self.day]
        }
    }

    fn improbable(&self, facts: &Facts, school: &ExpectationRow, judged: Day) -> Vec<Irregularity> {
        let since = facts.calendar.first_of_last(TEXT_DAYS, judged);
        let all = self
            .reports
            .get(&school.school)
            .map_or(&[][..], Vec::as_slice);
        let within = all.iter().filter(|report| report.day >= since);
        let within: Vec<Report> = within.cloned().collect();
        let mut found = irregularities(judged, &within);
        if !self.raised.contains(&school.school) {
            let days = (1..=QUIET_DAYS).map(|count| facts.calendar.first_of_last(count, judged));
            let days: Vec<SchoolDay> = days
                .map(|day| self.school_day(facts, school, day))
                .collect();
            let students = u32::try_from(school.students).unwrap_or(0);
            found.extend(no_illness(students, &days));
        }
        found
    }

    /// What is counted of one day. A check is complete when its time is over, which freezes what was
    /// expected, and none is missing.
    fn school_day(&self, facts: &Facts, school: &ExpectationRow, day: Day) -> SchoolDay {
        let key = (school.school.clone(), day);
        let tally = self.tallies.get(&key).copied().unwrap_or_default();
        let rules = facts.policy(&school.school, day);
        let rules = rules.map_or(&[][..], |policy| &policy.health.slots);
        let mut expected = rules
            .iter()
            .filter(|rule| school.sessions(rule) > 0)
            .peekable();
        let any = expected.peek().is_some();
        let all = expected.all(|rule| {
            let slot = tally.slot(rule.slot);
            slot.frozen && slot.missing() == 0
        });
        let absent: u32 = Slot::ALL
            .iter()
            .map(|slot| tally.slot(*slot).ill_absent)
            .sum();
        SchoolDay {
            complete: any && all,
            healthy: tally.ill == 0 && absent == 0,
        }
    }
}

/// The signal as it is shown to the school now. The same thing has the same identifier.
fn signal(
    facts: &Facts,
    school: &str,
    day: Day,
    found: Irregularity,
    now: DateTime<Utc>,
) -> SignalRow {
    let Irregularity {
        kind,
        place,
        slot,
        observed,
        total,
    } = found;
    let org_path = place.unwrap_or_else(|| school.to_owned());
    let hash = Sha256::digest(format!("{}|{}|{org_path}", day.number(), kind.code()));
    let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let date = day.date().unwrap_or_default().format("%Y%m%d");
    let shown = Day::from(civil_date(now));
    let visible = visible_from(&facts.calendar, shown);
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    SignalRow {
        id: format!("{date}-{hash}"),
        school: school.to_owned(),
        org_path,
        kind: kind.code(),
        day: i32::from(day.number()),
        slot: slot.map_or(0, Slot::code),
        observed: count(observed),
        total: count(total),
        state: SignalState::Shown.code(),
        show_time: now.timestamp_millis(),
        visible_day: i32::from(visible.number()),
        ..SignalRow::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_goes_on_where_it_stopped() {
        let begun = Round::read("20220407-1-510");
        assert_eq!(
            (begun.slot.as_str(), begun.after.as_str()),
            ("20220407-1-510", "")
        );
        let next = Round {
            after: "fz/350102/2135010001".to_owned(),
            ..begun
        };
        assert_eq!(Round::read(&next.entity()), next);
    }
}
