//! How far the rotation has come, from counters that are kept with each school.

use std::collections::BTreeMap;

use super::calendar::Calendar;
use super::day::Day;
use super::roll::{Malformed, Roll};
use super::rotation::Rotation;

/// Counts people by how long they have waited. Those of class groups add up to a school's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Class groups counted.
    pub groups: i32,
    /// People on their rolls.
    pub enrolled: i32,
    /// Eligible people by the day of their last swab, or before they joined.
    waiting: BTreeMap<Key, i32>,
}

/// The day before the first one of waiting, and whether that was the day of a swab.
type Key = (Day, bool);

const HEAD: usize = 8;
const ENTRY: usize = 7;

impl Tally {
    /// Counts one class group; nobody is eligible while it is not `taught` in person.
    pub fn of(roll: &Roll, rotation: &Rotation, taught: bool) -> Self {
        let mut tally = Self {
            groups: 1,
            ..Self::default()
        };
        for member in roll.members() {
            tally.enrolled += 1;
            if taught && member.is_eligible() {
                let (last, joined) = (rotation.last(member.person), member.since.before());
                *tally
                    .waiting
                    .entry((last.max(joined), last >= joined))
                    .or_default() += 1;
            }
        }
        tally
    }

    /// Adds another tally, or takes it away.
    pub fn add(&mut self, other: &Self, sign: i32) {
        self.groups += sign * other.groups;
        self.enrolled += sign * other.enrolled;
        for (key, count) in &other.waiting {
            *self.waiting.entry(*key).or_default() += sign * count;
        }
        self.waiting.retain(|_, count| *count != 0);
    }

    /// One row of bytes.
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.waiting.len() * ENTRY);
        bytes.extend(self.groups.to_le_bytes());
        bytes.extend(self.enrolled.to_le_bytes());
        for ((day, swabbed), count) in &self.waiting {
            bytes.extend(day.number().to_le_bytes());
            bytes.push(u8::from(*swabbed));
            bytes.extend(count.to_le_bytes());
        }
        bytes
    }

    /// From one row of bytes.
    ///
    /// # Errors
    /// When the length is wrong.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let number = |bytes: &[u8]| {
            bytes
                .try_into()
                .map(i32::from_le_bytes)
                .map_err(|_| Malformed)
        };
        let (head, rest) = bytes.split_at_checked(HEAD).ok_or(Malformed)?;
        let entries = rest.chunks_exact(ENTRY);
        if !entries.remainder().is_empty() {
            return Err(Malformed);
        }
        let mut waiting = BTreeMap::new();
        for entry in entries {
            let day = Day::from_number(u16::from_le_bytes([entry[0], entry[1]]));
            waiting.insert((day, entry[2] == 1), number(&entry[3..])?);
        }
        Ok(Self {
            groups: number(&head[..4])?,
            enrolled: number(&head[4..])?,
            waiting,
        })
    }

    /// What the counters say on `today`.
    pub fn figures(&self, terms: &Terms<'_>) -> Figures {
        let Terms {
            calendar,
            today,
            start,
            cycle_days,
            gap_alert_days,
        } = *terms;
        let window = calendar.first_of_last(cycle_days, today);
        let mut figures = Figures {
            groups: i64::from(self.groups),
            enrolled: i64::from(self.enrolled),
            ..Figures::default()
        };
        for ((since, swabbed), count) in &self.waiting {
            let count = i64::from(*count);
            let waited = calendar.count((*since).max(start.before()), today);
            figures.eligible += count;
            if *swabbed && *since >= window {
                figures.covered += count;
            } else if waited <= cycle_days {
                figures.due += count;
            } else {
                figures.late += count;
                figures.debt_days += count * i64::from(waited - cycle_days);
            }
            if waited > gap_alert_days {
                figures.alerts += count;
            }
            if count > 0 {
                figures.longest_gap = figures.longest_gap.max(waited);
            }
        }
        figures
    }
}

/// By what coverage is judged.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// School days.
    pub calendar: &'a Calendar,
    /// The day of the figures.
    pub today: Day,
    /// When sampling began: nobody waited before.
    pub start: Day,
    /// Everybody once in as many school days.
    pub cycle_days: u32,
    /// A longer wait is an alert.
    pub gap_alert_days: u32,
}

/// How far the rotation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Class groups.
    pub groups: i64,
    /// People on the rolls.
    pub enrolled: i64,
    /// Those who may be drawn.
    pub eligible: i64,
    /// Swabbed within the cycle.
    pub covered: i64,
    /// Not swabbed within it, and not late.
    pub due: i64,
    /// Waiting for longer than the cycle.
    pub late: i64,
    /// School days beyond the cycle, added up.
    pub debt_days: i64,
    /// The most school days that anybody waits.
    pub longest_gap: u32,
    /// Waiting for longer than the alert allows.
    pub alerts: i64,
}

impl Figures {
    /// Adds the figures of another place.
    pub fn add(&mut self, other: &Self) {
        let Self {
            groups,
            enrolled,
            eligible,
            covered,
            due,
            late,
            debt_days,
            longest_gap,
            alerts,
        } = *other;
        self.groups += groups;
        self.enrolled += enrolled;
        self.eligible += eligible;
        self.covered += covered;
        self.due += due;
        self.late += late;
        self.debt_days += debt_days;
        self.longest_gap = self.longest_gap.max(longest_gap);
        self.alerts += alerts;
    }
}
