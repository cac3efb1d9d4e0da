//! The numbers that a gate goes by.

use chrono::{Duration, NaiveDate};

use super::finding::Finding;
use super::observation::{Colour, Observation};

/// The part of a policy profile that a gate needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatePolicy {
    /// The profile and its version.
    pub version: String,
    /// In tenths of a degree: at or above it nobody is admitted.
    pub temperature_max: i16,
    /// The lowest and the highest reading that is believed, in tenths of a degree.
    pub temperature_plausible: (i16, i16),
    /// How long somebody waits for the second reading.
    pub recheck_wait: Duration,
    /// As many readings of a contact thermometer are normal before somebody with a fever enters.
    pub recheck_readings: usize,
    /// The colours that must not enter; empty when health codes are not asked for.
    pub deny_colours: Vec<Colour>,
    /// The days that a travel card looks back; 0 when it is not asked for.
    pub travel_window_days: i32,
    /// Somebody whose travel card was looked up in vain may enter.
    pub admit_travel_unknown: bool,
    /// From this age of the facts on, the gate is in manual mode.
    pub snapshot_max_age: Duration,
    /// Somebody who watches the own health may enter.
    pub admit_health_monitoring: bool,
    /// Whoever was in a restricted region enters as many civil days after it was lifted (rule 4.9).
    pub self_monitoring_days: i32,
    /// How long a person's code is valid.
    pub person_code_ttl_days: i32,
    /// When grades arrive (rule 3.8), each grade once at most.
    pub arrival: Vec<ArrivalWindow>,
    /// How many days decisions are kept (rule 6.13).
    pub retention_days: i32,
    /// The numbers for visits.
    pub visits: VisitPolicy,
}

/// When the pupils of one grade arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalWindow {
    /// The grade, 1 to 12.
    pub grade: u8,
    /// The minute of the civil day from which they come.
    pub start: i32,
    /// The minute before which they have come.
    pub end: i32,
}

/// From this minute of the civil day on, nobody comes for the first lesson.
const NOON: i32 = 720;

impl ArrivalWindow {
    /// What a gate notes of somebody of this grade who comes at `minute`.
    pub fn finding(self, minute: i32) -> Finding {
        if minute >= NOON {
            Finding::ArrivalNotStaggered
        } else if minute < self.start {
            Finding::ArrivalEarly
        } else if minute < self.end {
            Finding::ArrivalInWindow
        } else {
            Finding::ArrivalLate
        }
    }
}

/// The numbers for visits (rules 3.6, 3.7, 6.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitPolicy {
    /// A visitor still inside this long after the agreed time overstays.
    pub overstay_grace: Duration,
    /// The book entry of an emergency crew is made by then.
    pub after_entry: Duration,
    /// A visit that is not urgent is asked for this many days before.
    pub lead_days: i32,
    /// Nobody enters without a mask.
    pub mask_required: bool,
    /// How many days a visit is kept after the exit.
    pub retention_days: i32,
}

impl Default for VisitPolicy {
    fn default() -> Self {
        Self {
            overstay_grace: Duration::minutes(15),
            after_entry: Duration::hours(24),
            lead_days: 1,
            mask_required: true,
            retention_days: 30,
        }
    }
}

impl GatePolicy {
    /// Whether every reading is one of a person (rule 3.2): otherwise the reading is wrong.
    pub fn believes(&self, observation: &Observation) -> bool {
        let (least, most) = self.temperature_plausible;
        let mut readings = observation.readings();
        readings.all(|reading| (least..=most).contains(&reading.tenths()))
    }

    /// How long somebody waits for the second reading, in whole minutes, rounded up.
    pub fn recheck_wait_minutes(&self) -> i64 {
        let seconds = self.recheck_wait.num_seconds();
        seconds.div_euclid(60) + i64::from(seconds.rem_euclid(60) > 0)
    }

    /// What a gate makes of masks (rule 3.6).
    pub fn mask(&self, worn: bool) -> Finding {
        match (self.visits.mask_required, worn) {
            (false, _) => Finding::MaskNotRequired,
            (true, true) => Finding::MaskWorn,
            (true, false) => Finding::MaskMissing,
        }
    }

    /// When `grade` arrives; none when nobody says.
    pub fn arrival_of(&self, grade: u8) -> Option<ArrivalWindow> {
        let mut windows = self.arrival.iter();
        windows.find(|window| window.grade == grade).copied()
    }
}

impl Default for GatePolicy {
    /// The shipped profile `fuzhou-2022-04`: what a gate goes by before the register has told.
    fn default() -> Self {
        Self {
            version: "fuzhou-2022-04".to_owned(),
            temperature_max: 373,
            temperature_plausible: (340, 425),
            recheck_wait: Duration::minutes(15),
            recheck_readings: 3,
            deny_colours: vec![Colour::Red, Colour::Yellow, Colour::Unknown],
            travel_window_days: 14,
            admit_travel_unknown: false,
            snapshot_max_age: Duration::minutes(30),
            admit_health_monitoring: false,
            self_monitoring_days: 3,
            person_code_ttl_days: 30,
            arrival: Vec::new(),
            retention_days: 30,
            visits: VisitPolicy::default(),
        }
    }
}

/// A policy with the place and the day from which it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enacted {
    /// The place in the organisation tree; empty for the whole city.
    pub region: String,
    /// The first civil day in force.
    pub effective: NaiveDate,
    /// The numbers.
    pub policy: GatePolicy,
}

/// Of the policies in force on `day` at a place below every `region` given: that of the smallest
/// region, and there the latest one.
pub fn in_force<'a>(
    enacted: impl Iterator<Item = &'a Enacted>,
    covers: impl Fn(&str) -> bool,
    day: NaiveDate,
) -> Option<&'a GatePolicy> {
    enacted
        .filter(|enacted| enacted.effective <= day && covers(&enacted.region))
        .max_by(|a, b| {
            let rank = |e: &Enacted| (e.region.len(), e.effective);
            rank(a)
                .cmp(&rank(b))
                .then_with(|| a.policy.version.cmp(&b.policy.version))
        })
        .map(|enacted| &enacted.policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_less_than_the_policy_says() {
        let minutes = |wait| {
            let policy = GatePolicy {
                recheck_wait: wait,
                ..GatePolicy::default()
            };
            policy.recheck_wait_minutes()
        };
        assert_eq!(minutes(Duration::minutes(15)), 15);
        assert_eq!(minutes(Duration::seconds(601)), 11);
        assert_eq!(minutes(Duration::zero()), 0);
    }

    #[test]
    fn the_smallest_region_and_the_latest_day_win() {
        let day = |d| NaiveDate::from_ymd_opt(2022, 4, d).unwrap();
        let of = |region: &str, d, version: &str| Enacted {
            region: region.to_owned(),
            effective: day(d),
            policy: GatePolicy {
                version: version.to_owned(),
                ..GatePolicy::default()
            },
        };
        let all = [
            of("", 1, "a"),
            of("", 5, "b"),
            of("fz/350102", 2, "c"),
            of("", 20, "d"),
        ];
        let version = |covers: fn(&str) -> bool, d| {
            in_force(all.iter(), covers, day(d)).map(|policy| policy.version.as_str())
        };
        assert_eq!(version(|_| true, 6), Some("c"));
        assert_eq!(version(str::is_empty, 6), Some("b"));
        assert_eq!(version(str::is_empty, 4), Some("a"));
        assert_eq!(in_force([].iter(), |_| true, day(1)), None);
    }
}
