//! The summary of a school: its class groups with their checks and symptoms (rule 1.7).

use std::collections::{BTreeMap, HashMap};

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;

use super::super::App;
use super::overdue::due_time;
use super::veils::{top, veils};
use crate::domain::day::Day;
use crate::domain::health::coverage::SymptomCounts;
use crate::domain::health::rules::{Slot, SlotRule};
use crate::domain::health::veil::{Counts, Hidden, Veils};
use crate::domain::roll::GroupKind;
use crate::error::Error;
use crate::store::health::checks::{self, CheckRow};
use crate::store::health::units::Range;
use crate::store::health::{signs, windows};
use crate::store::rolls::{self, GroupRow};

/// What is known of one check of a class group.
#[derive(Clone, Debug)]
pub(crate) enum ClassCheck {
    /// It was submitted.
    Submitted(Box<CheckRow>),
    /// It is expected and not due yet.
    Awaited,
    /// It is expected, and its time is over.
    Missing,
    /// Nobody expects it.
    NotExpected,
}

/// One class group.
#[derive(Clone, Debug)]
pub(crate) struct ClassLine {
    pub(crate) name: String,
    pub(crate) org_path: String,
    pub(crate) display_name: String,
    pub(crate) enrolled: usize,
    /// Its checks, with when they are due in milliseconds since 1970.
    pub(crate) checks: Vec<(Slot, i64, ClassCheck)>,
    pub(crate) day: SymptomCounts,
    pub(crate) three_days: SymptomCounts,
    /// What this caller does not see of it.
    pub(crate) hidden: Hidden,
}

/// A part of a school's class groups.
#[derive(Clone, Debug)]
pub(crate) struct ClassLines {
    pub(crate) lines: Vec<ClassLine>,
    /// The path after which to go on.
    pub(crate) next: Option<String>,
    /// The number of ill people below which they are hidden from this caller; 0 when they are not.
    pub(crate) hidden_below: u32,
    /// When it was read, in milliseconds since 1970.
    pub(crate) read_time: i64,
}

impl App {
    /// The class groups of a school, ordered by path after `after`.
    pub(crate) async fn class_symptoms(
        &self,
        caller: &Caller,
        school: &str,
        day: Day,
        after: &str,
        limit: usize,
    ) -> Result<ClassLines, Error> {
        let permission = Permission::HealthCoverageRead;
        let place = self.place(caller, permission, school).await?;
        let read = self.db.read();
        let facts = self.facts.get(read).await?;
        let policy = facts.policy(place.as_str(), day);
        let policy = policy.ok_or_else(|| Error::NoPolicy(place.to_string()))?;
        let now = self.clock.now().timestamp_millis();
        let seen = top(caller, &place);
        let veils = veils(caller, &place, facts.privacy_k(seen.as_str(), day));
        let mut answer = ClassLines {
            lines: Vec::new(),
            next: None,
            hidden_below: veils.ill.limit(),
            read_time: now,
        };
        if !rolls::children(read, &place).await?.is_empty() {
            return Ok(answer);
        }
        let mut groups = rolls::groups_below(read, place.as_str()).await?;
        groups.retain(|group| group.kind == GroupKind::Students);
        let rules: Vec<SlotRule> = policy.health.slots.clone();
        let rules = rules.into_iter().filter(|rule| !rule.boarders_only);
        let mut held: Vec<Held> = Vec::new();
        for rule in rules {
            let range = Range::below(place.as_str(), "");
            let every = i64::MAX.unsigned_abs();
            let rows = checks::list(read, (day, rule.slot), &range, every).await?;
            let rows = rows.into_iter().map(|row| (row.place.clone(), row));
            held.push((rule, rows.collect()));
        }
        let today = signs::rolling(read, place.as_str(), day, day).await?;
        let first = windows::first_of(day);
        let three_days = signs::rolling(read, place.as_str(), first, day).await?;
        let counts = |of: &BTreeMap<String, signs::Counts>, path: &str| {
            let (symptoms, ill) = of.get(path).copied().unwrap_or_default();
            SymptomCounts { symptoms, ill }
        };
        let mut hidden = BTreeMap::new();
        if veils != Veils::NONE {
            let counted = groups.iter().map(|group| {
                let (day, three_days) = (
                    counts(&today, &group.path),
                    counts(&three_days, &group.path),
                );
                let absent = absent(&held, &group.path);
                let counts = Counts::of_class_group(&day, &three_days, &absent);
                (group.path.clone(), counts)
            });
            let places = (&seen, &place);
            hidden = self
                .hidden_groups(&veils, places, day, counted.collect())
                .await?;
        }
        groups.retain(|group| group.path.as_str() > after);
        let more = groups.len() > limit;
        groups.truncate(limit);
        answer.next = groups
            .last()
            .filter(|_| more)
            .map(|group| group.path.clone());
        let school_day = facts.calendar.is_school_day(day);
        for group in groups {
            answer.lines.push(ClassLine {
                name: group.name(),
                display_name: group.display_name.clone(),
                enrolled: group.roll()?.members().len(),
                checks: checks_of(&group, &held, day, school_day, now)?,
                day: counts(&today, &group.path),
                three_days: counts(&three_days, &group.path),
                hidden: hidden.remove(&group.path).unwrap_or_default(),
                org_path: group.path,
            });
        }
        Ok(answer)
    }

    /// What is hidden of each class group of a school from somebody who sees all that is at or below `top`. Staff
    /// and dormitory rooms count in the figures of the school, and are told by themselves nowhere.
    async fn hidden_groups(
        &self,
        veils: &Veils,
        (top, school): (&OrgPath, &OrgPath),
        day: Day,
        groups: BTreeMap<String, Counts>,
    ) -> Result<BTreeMap<String, Hidden>, Error> {
        let schools = self.counts(top, day).await?;
        let above = veils.hidden_at(&schools, top.as_str(), school.as_str());
        let all = schools.get(school.as_str()).cloned().unwrap_or_default();
        let left = all.without(groups.values());
        let places: Vec<&Counts> = groups.values().chain([&left]).collect();
        let judged = veils.judge(&places, Some(&above));
        Ok(groups.keys().cloned().zip(judged).collect())
    }
}

/// A check that is held of class groups, and theirs by path.
type Held = (SlotRule, HashMap<String, CheckRow>);

/// How many are absent in a class group by each check that was submitted, and how many of them ill.
fn absent(held: &[Held], path: &str) -> Vec<(Slot, u32, u32)> {
    let told = held.iter().filter_map(|(rule, rows)| {
        let row = rows.get(path)?;
        let count = |count: i32| u32::try_from(count).unwrap_or(0);
        Some((
            rule.slot,
            count(row.absent_count),
            count(row.ill_absent_count),
        ))
    });
    told.collect()
}

/// What is known of the checks that are held of class groups.
fn checks_of(
    group: &GroupRow,
    held: &[Held],
    day: Day,
    school_day: bool,
    now: i64,
) -> Result<Vec<(Slot, i64, ClassCheck)>, Error> {
    let expected = school_day && group.expected()? > 0;
    let checks = held.iter().map(|(rule, rows)| {
        let due = due_time(day, rule.deadline_minute);
        let check = match rows.get(&group.path) {
            Some(row) => ClassCheck::Submitted(Box::new(row.clone())),
            None if !expected => ClassCheck::NotExpected,
            None if now > due => ClassCheck::Missing,
            None => ClassCheck::Awaited,
        };
        (rule.slot, due, check)
    });
    Ok(checks.collect())
}
