//! What honest checks hardly ever look like: too regular, at night, all at once. A function of the
//! set of checks: neither the order nor the repetition of submissions matters.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::Slot;
use crate::domain::day::Day;
use crate::domain::roll::PersonId;

/// Fewer temperatures say nothing: a handful of people may well have the same one.
pub const READINGS: usize = 10;
/// From this share on, in percent, temperatures are the same. Temperatures of healthy people at
/// rest spread over more than half a degree, so ten that agree to the tenth do not happen.
pub const SAME_PERCENT: usize = 90;
/// Before this minute of the civil day nobody is at school to be checked: 05:00.
pub const NIGHT_ENDS: i64 = 5 * 60;
/// Shorter words for a symptom are what anybody would write, such as a blocked nose.
pub const TEXT_CHARACTERS: usize = 6;
/// The same words in as many groups, or on as many days, were not written by as many people.
pub const SAME_TEXTS: usize = 3;
/// Words are compared within as many school days, today included.
pub const TEXT_DAYS: u32 = 5;
/// A school of this size has somebody ill on most days: with one in a hundred children ill at a
/// time, 300 healthy ones are one day in twenty, and ten such days running do not happen.
pub const STUDENTS: u32 = 300;
/// As many school days running without anybody ill are too many.
pub const QUIET_DAYS: u32 = 10;
/// As many groups in a minute were not walked through by one person.
pub const GROUPS: usize = 10;
/// That minute, in milliseconds.
pub const MINUTE: i64 = 60_000;

/// What is improbable. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Kind {
    /// Nearly all temperatures of a check are the same.
    IdenticalTemperatures = 1,
    /// Nearly everybody has the temperature of the check before.
    CopiedReadings = 2,
    /// Taken while nobody is at school.
    NightCheck = 3,
    /// The same words in many groups or on many days.
    SameText = 4,
    /// A large school where nobody is ever ill.
    NoIllness = 5,
    /// Many groups checked by one account at once.
    OneMinute = 6,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::IdenticalTemperatures,
        Self::CopiedReadings,
        Self::NightCheck,
        Self::SameText,
        Self::NoIllness,
        Self::OneMinute,
    ];

    /// The number of this kind.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The kind with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A check as it stands. Of one day, slot and place there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The civil day.
    pub day: Day,
    /// Which check of the day.
    pub slot: Slot,
    /// The place of the group or room.
    pub place: String,
    /// When it was taken, in milliseconds since 1970.
    pub capture: i64,
    /// The account that submitted it.
    pub account: String,
    /// Temperatures in tenths of a degree Celsius.
    pub readings: Vec<(PersonId, i16)>,
    /// Other symptoms in words.
    pub texts: Vec<String>,
}

/// Something improbable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Irregularity {
    /// What.
    pub kind: Kind,
    /// The place of the group or room; none for the school.
    pub place: Option<String>,
    /// Which check of the day; none for several.
    pub slot: Option<Slot>,
    /// How many, as the kind says.
    pub observed: usize,
    /// Of how many, as the kind says.
    pub total: usize,
}

/// One school day of a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchoolDay {
    /// Every check that was expected was submitted.
    pub complete: bool,
    /// Nobody had a symptom, and nobody was absent and ill.
    pub healthy: bool,
}

type Key<'a> = (Day, Slot, &'a str);

/// What is improbable in the checks of one school on `day`, at most one of a kind and place, in
/// their order. `reports` holds the checks of that day, those of the school day before, and those
/// with words of [`TEXT_DAYS`] school days; what else it holds changes nothing.
pub fn irregularities(day: Day, reports: &[Report]) -> Vec<Irregularity> {
    let all: BTreeMap<Key<'_>, &Report> = reports
        .iter()
        .filter(|report| report.day <= day)
        .map(|report| ((report.day, report.slot, report.place.as_str()), report))
        .collect();
    let today: Vec<&Report> = all
        .values()
        .copied()
        .filter(|report| report.day == day)
        .collect();
    let mut before: BTreeMap<&str, &Report> = BTreeMap::new();
    let mut found = Vec::new();
    for report in all.values() {
        let last = before.insert(&report.place, report);
        if report.day == day {
            found.extend(identical(report));
            found.extend(last.and_then(|last| copied(report, last)));
        }
    }
    found.extend(at_night(&today));
    found.extend(same_text(day, &all));
    found.extend(one_minute(&today));
    found.sort();
    found.dedup_by(|next, first| (next.kind, &next.place) == (first.kind, &first.place));
    found
}

/// How many of the last [`QUIET_DAYS`] school days were complete and healthy, when all of them were
/// and the school is a large one.
pub fn no_illness(students: u32, days: &[SchoolDay]) -> Option<Irregularity> {
    let enough = usize::try_from(QUIET_DAYS).is_ok_and(|quiet| days.len() >= quiet);
    let quiet = days.iter().all(|day| day.complete && day.healthy);
    (students >= STUDENTS && enough && quiet).then(|| Irregularity {
        kind: Kind::NoIllness,
        place: None,
        slot: None,
        observed: days.len(),
        total: days.len(),
    })
}

