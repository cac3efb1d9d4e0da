//! Reports up the hierarchy: their order, their legal limits, and the clock of each hop. Everything
//! is computed from what was written and received, so nothing that is late can be edited away.

use std::time::Duration;

use super::disease::Disease;
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
/// The county's government: whoever works for one district answers for levels up to this one.
pub const COUNTY_GOVERNMENT: i16 = 3;
/// The highest level.
pub const STATE: i16 = 6;

/// Whether the whole statutory chain must hear of it (rules 1.17, 1.18): an event, or a disease of
/// class A or managed as such.
pub fn is_urgent(rules: &HealthRules, disease: Disease, is_event: bool) -> bool {
    is_event || rules.class_a.contains(&disease)
}

/// Within what of its detection the first report is written: class A or managed so within
/// `class_a_report_sla` (2 h), all else within `report_sla` (24 h) (rules 1.16, 1.18). An event that
/// meets a row of the outbreak table is reported within that row's limit if that is shorter (1.19).
pub fn first_limit(rules: &HealthRules, disease: Disease, event_of: Option<u32>) -> Duration {
    let own = if rules.class_a.contains(&disease) {
        rules.class_a_report_sla
    } else {
        rules.report_sla
    };
    let rows = rules.outbreaks.iter().filter(|row| {
        row.disease == disease
            && row.level == Level::EventReport
            && row.cases > 0
            && event_of.is_some_and(|people| people >= row.cases)
    });
    rows.map(|row| row.report_sla)
        .filter(|limit| !limit.is_zero())
        .fold(own, Duration::min)
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
}
