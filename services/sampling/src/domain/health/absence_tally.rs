//! How many absences of a school have not ended, by reason and state.

use super::absence::{AbsenceState, Reason};
use crate::domain::roll::Malformed;

/// The states that are counted: all but those in which nothing happens any more.
const STATES: usize = 4;
const REASONS: usize = Reason::ALL.len();
const NUMBERS: usize = STATES * REASONS + 2;

/// Counts absences that have not ended. Those of schools add up to a bureau's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbsenceTally {
    counts: [[i32; STATES]; REASONS],
    /// Illnesses that were not uploaded in time, and are not uploaded yet (rule 1.8).
    pub uploads_overdue: i32,
    /// Interviews that are due (rule 1.12).
    pub interviews_due: i32,
}

impl AbsenceTally {
    /// Counts one absence; one that has ended or was withdrawn counts nowhere.
    pub fn of(reason: Reason, state: AbsenceState, overdue: bool, interview: bool) -> Self {
        let mut tally = Self::default();
        let reason = usize::try_from(reason.code() - 1).unwrap_or_default();
        let state = usize::try_from(state.code() - 1).unwrap_or_default();
        if state < STATES {
            tally.counts[reason][state] = 1;
            tally.uploads_overdue = i32::from(overdue);
            tally.interviews_due = i32::from(interview);
        }
        tally
    }

    /// Adds another tally, or takes it away.
    pub fn add(&mut self, other: &Self, sign: i32) {
        for (ours, theirs) in self
            .counts
            .iter_mut()
            .flatten()
            .zip(other.counts.iter().flatten())
        {
            *ours += sign * theirs;
        }
        self.uploads_overdue += sign * other.uploads_overdue;
        self.interviews_due += sign * other.interviews_due;
    }

    /// How many absences there are for this reason in this state; of ended ones none is counted.
    pub fn count(&self, reason: Reason, state: AbsenceState) -> i32 {
        let reason = usize::try_from(reason.code() - 1).unwrap_or_default();
        let state = usize::try_from(state.code() - 1).unwrap_or_default();
        self.counts[reason].get(state).copied().unwrap_or_default()
    }

    /// One row of bytes.
    pub fn pack(&self) -> Vec<u8> {
        let numbers = self.counts.iter().flatten();
        let numbers = numbers.chain([&self.uploads_overdue, &self.interviews_due]);
        numbers.flat_map(|number| number.to_le_bytes()).collect()
    }

    /// From one row of bytes; an empty one counts nothing.
    ///
    /// # Errors
    /// When the length is not that of a tally.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut tally = Self::default();
        if bytes.is_empty() {
            return Ok(tally);
        }
        if bytes.len() != NUMBERS * 4 {
            return Err(Malformed);
        }
        let mut numbers = bytes
            .chunks_exact(4)
            .map(|chunk| i32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
        for count in tally.counts.iter_mut().flatten() {
            *count = numbers.next().unwrap_or_default();
        }
        tally.uploads_overdue = numbers.next().unwrap_or_default();
        tally.interviews_due = numbers.next().unwrap_or_default();
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_adds_up_and_survives_packing() {
        let ill = AbsenceTally::of(Reason::Illness, AbsenceState::Traced, true, false);
        let delayed = AbsenceTally::of(Reason::WeatherDelay, AbsenceState::Excused, false, true);
        let mut sum = ill.clone();
        sum.add(&delayed, 1);
        sum.add(&delayed, 1);
        assert_eq!(sum.count(Reason::Illness, AbsenceState::Traced), 1);
        assert_eq!(sum.count(Reason::WeatherDelay, AbsenceState::Excused), 2);
        assert_eq!((sum.uploads_overdue, sum.interviews_due), (1, 2));
        assert_eq!(AbsenceTally::unpack(&sum.pack()), Ok(sum.clone()));
        sum.add(&delayed, -1);
        sum.add(&delayed, -1);
        assert_eq!(sum, ill);
        let ended = AbsenceTally::of(Reason::Illness, AbsenceState::Ended, true, true);
        assert_eq!(ended, AbsenceTally::default());
        let withdrawn = AbsenceTally::of(Reason::Unknown, AbsenceState::Withdrawn, false, false);
        assert_eq!(withdrawn, AbsenceTally::default());
        assert_eq!(AbsenceTally::unpack(&[0; 7]), Err(Malformed));
    }
}
