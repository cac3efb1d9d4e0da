//! Counts of the tubes that one school opened on one day, kept as they go their way.

use super::laboratory_result::Value;

/// What is known of one tube.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// It was opened, and not voided.
    pub opened: bool,
    /// It was sealed.
    pub sealed: bool,
    /// The laboratory received it.
    pub received: bool,
    /// It was too long on the way.
    pub late: bool,
    /// It was lost or rejected.
    pub gone: bool,
    /// The result in force.
    pub result: Option<Value>,
    /// The version of that result; 0 without one.
    pub version: i32,
    /// When the result is due, in milliseconds since 1970; 0 before it is sealed.
    pub due: i64,
}

/// Counts of tubes, or by how much they change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TubeDay {
    /// Opened, and not voided.
    pub opened: i32,
    /// Sealed.
    pub sealed: i32,
    /// Received by the laboratory.
    pub received: i32,
    /// Too long on the way.
    pub late_arrivals: i32,
    /// Lost, rejected, or with an invalid result in force.
    pub failed: i32,
    /// With a result in force.
    pub results: i32,
    /// With a first result that came after it was due.
    pub late_results: i32,
    /// With a result in force that is positive or suspect.
    pub positive: i32,
    /// With a result in force that is not the first.
    pub corrected: i32,
    /// When the last result was corrected, in milliseconds since 1970; 0 when none was.
    pub last_correct: i64,
}

impl Course {
    /// What the tube counts for, but for what only its moves tell.
    fn counts(self) -> TubeDay {
        let count = |yes: bool| i32::from(yes && self.opened);
        let is = |value: Value| self.result == Some(value);
        TubeDay {
            opened: count(true),
            sealed: count(self.sealed),
            received: count(self.received),
            late_arrivals: count(self.late),
            failed: count(is(Value::Invalid) || (self.gone && self.result.is_none())),
            results: count(self.result.is_some()),
            late_results: 0,
            positive: count(self.result.is_some_and(Value::holds)),
            corrected: count(self.version > 1),
            last_correct: 0,
        }
    }

    /// By how much the counts change when the tube becomes `after` at `now`, in milliseconds since 1970.
    pub fn change(self, after: Self, now: i64) -> TubeDay {
        let mut change = after.counts();
        change.add(&self.counts(), -1);
        let first = self.result.is_none() && after.result.is_some();
        change.late_results = i32::from(first && after.due > 0 && now > after.due);
        if after.version > 1 && after.version != self.version {
            change.last_correct = now;
        }
        change
    }
}

impl TubeDay {
    /// Adds other counts, or with a `sign` of -1 takes them away.
    pub fn add(&mut self, other: &Self, sign: i32) {
        let Self {
            opened,
            sealed,
            received,
            late_arrivals,
            failed,
            results,
            late_results,
            positive,
            corrected,
            last_correct,
        } = *other;
        for (count, more) in [
            (&mut self.opened, opened),
            (&mut self.sealed, sealed),
            (&mut self.received, received),
            (&mut self.late_arrivals, late_arrivals),
            (&mut self.failed, failed),
            (&mut self.results, results),
            (&mut self.late_results, late_results),
            (&mut self.positive, positive),
            (&mut self.corrected, corrected),
        ] {
            *count = count.saturating_add(more.saturating_mul(sign));
        }
        self.last_correct = self.last_correct.max(last_correct);
    }

    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPENED: Course = Course {
        opened: true,
        sealed: false,
        received: false,
        late: false,
        gone: false,
        result: None,
        version: 0,
        due: 0,
    };

    fn result(value: Value, version: i32) -> Course {
        Course {
            sealed: true,
            received: true,
            result: Some(value),
            version,
            due: 100,
            ..OPENED
        }
    }

    fn course() -> impl Strategy<Value = Course> {
        let value = prop_oneof![
            Just(None),
            Just(Some(Value::Negative)),
            Just(Some(Value::Positive)),
            Just(Some(Value::Invalid)),
        ];
        (any::<[bool; 5]>(), value, 0..3_i32).prop_map(|(flags, result, version)| {
            let [opened, sealed, received, late, gone] = flags;
            Course {
                opened,
                sealed,
                received,
                late,
                gone,
                result,
                version: if result.is_some() { version.max(1) } else { 0 },
                due: 100,
            }
        })
    }

    #[test]
    fn a_correction_counts_once_and_is_as_late_as_the_last() {
        let (sealed, first) = (
            Course {
                sealed: true,
                due: 100,
                ..OPENED
            },
            result(Value::Negative, 1),
        );
        let came = sealed.change(first, 150);
        assert_eq!((came.results, came.late_results, came.corrected), (1, 1, 0));
        let second = result(Value::Positive, 2);
        let corrected = first.change(second, 200);
        assert_eq!(
            (
                corrected.results,
                corrected.late_results,
                corrected.positive
            ),
            (0, 0, 1)
        );
        assert_eq!((corrected.corrected, corrected.last_correct), (1, 200));
        let again = second.change(result(Value::Negative, 3), 300);
        assert_eq!((again.corrected, again.last_correct), (0, 300));
        assert_eq!(again.positive, -1);
    }

    #[test]
    fn a_voided_tube_counts_for_nothing() {
        let mut sum = Course::default().change(OPENED, 1);
        let voided = Course {
            opened: false,
            gone: true,
            ..OPENED
        };
        sum.add(&OPENED.change(voided, 2), 1);
        assert!(sum.is_nothing());
    }

    proptest! {
        #[test]
        fn changes_on_the_way_add_up_to_what_the_tube_is(
            way in proptest::collection::vec(course(), 1..6)
        ) {
            let (mut sum, mut before) = (TubeDay::default(), Course::default());
            for after in &way {
                sum.add(&before.change(*after, 50), 1);
                before = *after;
            }
            let is = before.counts();
            prop_assert_eq!(
                TubeDay { late_results: 0, last_correct: 0, ..sum },
                is
            );
        }
    }
}
