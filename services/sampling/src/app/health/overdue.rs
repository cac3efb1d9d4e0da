//! What happens when the time of a check is over: what was expected is counted for good, and schools
//! with missing checks are announced (rule 1.6). Doing it twice changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::{civil_date, start_of};
use kit::db::Tx;
use kit::feed::announce;
use sea_orm::DbErr;

use super::super::App;
use super::deadlines::{Deadline, wait};
use crate::domain::day::Day;
use crate::domain::health::check::Unit;
use crate::domain::health::rules::{Slot, SlotRule};
use crate::error::Error;
use crate::grpc::health::screening_convert::screening_day_change;
use crate::store::health::{days, expectations, units};
use crate::store::policy::FactsCache;

/// Checks are taken of today and of as many days before.
pub(super) const TAKEN_DAYS: u16 = 7;
/// How many schools are counted in one transaction: others submit between two of them.
const TOGETHER: usize = 300;
/// No holiday is longer.
const LONGEST_HOLIDAY: u16 = 120;

/// The instant of a minute of a civil day, in milliseconds since 1970.
pub(super) fn due_time(day: Day, minute: u16) -> i64 {
    let start = start_of(day.date().unwrap_or_default());
    start.timestamp_millis() + i64::from(minute) * 60_000
}

/// What becomes due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// The checks of a slot, where the policy's deadline is this minute of the day.
    Slot(Day, Slot, u16),
    /// The day itself: no checks are taken of it any more.
    End(Day),
}

impl Due {
    /// As it is stored: `20220407-1-510` or `20220407-end`.
    fn entity(self) -> String {
        let date = |day: Day| day.date().unwrap_or_default().format("%Y%m%d").to_string();
        match self {
            Self::Slot(day, slot, minute) => format!("{}-{}-{minute}", date(day), slot.code()),
            Self::End(day) => format!("{}-end", date(day)),
        }
    }

    fn read(entity: &str) -> Option<Self> {
        let (date, rest) = entity.split_once('-')?;
        let day = Day::from(NaiveDate::parse_from_str(date, "%Y%m%d").ok()?);
        if rest == "end" {
            return Some(Self::End(day));
        }
        let (slot, minute) = rest.split_once('-')?;
        let slot = Slot::from_code(slot.parse().ok()?)?;
        Some(Self::Slot(day, slot, minute.parse().ok()?))
    }

    fn time(self) -> i64 {
        match self {
            Self::Slot(day, _, minute) => due_time(day, minute),
            Self::End(day) => {
                let end = day.number().saturating_add(TAKEN_DAYS + 1);
                due_time(Day::from_number(end), 0)
            }
        }
    }
}

/// The day, the slot and the minute of a slot whose checks are due.
pub(super) fn read_slot(entity: &str) -> Option<(Day, Slot, u16)> {
    match Due::read(entity)? {
        Due::Slot(day, slot, minute) => Some((day, slot, minute)),
        Due::End(_) => None,
    }
}

/// Waits for the checks of today and the next school day, under every policy that is in force
/// somewhere. What was due before now is waited for only where anything was counted since: then the
/// service was away, and it is made up for.
pub(crate) async fn plan(tx: &Tx, now: DateTime<Utc>) -> Result<(), DbErr> {
    let facts = FactsCache::default().get(tx).await?;
    let today = Day::from(civil_date(now));
    let since = Day::from_number(today.number().saturating_sub(TAKEN_DAYS));
    let counted = days::first_since(tx, since).await?;
    let ahead = (1..=LONGEST_HOLIDAY).map(|days| today.number().saturating_add(days));
    let next = ahead
        .map(Day::from_number)
        .find(|day| facts.calendar.is_school_day(*day));
    let first = counted.unwrap_or(today).min(today).number();
    let all = (first..=today.number()).map(Day::from_number).chain(next);
    for day in all.filter(|day| facts.calendar.is_school_day(*day)) {
        let in_force = facts.policies.iter().filter(|one| one.effective <= day);
        let slots: BTreeSet<(Slot, u16)> = in_force
            .flat_map(|policy| &policy.health.slots)
            .map(|rule| (rule.slot, rule.deadline_minute))
            .collect();
        for (slot, minute) in slots {
            let due = Due::Slot(day, slot, minute);
            let missed = counted.is_some_and(|counted| counted <= day);
            if missed || due.time() > now.timestamp_millis() {
                wait(tx, Deadline::Checks, &due.entity(), due.time()).await?;
            }
        }
    }
    Ok(())
}

/// Which units a rule expects to submit.
pub(super) fn expected_units(rule: &SlotRule) -> Vec<Unit> {
    let all = [Unit::ClassGroup, Unit::Staff, Unit::Room];
    all.into_iter()
        .filter(|unit| unit.is_checked(rule))
        .collect()
}

