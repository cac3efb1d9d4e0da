//! Reports go up a chain of levels: the clock of each hop, computed from receipts alone, so that
//! nothing that is late can be edited away.

use std::time::Duration;

/// One step of a chain (rules 1.17, 5.33). Levels are numbers of the contract that rise with the
/// hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Who reports.
    pub from: i16,
    /// To whom.
    pub to: i16,
    /// Within this of knowing.
    pub sla: Duration,
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

/// The clocks of a chain. The lowest one begins at `found` and has `first` to run; each other one
/// begins when its `from` level received (rule 1.17).
///
/// A level that is passed over (越级) counts as reached when the first level above it received: its
/// hop ends then, late or not, and the clock of a hop that had not begun by then never begins. A
/// receipt that such a level gives afterwards is kept, but moves nothing.
pub fn clocks(hops: &[Hop], found: i64, first: i64, receipts: &[Receipt]) -> Vec<HopClock> {
    let reached = |level: i16| {
        let at_or_above = receipts.iter().filter(|receipt| receipt.level >= level);
        at_or_above.min_by_key(|receipt| (receipt.time, receipt.level))
    };
    let lowest = hops.iter().map(|hop| hop.from).min().unwrap_or_default();
    let clock = |hop: &Hop| {
        let received = reached(hop.to);
        let own = receipts
            .iter()
            .filter(|receipt| receipt.level == hop.from)
            .map(|receipt| receipt.time)
            .min();
        let start = if hop.from == lowest { Some(found) } else { own };
        let start = start.filter(|start| received.is_none_or(|end| *start <= end.time));
        let span = if hop.from == lowest {
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

/// Whole milliseconds.
pub fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4)
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
}
