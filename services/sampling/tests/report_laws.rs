//! The laws of reports and of cases that laboratories open: order and repetition change nothing,
//! and what is late stays late.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::hop::{Hop, HopClock, Receipt, clocks};
use proptest::prelude::*;
use sampling::domain::health::case::{Outcome, Standing, found};
use sampling::domain::health::disease::{Certainty, Severity};
use sampling::domain::health::report::{ReportKind, Written, is_late};
use sampling::domain::laboratory_result::{LaboratoryResult, Value, in_force};

const HOUR: i64 = 3_600_000;

fn hops() -> Vec<Hop> {
    let hop = |(from, hours): (i16, u64)| Hop {
        from,
        to: from + 1,
        sla: Duration::from_secs(hours * 3600),
    };
    [(1, 2), (2, 2), (3, 2), (4, 2), (5, 1)].map(hop).to_vec()
}

fn told(receipts: &[Receipt]) -> Vec<HopClock> {
    clocks(&hops(), HOUR, 2 * HOUR, receipts)
}

/// Receipts as they come in: at rising times, at any level above the school.
fn receipts() -> impl Strategy<Value = Vec<Receipt>> {
    prop::collection::vec((2_i16..=6, 0_i64..4 * HOUR), 0..8).prop_map(|steps| {
        let mut time = HOUR;
        let receipt = |(level, after)| {
            time += after;
            Receipt { level, time }
        };
        steps.into_iter().map(receipt).collect()
    })
}

proptest! {
    #[test]
    fn what_is_late_stays_late(receipts in receipts(), waits in 0_i64..10 * HOUR) {
        let mut late = [false; 5];
        let mut seen = Vec::new();
        for (place, receipt) in receipts.iter().enumerate() {
            let known = told(&receipts[..place]);
            for moment in [receipt.time - 1, receipt.time] {
                for (hop, clock) in known.iter().enumerate() {
                    let is = clock.is_late(moment);
                    prop_assert!(is || !late[hop] , "hop {} became punctual", hop);
                    late[hop] |= is;
                }
            }
            seen.push(*receipt);
        }
        let end = receipts.last().map_or(HOUR, |last| last.time) + waits;
        for (hop, clock) in told(&seen).iter().enumerate() {
            prop_assert!(clock.is_late(end) || !late[hop]);
        }
    }

    #[test]
    fn receipts_have_one_meaning_in_any_order(
        (sorted, shuffled) in receipts().prop_flat_map(|all| {
            (Just(all.clone()), Just(all).prop_shuffle())
        })
    ) {
        prop_assert_eq!(told(&sorted), told(&shuffled));
        let doubled: Vec<Receipt> = sorted.iter().chain(&sorted).copied().collect();
        prop_assert_eq!(told(&sorted), told(&doubled));
    }

    #[test]
    fn a_case_is_late_as_soon_as_any_part_of_it_is(
        receipts in receipts(),
        first in 0_i64..6 * HOUR,
        now in HOUR..40 * HOUR,
    ) {
        let written = Written { first_due: 3 * HOUR, first, follow_due: 0 };
        let known = told(&receipts);
        let expected = known.iter().any(|clock| clock.is_late(now))
            || (if first == 0 { now } else { first }) > 3 * HOUR;
        prop_assert_eq!(is_late(written, &known, now), expected);
    }

    #[test]
    fn a_chain_is_one_first_report_then_follow_ups_then_one_final(
        kinds in prop::collection::vec(1_i16..=3, 0..20)
    ) {
        let mut chain: Vec<ReportKind> = Vec::new();
        for kind in kinds.into_iter().filter_map(ReportKind::from_code) {
            if kind.follows(chain.last().copied()) {
                chain.push(kind);
            }
        }
        for (place, kind) in chain.iter().enumerate() {
            prop_assert_eq!(*kind == ReportKind::First, place == 0);
            prop_assert!(*kind != ReportKind::Final || place + 1 == chain.len());
        }
    }

    #[test]
    fn results_lead_to_the_same_case_in_any_order_and_repeated(
        order in Just((1_i32..=5).collect::<Vec<_>>()).prop_shuffle(),
        values in prop::collection::vec(1_i16..=4, 5),
        repeats in prop::collection::vec(0_usize..5, 0..5),
    ) {
        let result = |version: i32| LaboratoryResult {
            tube: "SG-0001".to_owned(),
            report: "R".to_owned(),
            version,
            value: Value::from_code(values[usize::try_from(version - 1).expect("small")])
                .expect("a value"),
            tested: DateTime::<Utc>::UNIX_EPOCH,
            reason: String::new(),
        };
        let mut arrivals = order.clone();
        arrivals.extend(repeats.iter().map(|place| order[*place]));
        let mut known: Vec<LaboratoryResult> = Vec::new();
        let mut case: Option<(Standing, i64)> = None;
        for version in arrivals {
            known.push(result(version));
            let force = in_force(&known).expect("one");
            let evidence = if force.value.holds() { i64::from(force.version) } else { 0 };
            case = match case {
                None if evidence == 0 => None,
                None => Some((open(), evidence)),
                Some((standing, before)) => {
                    let verb = found(standing, true, before, evidence, 0);
                    let after = verb.map_or(Ok(standing), |verb| standing.after(verb));
                    Some((after.expect("a legal move"), evidence))
                }
            };
        }
        let last = result(5);
        let stands = case.is_some_and(|(standing, _)| standing.is_open());
        prop_assert_eq!(stands, last.value.holds());
        if let Some((standing, _)) = case {
            let corrected = (!last.value.holds()).then_some(Outcome::ResultCorrected);
            prop_assert_eq!(standing.outcome, corrected);
        }
    }
}

fn open() -> Standing {
    Standing {
        certainty: Some(Certainty::Suspected),
        severity: Severity::Mild,
        outcome: None,
    }
}
