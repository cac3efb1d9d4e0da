//! Reports up the hierarchy: their order, their legal limits, and the clock of each hop. Everything
//! is computed from what was written and received, so nothing that is late can be edited away.

use std::time::Duration;

use super::disease::{Disease, Severity};
use kit::hop::{Hop, HopClock};

use super::rules::{HealthRules, Level};

/// Which report of a chain (rule 5.35). The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum ReportKind {
    /// 初报.
    First = 1,
    /// 续报.
    FollowUp = 2,
    /// 终报.
    Final = 3,
}

impl ReportKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::First, Self::FollowUp, Self::Final];

    /// The number of this kind.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The kind with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether this report may follow `last`: the first one comes first and once, and nothing
    /// comes after the final one.
    pub fn follows(self, last: Option<Self>) -> bool {
        match last {
            None => self == Self::First,
            Some(Self::First | Self::FollowUp) => self != Self::First,
            Some(Self::Final) => false,
        }
    }
}

/// The lowest level of the chain: the school. The numbers of levels are those of the contract's
/// policy and rise with the hierarchy.
pub const SCHOOL: i16 = 1;
/// The county's health authority and disease control.
pub const COUNTY_HEALTH: i16 = 2;
/// The city.
pub const CITY: i16 = 4;
/// The highest level.
pub const STATE: i16 = 6;

/// An urgent case is followed up as often at least (rule 5.35).
const DAY: Duration = Duration::from_secs(86_400);

/// Whether the whole statutory chain must hear of it (rules 1.17, 1.18): an event, or a disease of
/// class A or managed as such.
pub fn is_urgent(rules: &HealthRules, disease: Disease, is_event: bool) -> bool {
    is_event || rules.class_a.contains(&disease)
}

/// How many people a case or event concerns, as the rows of the outbreak table count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// People of an event; 0 for a case of one person, which is no event by itself.
    pub people: u32,
    /// Of them in hospital or dead.
    pub hospitalised: u32,
    /// Of them dead.
    pub dead: u32,
}

impl Toll {
    /// Of one person.
    pub fn of_person(severity: Severity) -> Self {
        Self {
            people: 0,
            hospitalised: u32::from(severity >= Severity::Hospitalised),
            dead: u32::from(severity == Severity::Dead),
        }
    }
}

/// Within what of its detection the first report is written: class A or managed so within
/// `class_a_report_sla` (2 h), all else within `report_sla` (24 h) (rules 1.16, 1.18). What meets an
/// event row of the outbreak table, by its people, its patients in hospital or its deaths, is reported
/// within that row's limit if that is shorter (1.19).
pub fn first_limit(rules: &HealthRules, disease: Disease, toll: Toll) -> Duration {
    let own = if rules.class_a.contains(&disease) {
        rules.class_a_report_sla
    } else {
        rules.report_sla
    };
    let reached = |count: u32, asked: u32| asked > 0 && count >= asked;
    let rows = rules.outbreaks.iter().filter(|row| {
        row.disease == disease
            && row.level == Level::EventReport
            && (reached(toll.people, row.cases)
                || reached(toll.hospitalised, row.hospitalised)
                || reached(toll.dead, row.deaths))
    });
    rows.map(|row| row.report_sla)
        .filter(|limit| !limit.is_zero())
        .fold(own, Duration::min)
}

/// How often a follow-up report is due: an urgent case's daily at least (rule 5.35), any other's as the
/// policy asks; zero when it asks for none.
pub fn follow_up(rules: &HealthRules, urgent: bool) -> Duration {
    if urgent {
        rules.follow_up.min(DAY)
    } else {
        rules.follow_up_other
    }
}

/// Whether a level has no account here: the county's government, the province and the State. Their
/// receipts are recorded by whoever sends to them.
pub fn is_outside(level: i16) -> bool {
    !matches!(level, SCHOOL | COUNTY_HEALTH | CITY)
}

/// The level that sends to this one and has accounts here.
pub fn sender(level: i16) -> i16 {
    if level > CITY { CITY } else { level - 1 }
}

