//! What the gates of one school decided on one day, as counts.

use chrono::{DateTime, NaiveDate, Utc};

/// Counts of decisions, or by how many there are more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateDay {
    /// Decisions.
    pub decisions: i64,
    /// Of them, those by which somebody was observed or denied.
    pub stopped: i64,
    /// Of them, those of gates without a network.
    pub offline: i64,
    /// Of them, those that somebody overrode.
    pub overridden: i64,
    /// When the last of them was overridden, in milliseconds since 1970; 0 when none was.
    pub last_override: i64,
}

impl GateDay {
    /// One decision.
    pub fn decision(admits: bool, offline: bool) -> Self {
        Self {
            decisions: 1,
            stopped: i64::from(!admits),
            offline: i64::from(offline),
            ..Self::default()
        }
    }

    /// One override at an instant.
    pub fn overridden(at: DateTime<Utc>) -> Self {
        Self {
            overridden: 1,
            last_override: at.timestamp_millis(),
            ..Self::default()
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        let Self {
            decisions,
            stopped,
            offline,
            overridden,
            last_override,
        } = *other;
        for (count, more) in [
            (&mut self.decisions, decisions),
            (&mut self.stopped, stopped),
            (&mut self.offline, offline),
            (&mut self.overridden, overridden),
        ] {
            *count = count.saturating_add(more);
        }
        self.last_override = self.last_override.max(last_override);
    }

    /// One line of a change: the day, the school and the counts, with spaces between them.
    pub fn line(&self, day: i32, school: &str) -> String {
        let Self {
            decisions,
            stopped,
            offline,
            overridden,
            last_override,
        } = self;
        format!("{day} {school} {decisions} {stopped} {offline} {overridden} {last_override}")
    }

    /// The day, the school and the counts of such a line; none when it is no such line.
    pub fn of_line(line: &str) -> Option<(i32, &str, Self)> {
        let mut parts = line.split(' ');
        let day = parts.next()?.parse().ok()?;
        let school = parts.next()?;
        let mut number = || parts.next()?.parse::<i64>().ok();
        let counts = Self {
            decisions: number()?,
            stopped: number()?,
            offline: number()?,
            overridden: number()?,
            last_override: number()?,
        };
        parts.next().is_none().then_some((day, school, counts))
    }
}

/// The number of a civil day: days since 1970-01-01.
pub fn number_of(day: NaiveDate) -> i32 {
    let days = day.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_are_counted_from_the_first_of_1970() {
        assert_eq!(number_of("1970-01-01".parse().unwrap()), 0);
        assert_eq!(number_of("2022-04-07".parse().unwrap()), 19_089);
    }

    #[test]
    fn a_line_with_more_or_less_is_none() {
        for line in ["", "1 a", "1 a 1 2 3 4", "1 a 1 2 3 4 5 6", "x a 1 2 3 4 5"] {
            assert_eq!(GateDay::of_line(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_line_says_what_was_written(day in 0..40_000, counts in any::<[i32; 5]>()) {
            let [decisions, stopped, offline, overridden, last_override] = counts.map(i64::from);
            let counts = GateDay { decisions, stopped, offline, overridden, last_override };
            let line = counts.line(day, "2135010001");
            prop_assert_eq!(GateDay::of_line(&line), Some((day, "2135010001", counts)));
        }
    }
}
