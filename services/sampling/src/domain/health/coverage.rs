//! How complete the checks of a place are, and what they say (rules 1.5 to 1.7). Figures of schools
//! add up to those of bureaus; what is missing stands beside every one and is never zero.

use super::absence_tally::AbsenceTally;
use super::rules::{Slot, SlotRule};
use super::tally::{DayTally, SlotTally};
use crate::domain::roll::Malformed;

/// People with each symptom, in the order of the contract, and people with any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SymptomCounts {
    /// People with each.
    pub symptoms: [u32; 14],
    /// People with any.
    pub ill: u32,
}

const PACKED: usize = 15 * 4;

impl SymptomCounts {
    /// Adds those of other people.
    pub fn add(&mut self, other: &Self) {
        for (count, other) in self.symptoms.iter_mut().zip(other.symptoms) {
            *count = count.saturating_add(other);
        }
        self.ill = self.ill.saturating_add(other.ill);
    }

    /// One row of bytes.
    pub fn pack(&self) -> Vec<u8> {
        let all = self.symptoms.iter().chain([&self.ill]);
        all.flat_map(|count| count.to_le_bytes()).collect()
    }

    /// From one row of bytes.
    ///
    /// # Errors
    /// When the bytes are no packed counts.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() != PACKED {
            return Err(Malformed);
        }
        let mut numbers = bytes.chunks_exact(4).map(|chunk| {
            let mut number = [0; 4];
            number.copy_from_slice(chunk);
            u32::from_le_bytes(number)
        });
        let mut counts = Self::default();
        for count in counts.symptoms.iter_mut().chain([&mut counts.ill]) {
            *count = numbers.next().ok_or(Malformed)?;
        }
        Ok(counts)
    }
}

/// What one check of the day expects of a school now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Submissions.
    pub checks: u32,
    /// People in them.
    pub people: u32,
}

/// Figures on one check of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotFigures {
    /// Submissions expected.
    pub expected: u32,
    /// Of those expected, the ones submitted.
    pub answered: u32,
    /// Of those expected, the ones not submitted.
    pub missing: u32,
    /// Of those expected, the ones whose time is over.
    pub over: u32,
    /// Of those missing, the ones whose time is over.
    pub overdue: u32,
    /// Submissions, expected or not.
    pub submitted: u32,
    /// Of them, zero reports.
    pub zero: u32,
    /// Of them, late ones.
    pub late: u32,
    /// People expected in person now.
    pub people: u32,
    /// People on the rolls as counted.
    pub roll: u32,
    /// Of them, present.
    pub present: u32,
    /// Of them, absent.
    pub absent: u32,
    /// Of those absent, ill.
    pub ill_absent: u32,
    /// Of those submitted, the corrected ones.
    pub corrected: Corrections,
}

/// Checks that were corrected, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrections {
    /// How many, or by how many there are more.
    pub count: i32,
    /// When the last was corrected last, in milliseconds since 1970; 0 when none was.
    pub last: i64,
}

impl Corrections {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.last = self.last.max(other.last);
    }
}

impl SlotFigures {
    /// From what is counted. What is expected does not change once it is frozen; before, nobody can
    /// have answered more than is expected.
    fn new(tally: &SlotTally, expected: Expected, is_over: bool) -> Self {
        let all = if tally.frozen {
            tally.expected
        } else {
            expected.checks.max(tally.answered)
        };
        let missing = all.saturating_sub(tally.answered);
        let if_over = |count: u32| if is_over { count } else { 0 };
        Self {
            expected: all,
            answered: tally.answered,
            missing,
            over: if_over(all),
            overdue: if_over(missing),
            submitted: tally.submitted,
            zero: tally.zero,
            late: tally.late,
            people: expected.people,
            roll: tally.roll,
            present: tally.present,
            absent: tally.absent,
            ill_absent: tally.ill_absent,
            corrected: Corrections::default(),
        }
    }

    fn add(&mut self, other: &Self) {
        let Self {
            expected,
            answered,
            missing,
            over,
            overdue,
            submitted,
            zero,
            late,
            people,
            roll,
            present,
            absent,
            ill_absent,
            corrected,
        } = other;
        self.corrected.add(*corrected);
        let sums = [
            (&mut self.expected, expected),
            (&mut self.answered, answered),
            (&mut self.missing, missing),
            (&mut self.over, over),
            (&mut self.overdue, overdue),
            (&mut self.submitted, submitted),
            (&mut self.zero, zero),
            (&mut self.late, late),
            (&mut self.people, people),
            (&mut self.roll, roll),
            (&mut self.present, present),
            (&mut self.absent, absent),
            (&mut self.ill_absent, ill_absent),
        ];
        for (sum, other) in sums {
            *sum = sum.saturating_add(*other);
        }
    }
}