/// Whether `observed` of `total` are nearly all.
fn nearly_all(observed: usize, total: usize) -> bool {
    total >= READINGS && observed * 100 >= total * SAME_PERCENT
}

fn of_group(kind: Kind, report: &Report, observed: usize, total: usize) -> Irregularity {
    Irregularity {
        kind,
        place: Some(report.place.clone()),
        slot: Some(report.slot),
        observed,
        total,
    }
}

/// Each person's temperature; of several the highest.
fn readings(report: &Report) -> BTreeMap<PersonId, i16> {
    let mut readings = BTreeMap::new();
    for (person, tenths) in &report.readings {
        let known = readings.entry(*person).or_insert(*tenths);
        *known = (*known).max(*tenths);
    }
    readings
}

fn identical(report: &Report) -> Option<Irregularity> {
    let readings = readings(report);
    let mut counts: BTreeMap<i16, usize> = BTreeMap::new();
    for tenths in readings.values() {
        *counts.entry(*tenths).or_default() += 1;
    }
    let (most, total) = (counts.into_values().max()?, readings.len());
    nearly_all(most, total).then(|| of_group(Kind::IdenticalTemperatures, report, most, total))
}

fn copied(report: &Report, last: &Report) -> Option<Irregularity> {
    let (now, then) = (readings(report), readings(last));
    let both = now.iter().filter_map(|(person, tenths)| {
        let then = then.get(person)?;
        Some(tenths == then)
    });
    let (mut same, mut total) = (0, 0);
    for equal in both {
        total += 1;
        same += usize::from(equal);
    }
    nearly_all(same, total).then(|| of_group(Kind::CopiedReadings, report, same, total))
}

/// The minute of the civil day, Asia/Shanghai: eight hours from UTC, all year.
fn minute_of_day(instant: i64) -> i64 {
    (instant + 8 * 60 * MINUTE).rem_euclid(24 * 60 * MINUTE) / MINUTE
}

fn at_night(today: &[&Report]) -> Vec<Irregularity> {
    let mut groups: BTreeMap<&str, (Vec<&Report>, usize)> = BTreeMap::new();
    for report in today {
        let (night, total) = groups.entry(&report.place).or_default();
        *total += 1;
        if minute_of_day(report.capture) < NIGHT_ENDS {
            night.push(report);
        }
    }
    let found = groups.into_values().filter_map(|(night, total)| {
        let first = night.first()?;
        Some(of_group(Kind::NightCheck, first, night.len(), total))
    });
    found.collect()
}

/// Words without what differs by hand: spaces and case.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

fn same_text(day: Day, all: &BTreeMap<Key<'_>, &Report>) -> Option<Irregularity> {
    let mut uses: BTreeMap<String, (BTreeSet<&str>, BTreeSet<Day>)> = BTreeMap::new();
    let mut worded = 0;
    for report in all.values() {
        worded += usize::from(!report.texts.is_empty());
        for text in &report.texts {
            let text = plain(text);
            if text.chars().count() >= TEXT_CHARACTERS {
                let (places, days) = uses.entry(text).or_default();
                places.insert(&report.place);
                days.insert(report.day);
            }
        }
    }
    let today = uses.into_values().filter(|(_, days)| days.contains(&day));
    let observed = today.map(|(places, days)| places.len().max(days.len()));
    let observed = observed.max().filter(|most| *most >= SAME_TEXTS)?;
    Some(Irregularity {
        kind: Kind::SameText,
        place: None,
        slot: None,
        observed,
        total: worded,
    })
}

fn one_minute(today: &[&Report]) -> Option<Irregularity> {
    let mut accounts: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for report in today {
        let taken = accounts.entry(&report.account).or_default();
        taken.push((report.capture, &report.place));
    }
    let mut most = 0;
    for taken in accounts.values_mut() {
        taken.sort_unstable();
        let mut inside: BTreeMap<&str, usize> = BTreeMap::new();
        let mut first = 0;
        for (at, place) in taken.iter() {
            *inside.entry(place).or_default() += 1;
            while taken[first].0 + MINUTE <= *at {
                if let Some(count) = inside.get_mut(taken[first].1) {
                    *count -= 1;
                    if *count == 0 {
                        inside.remove(taken[first].1);
                    }
                }
                first += 1;
            }
            most = most.max(inside.len());
        }
    }
    (most >= GROUPS).then_some(Irregularity {
        kind: Kind::OneMinute,
        place: None,
        slot: None,
        observed: most,
        total: today.len(),
    })
}

#[cfg(test)]
#[path = "regularity_tests.rs"]
mod tests;