/// The hops of a case: the whole chain when it is urgent, else the one to the county's health
/// authority.
pub fn chain(rules: &HealthRules, urgent: bool) -> Vec<Hop> {
    let hops = rules.hops.iter().copied();
    hops.filter(|hop| urgent || hop.from == SCHOOL).collect()
}

/// What is known of a case's reports. Times are milliseconds since 1970, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// When the first report is due.
    pub first_due: i64,
    /// When it was written.
    pub first: i64,
    /// When the next follow-up is due.
    pub follow_due: i64,
}

/// Whether anything is late at `now`: the first report, the next follow-up, or a hop.
pub fn is_late(written: Written, clocks: &[HopClock], now: i64) -> bool {
    let first = if written.first == 0 {
        now
    } else {
        written.first
    };
    first > written.first_due
        || (written.follow_due != 0 && now > written.follow_due)
        || clocks.iter().any(|clock| clock.is_late(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_report_comes_first_and_nothing_after_the_final_one() {
        use ReportKind as K;
        for last in [None, Some(K::First), Some(K::FollowUp), Some(K::Final)] {
            for next in K::ALL {
                let legal = match (last, next) {
                    (None, next) => next == K::First,
                    (Some(K::Final), _) | (_, K::First) => false,
                    _ => true,
                };
                assert_eq!(next.follows(last), legal, "{next:?} after {last:?}");
            }
        }
    }

    const HOUR: u64 = 3600;

    fn rules() -> HealthRules {
        let row = |disease, cases, hospitalised, deaths| super::super::rules::Outbreak {
            disease,
            level: Level::EventReport,
            window_days: 7,
            cases,
            group_cases: 0,
            hospitalised,
            deaths,
            report_sla: Duration::from_secs(2 * HOUR),
        };
        HealthRules {
            report_sla: Duration::from_secs(24 * HOUR),
            class_a_report_sla: Duration::from_secs(2 * HOUR),
            outbreaks: vec![
                row(Disease::INFLUENZA, 30, 5, 2),
                row(Disease::NOROVIRUS, 20, 0, 1),
            ],
            follow_up: Duration::from_secs(12 * HOUR),
            ..HealthRules::default()
        }
    }

    /// Rule 1.19: people, patients in hospital and deaths each reach their row alone.
    #[test]
    fn deaths_and_patients_in_hospital_shorten_the_limit() {
        let hours = |disease, people, hospitalised, dead| {
            let toll = Toll {
                people,
                hospitalised,
                dead,
            };
            first_limit(&rules(), disease, toll).as_secs() / HOUR
        };
        let (flu, noro) = (Disease::INFLUENZA, Disease::NOROVIRUS);
        assert_eq!((hours(flu, 29, 4, 1), hours(flu, 30, 0, 0)), (24, 2));
        assert_eq!((hours(flu, 6, 5, 0), hours(flu, 6, 2, 2)), (2, 2));
        assert_eq!((hours(noro, 19, 9, 0), hours(noro, 3, 0, 1)), (24, 2));
        let person =
            |severity| first_limit(&rules(), noro, Toll::of_person(severity)).as_secs() / HOUR;
        assert_eq!(person(Severity::Hospitalised), 24);
        assert_eq!(person(Severity::Dead), 2);
    }

    /// Rule 5.35: daily at least for levels I and II; the policy decides of others.
    #[test]
    fn only_urgent_cases_are_followed_up_daily_whatever_the_policy() {
        let hours = |rules: &HealthRules, urgent| follow_up(rules, urgent).as_secs() / HOUR;
        assert_eq!((hours(&rules(), true), hours(&rules(), false)), (12, 0));
        let lax = HealthRules {
            follow_up: Duration::from_secs(100 * HOUR),
            follow_up_other: Duration::from_secs(72 * HOUR),
            ..rules()
        };
        assert_eq!((hours(&lax, true), hours(&lax, false)), (24, 72));
    }

    #[test]
    fn whoever_sends_to_a_level_without_accounts_has_one() {
        let outside: Vec<i16> = (SCHOOL..=STATE)
            .filter(|level| is_outside(*level))
            .collect();
        assert_eq!(outside, [3, 5, 6]);
        assert_eq!([3, 5, 6].map(sender), [COUNTY_HEALTH, CITY, CITY]);
    }
}
