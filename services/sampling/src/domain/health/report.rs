//! Reports up the hierarchy: their order, their legal limits, and the clock of each hop. Everything
//! is computed from what was written and received, so nothing that is late can be edited away.

use std::time::Duration;

use super::disease::Disease;
use super::rules::{HealthRules, Hop, Level};

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

/// A receipt: which level, and when in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The level.
    pub level: i16,
    /// The server's time.
    pub time: i64,
}

/// The clock of one hop. Times are milliseconds since 1970, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HopClock {
    /// Who reports.
    pub from: i16,
    /// To whom.
    pub to: i16,
    /// When its clock began.
    pub start: i64,
    /// When the receipt is due.
    pub due: i64,
    /// When it was received there, or over its head.
    pub received: i64,
    /// A level above received first.
    pub over_level: bool,
}

impl HopClock {
    /// Whether it is late at `now`: received after it was due, or due and not received.
    pub fn is_late(&self, now: i64) -> bool {
        let at = if self.received == 0 {
            now
        } else {
            self.received
        };
        self.due != 0 && at > self.due
    }
}

/// The clocks of a chain. The first one begins when the case was found and has `first` to run; each
/// other one begins when its `from` level received (rule 1.17).
///
/// A level that is passed over (越级) counts as reached when the first level above it received: its
/// hop ends then, late or not, and the clock of a hop that had not begun by then never begins. A
/// receipt that such a level gives afterwards is kept, but moves nothing.
pub fn clocks(hops: &[Hop], found: i64, first: i64, receipts: &[Receipt]) -> Vec<HopClock> {
    let reached = |level: i16| {
        let at_or_above = receipts.iter().filter(|receipt| receipt.level >= level);
        at_or_above.min_by_key(|receipt| (receipt.time, receipt.level))
    };
    let clock = |hop: &Hop| {
        let received = reached(hop.to);
        let own = receipts
            .iter()
            .filter(|receipt| receipt.level == hop.from)
            .map(|receipt| receipt.time)
            .min();
        let start = if hop.from == SCHOOL { Some(found) } else { own };
        let start = start.filter(|start| received.is_none_or(|end| *start <= end.time));
        let span = if hop.from == SCHOOL {
            first
        } else {
            millis(hop.sla)
        };
        HopClock {
            from: hop.from,
            to: hop.to,
            start: start.unwrap_or(0),
            due: start.map_or(0, |start| start.saturating_add(span)),
            received: received.map_or(0, |receipt| receipt.time),
            over_level: received.is_some_and(|receipt| receipt.level > hop.to),
        }
    };
    hops.iter().map(clock).collect()
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

/// Whole milliseconds.
pub fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Whether a text could hold a phone or identity number: seven digits running.
pub fn holds_number(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|one| {
        run = if one.is_numeric() { run + 1 } else { 0 };
        run >= 7
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn hops() -> Vec<Hop> {
        let hop = |(from, hours): (i16, u64)| Hop {
            from,
            to: from + 1,
            sla: Duration::from_secs(hours * 3600),
        };
        [(1, 2), (2, 2), (3, 2), (4, 2), (5, 1)].map(hop).to_vec()
    }

    fn receipt(level: i16, hours: i64) -> Receipt {
        Receipt {
            level,
            time: 1_000 + hours * HOUR,
        }
    }

    fn told(receipts: &[Receipt]) -> Vec<HopClock> {
        clocks(&hops(), 1_000, 2 * HOUR, receipts)
    }

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

    #[test]
    fn each_hop_begins_when_the_level_below_received() {
        let clocks = told(&[receipt(2, 1), receipt(3, 4)]);
        let starts: Vec<i64> = clocks.iter().map(|clock| clock.start).collect();
        assert_eq!(starts, [1_000, 1_000 + HOUR, 1_000 + 4 * HOUR, 0, 0]);
        let late: Vec<bool> = clocks
            .iter()
            .map(|clock| clock.is_late(1_000 + 5 * HOUR))
            .collect();
        assert_eq!(late, [false, true, false, false, false]);
    }

    #[test]
    fn the_last_hop_has_one_hour() {
        let clocks = told(&[2, 3, 4, 5].map(|level| receipt(level, i64::from(level))));
        assert_eq!(clocks[4].due - clocks[4].start, HOUR);
    }

    #[test]
    fn a_level_that_is_passed_over_counts_as_reached_but_lateness_stays() {
        let clocks = told(&[receipt(2, 3), receipt(4, 4), receipt(3, 5)]);
        assert!(clocks[0].is_late(1_000 + 3 * HOUR), "received after 3 h");
        let passed = [clocks[1], clocks[2]];
        assert!(
            passed
                .iter()
                .all(|clock| clock.received == 1_000 + 4 * HOUR)
        );
        assert!(clocks[1].over_level && !clocks[2].over_level);
        assert_eq!(
            clocks[2].start, 0,
            "the county's government had no clock yet"
        );
        assert_eq!(clocks[3].start, 1_000 + 4 * HOUR);
    }

    #[test]
    fn long_numbers_are_seen() {
        assert!(holds_number("电话 5910000000"));
        assert!(holds_number("１２３４５６７"));
        assert!(!holds_number("2022年4月6日 08:30 三年（1）班 123456"));
    }
}
