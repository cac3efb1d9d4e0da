//! For how long what is known of people is kept, and where (rule 6.13).

use std::collections::{BTreeMap, BTreeSet};

use super::day::Day;
use super::policy::{Policy, in_force};

/// The milliseconds of a civil day.
const DAY: i64 = 86_400_000;
/// A year has no more days.
const YEAR: u32 = 366;

/// For how long a place keeps what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Normal temperatures, in days.
    pub temperature_days: u32,
    /// Symptoms and absences, in days.
    pub absence_days: u32,
    /// Cases with what was reported of them, in years.
    pub report_card_years: u32,
    /// Tubes and results, in days.
    pub result_days: u32,
}

/// By which of its periods a place keeps something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the periods say what each is")]
pub enum Period {
    Temperature,
    Absence,
    ReportCard,
    Result,
}

impl Periods {
    /// The days of a period.
    pub fn days(&self, period: Period) -> u32 {
        match period {
            Period::Temperature => self.temperature_days,
            Period::Absence => self.absence_days,
            Period::ReportCard => self.report_card_years.saturating_mul(YEAR),
            Period::Result => self.result_days,
        }
    }
}

/// What is older was kept for long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// In milliseconds since 1970.
    pub instant: i64,
    /// The civil day.
    pub day: Day,
}

impl Before {
    /// So many days before an instant, in milliseconds since 1970, and its civil day.
    pub fn days(days: u32, now: i64, today: Day) -> Self {
        let day = u32::from(today.number()).saturating_sub(days);
        Self {
            instant: now.saturating_sub(i64::from(days) * DAY),
            day: Day::from_number(u16::try_from(day).unwrap_or_default()),
        }
    }
}

/// A place with a policy of its own, without the places below it that have theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The place; empty for the whole city.
    pub place: String,
    /// The places below it that go by other policies.
    pub below: Vec<String>,
    /// For how long it keeps what.
    pub periods: Periods,
    /// A temperature from this on, in tenths of a degree Celsius, is not normal; 0 when none is.
    pub fever: i16,
}

/// The regions that have periods on a day. `places` are those of the organisations of policies; whatever lies in
/// no region is kept.
pub fn regions(policies: &[Policy], places: &BTreeMap<String, String>, today: Day) -> Vec<Region> {
    let effective = policies.iter().filter(|policy| policy.effective <= today);
    let own = effective.filter_map(|policy| places.get(policy.organization.as_deref()?));
    let mut own: BTreeSet<&str> = own.map(String::as_str).collect();
    own.insert("");
    let region = |place: &&str| {
        let policy = in_force(policies, place, today)?;
        let below = own.iter().filter(|other| is_below(other, place));
        Some(Region {
            place: (*place).to_owned(),
            below: below.map(|other| (*other).to_owned()).collect(),
            periods: policy.retention?,
            fever: policy.health.fever,
        })
    };
    own.iter().filter_map(region).collect()
}

fn is_below(place: &str, above: &str) -> bool {
    if above.is_empty() {
        return !place.is_empty();
    }
    let rest = place.strip_prefix(above);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_another_one_and_never_below_itself() {
        assert!(is_below("fz", ""));
        assert!(is_below("fz/350102/s1", "fz/350102"));
        assert!(!is_below("", ""));
        assert!(!is_below("fz/350102", "fz/350102"));
        assert!(!is_below("fz/3501021", "fz/350102"));
    }

    #[test]
    fn days_end_at_the_first_day_there_is() {
        let today = Day::from_number(100);
        let month = Before::days(30, 40 * DAY, today);
        assert_eq!((month.instant, month.day.number()), (10 * DAY, 70));
        assert_eq!(Before::days(365, 0, today).day, Day::NEVER);
    }
}