/// Figures on one school, or on all the schools of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    slots: [SlotFigures; 3],
    /// People ill that day.
    pub day: SymptomCounts,
    /// People ill on the day or the two civil days before it, each person once.
    pub three_days: SymptomCounts,
    /// Schools of which any check is expected.
    pub schools: u32,
    /// Of them, those that submitted none of the checks whose time is over.
    pub silent_schools: u32,
}

/// What is not settled now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Absences that have not ended.
    pub absences: AbsenceTally,
    /// Clusters that nobody has closed.
    pub clusters: u32,
    /// Cases that are open.
    pub cases: u32,
    /// Of them, those with something late.
    pub late_cases: u32,
}

impl Open {
    /// Adds that of another school.
    pub fn add(&mut self, other: &Self) {
        self.absences.add(&other.absences, 1);
        self.clusters = self.clusters.saturating_add(other.clusters);
        self.cases = self.cases.saturating_add(other.cases);
        self.late_cases = self.late_cases.saturating_add(other.late_cases);
    }
}

/// How silent a place is: the most silent sorts first.
pub type Silence = (u32, u32);

/// Shares of what is missing are told apart to the millionth.
const WHOLE: u32 = 1_000_000;

impl Figures {
    /// Those of one school. `expected` is what a check expects of it now and `is_over` whether its
    /// time is over; on a day without school nothing is expected.
    pub fn of_school(
        tally: &DayTally,
        three_days: SymptomCounts,
        rules: &[SlotRule],
        expected: impl Fn(&SlotRule) -> Expected,
        is_over: impl Fn(&SlotRule) -> bool,
    ) -> Self {
        let mut figures = Self {
            day: SymptomCounts {
                symptoms: tally.symptoms,
                ill: tally.ill,
            },
            three_days,
            ..Self::default()
        };
        for slot in Slot::ALL {
            let rule = rules.iter().find(|rule| rule.slot == slot);
            let expected = rule.map(&expected).unwrap_or_default();
            let over = rule.is_none_or(&is_over);
            figures.slots[slot as usize - 1] = SlotFigures::new(tally.slot(slot), expected, over);
        }
        let any = figures.slots.iter().any(|slot| slot.expected > 0);
        let over: u32 = figures.slots.iter().map(|slot| slot.over).sum();
        let overdue: u32 = figures.slots.iter().map(|slot| slot.overdue).sum();
        figures.schools = u32::from(any);
        figures.silent_schools = u32::from(over > 0 && overdue == over);
        figures
    }

    /// Figures on one check of the day.
    pub fn slot(&self, slot: Slot) -> &SlotFigures {
        &self.slots[slot as usize - 1]
    }

    /// The same with checks of the day that were corrected, in the order of the day.
    #[must_use]
    pub fn corrected(mut self, corrections: [Corrections; 3]) -> Self {
        for (slot, corrected) in self.slots.iter_mut().zip(corrections) {
            slot.corrected.add(corrected);
        }
        self
    }

    /// Adds those of another school.
    pub fn add(&mut self, other: &Self) {
        for (slot, other) in self.slots.iter_mut().zip(&other.slots) {
            slot.add(other);
        }
        self.day.add(&other.day);
        self.three_days.add(&other.three_days);
        self.schools = self.schools.saturating_add(other.schools);
        self.silent_schools = self.silent_schools.saturating_add(other.silent_schools);
    }

    /// Of the checks whose time is over: the share that is missing, then how many. Whoever submitted
    /// none has the whole share, and comes before all who submitted any.
    pub fn silence(&self) -> Silence {
        let sum = |of: fn(&SlotFigures) -> u32| -> u64 {
            let slots = self.slots.iter();
            slots.map(|slot| u64::from(of(slot))).sum()
        };
        let (over, overdue) = (sum(|slot| slot.over), sum(|slot| slot.overdue));
        let share = (overdue * u64::from(WHOLE)).checked_div(over).unwrap_or(0);
        let share = u32::try_from(share).unwrap_or(WHOLE);
        let overdue = u32::try_from(overdue).unwrap_or(u32::MAX);
        (WHOLE.saturating_sub(share), u32::MAX - overdue)
    }
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