impl App {
    /// Waits for the checks of today and the next school day.
    pub(super) async fn plan_checks(&self) -> Result<(), Error> {
        let tx = self.db.begin().await?;
        plan(&tx, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The time of something is over.
    pub(super) async fn checks_due(&self, tx: &Tx, entity: &str) -> Result<(), Error> {
        match Due::read(entity) {
            Some(Due::Slot(day, slot, minute)) => self.slot_due(tx, day, slot, minute).await,
            Some(Due::End(day)) => self.day_over(tx, day).await,
            None => Ok(()),
        }
    }

    async fn slot_due(&self, tx: &Tx, day: Day, slot: Slot, minute: u16) -> Result<(), Error> {
        let facts = self.facts.get(tx).await?;
        if !facts.calendar.is_school_day(day) {
            return Ok(());
        }
        let stored = days::of_day(tx, "", day).await?;
        let frozen: HashSet<String> = stored
            .into_iter()
            .filter(|(_, tally)| tally.slot(slot).frozen)
            .map(|(school, _)| school)
            .collect();
        let mut waiting = Vec::new();
        for row in expectations::below(tx, "").await? {
            let policy = facts.policy(&row.school, day);
            let rule = policy.and_then(|policy| policy.health.slot(slot));
            let rule = rule.filter(|rule| rule.deadline_minute == minute);
            if let Some(rule) = rule
                && row.sessions(rule) > 0
                && !frozen.contains(&row.school)
            {
                waiting.push((row.school, expected_units(rule)));
            }
        }
        let due = Due::Slot(day, slot, minute);
        if waiting.len() > TOGETHER {
            waiting.truncate(TOGETHER);
            wait(tx, Deadline::Checks, &due.entity(), due.time()).await?;
        } else if !waiting.is_empty() {
            wait(tx, Deadline::Signals, &due.entity(), due.time()).await?;
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let end = Due::End(day);
        wait(tx, Deadline::Checks, &end.entity(), end.time()).await?;
        let schools: Vec<&str> = waiting.iter().map(|(school, _)| school.as_str()).collect();
        self.freeze(tx, (day, slot), &waiting, due.time()).await?;
        self.end_by_checks(tx, (day, slot), &schools, self.clock.now())
            .await
    }

    /// Counts what was expected of schools for good, and announces those with missing checks.
    async fn freeze(
        &self,
        tx: &Tx,
        (day, slot): (Day, Slot),
        waiting: &[(String, Vec<Unit>)],
        due: i64,
    ) -> Result<(), Error> {
        let schools: Vec<&str> = waiting.iter().map(|(school, _)| school.as_str()).collect();
        self.lock_health(tx, &schools).await?;
        let wanted = schools.iter().map(|school| ((*school).to_owned(), day));
        let mut tallies = days::of(tx, &wanted.collect()).await?;
        let mut by_units: BTreeMap<Vec<Unit>, Vec<&str>> = BTreeMap::new();
        for (school, units) in waiting {
            by_units.entry(units.clone()).or_default().push(school);
        }
        let mut changes = Vec::new();
        for (units, schools) in by_units {
            let counts = units::answered(tx, (day, slot), &schools, &units).await?;
            for school in schools {
                let Some(tally) = tallies.get_mut(&(school.to_owned(), day)) else {
                    continue;
                };
                let tally = tally.slot_mut(slot);
                if tally.frozen {
                    continue;
                }
                tally.frozen = true;
                (tally.expected, tally.answered) = counts.get(school).copied().unwrap_or_default();
                if tally.missing() > 0 {
                    let tally = &*tally;
                    changes.push(screening_day_change(school, day, slot, tally, due, false));
                }
            }
        }
        days::save(tx, &tallies).await?;
        announce(tx, changes).await?;
        Ok(())
    }

    /// Of a day that no checks are taken of any more, nothing is overdue.
    async fn day_over(&self, tx: &Tx, day: Day) -> Result<(), Error> {
        let mut changes = Vec::new();
        for (school, tally) in days::of_day(tx, "", day).await? {
            for slot in Slot::ALL {
                let tally = tally.slot(slot);
                if tally.frozen && tally.missing() > 0 {
                    changes.push(screening_day_change(&school, day, slot, tally, 0, true));
                }
            }
        }
        announce(tx, changes).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_survives_as_text() {
        let day = Day::from(NaiveDate::from_ymd_opt(2022, 4, 7).unwrap());
        for due in [Due::Slot(day, Slot::Noon, 870), Due::End(day)] {
            assert_eq!(Due::read(&due.entity()), Some(due));
        }
        assert_eq!(
            Due::Slot(day, Slot::Morning, 510).entity(),
            "20220407-1-510"
        );
        for wrong in ["", "20220407", "20220407-4-510", "20220431-1-510", "x-end"] {
            assert_eq!(Due::read(wrong), None, "{wrong}");
        }
        // 08:30 in Shanghai is 00:30 of the same day in UTC.
        let time = DateTime::from_timestamp_millis(due_time(day, 510)).unwrap();
        assert_eq!(time.to_rfc3339(), "2022-04-07T00:30:00+00:00");
        let end = DateTime::from_timestamp_millis(Due::End(day).time()).unwrap();
        assert_eq!(end.to_rfc3339(), "2022-04-14T16:00:00+00:00");
    }
}
