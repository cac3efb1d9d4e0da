//! Points of a campus whose objects and surfaces are sampled (rule 2.23).

use super::day::Day;
use super::laboratory_result::Value;

/// Where a point stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each state means")]
pub enum PointState {
    Open = 1,
    Sealed = 2,
    Disinfected = 3,
    Retired = 4,
}

impl PointState {
    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Open, Self::Sealed, Self::Disinfected, Self::Retired]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// A sample of a point with its result in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When its tube was sealed, in milliseconds.
    pub taken: i64,
    /// What was found.
    pub result: Value,
}

/// Where a point that is in use stands: sealed by a positive sample until it is disinfected, and
/// closed until a sample taken after that is negative. It follows from the samples and the time of
/// the last disinfection alone (0 for none), so the order of results cannot matter.
pub fn stands(samples: &[Sample], disinfected: i64) -> PointState {
    let positive = samples.iter().filter(|sample| sample.result.holds());
    let Some(last_positive) = positive.map(|sample| sample.taken).max() else {
        return PointState::Open;
    };
    if disinfected <= last_positive {
        return PointState::Sealed;
    }
    let retested = samples
        .iter()
        .any(|sample| sample.result == Value::Negative && sample.taken > disinfected);
    if retested {
        PointState::Open
    } else {
        PointState::Disinfected
    }
}

/// The day on which a point is due: `every_days` after its last sample, or at once.
pub fn due(last_sampled: Day, created: Day, every_days: u16) -> Day {
    if last_sampled.is_never() {
        return created;
    }
    Day::from_number(last_sampled.number().saturating_add(every_days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(taken: i64, result: Value) -> Sample {
        Sample { taken, result }
    }

    #[test]
    fn a_positive_point_opens_after_disinfection_and_a_later_negative_only() {
        let positive = sample(10, Value::Positive);
        let before = sample(15, Value::Negative);
        let after = sample(30, Value::Negative);
        assert_eq!(stands(&[before], 0), PointState::Open);
        assert_eq!(stands(&[positive], 0), PointState::Sealed);
        assert_eq!(stands(&[positive, before], 20), PointState::Disinfected);
        assert_eq!(stands(&[after, positive, before], 20), PointState::Open);
        let again = sample(40, Value::Suspect);
        assert_eq!(stands(&[positive, after, again], 20), PointState::Sealed);
        let invalid = sample(30, Value::Invalid);
        assert_eq!(stands(&[positive, invalid], 20), PointState::Disinfected);
    }

    #[test]
    fn a_point_is_due_a_week_after_its_last_sample_and_at_once_when_new() {
        let created = Day::from_number(100);
        assert_eq!(due(Day::NEVER, created, 7), created);
        assert_eq!(
            due(Day::from_number(120), created, 7),
            Day::from_number(127)
        );
    }
}
