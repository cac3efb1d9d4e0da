//! A small city gets through some of its minutes, and through each act of its day.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::TimeDelta;
use clap::Parser;
use kit::scratch;

use super::super::harness::Report;
use super::kind::Kind;
use super::plan::{DAY, Moment};
use super::tally::Tallies;
use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    bench: BenchArgs,
}

fn args(line: &str) -> BenchArgs {
    Line::parse_from(line.split_whitespace()).bench
}

/// What a busy machine refuses.
const BUSY: [&str; 3] = ["NO_ANSWER", "OVERLOADED", "SECTION_UNAVAILABLE"];
/// How often the desks look where nobody waits for the time to pass, and for how long each time.
const LOOKS: Moment = 180 * MINUTE;
const LOOK: Moment = MINUTE / 6;
/// What happens by chance: of a small city perhaps to nobody.
const BY_CHANCE: [Kind; 2] = [Kind::Recheck, Kind::Batch];

/// Each act came to an end, and none was refused for anything but a busy machine.
fn assert_accounted(acts: &[Row]) {
    for row in acts {
        let refused: usize = row.refused.values().sum();
        assert_eq!(row.planned, row.done + row.void + refused, "{row:?}");
        let mut reasons = row.refused.keys();
        assert!(reasons.all(|reason| BUSY.contains(&&**reason)), "{row:?}");
    }
}

fn done(told: &Told, kind: Kind) -> usize {
    let row = told.acts.iter().find(|row| row.kind == kind);
    row.map_or(0, |row| row.done)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_gets_through_the_minutes_of_its_gates() {
    gates("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_gets_through_the_minutes_of_its_gates_on_postgres() {
    if scratch::postgres().await.is_some() {
        gates("postgres").await;
    }
}

async fn gates(database: &str) {
    let args = args(&format!(
        "bench city --database {database} --students 1000 --json --rounds 1 \
         --from 07:45 --to 07:51 --speed 30"
    ));
    let (figures, told) = run(&args).await.unwrap();
    assert_eq!((&*told.from, &*told.to), ("07:45", "07:51"));
    assert_accounted(&told.acts);
    assert!(done(&told, Kind::Entry) > 50, "{told:?}");
    assert!(done(&told, Kind::Check) > 0, "{told:?}");
    assert!(done(&told, Kind::Signature) > 0, "{told:?}");
    assert!(done(&told, Kind::Coverage) > 0, "{told:?}");
    assert!(figures.iter().any(|figure| figure.floor.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_gets_through_the_minutes_of_its_swabs() {
    let args =
        args("bench city --students 1000 --json --rounds 1 --from 10:00 --to 10:05 --speed 20");
    let (_, told) = run(&args).await.unwrap();
    assert_accounted(&told.acts);
    for kind in [Kind::Opening, Kind::Swab] {
        assert!(done(&told, kind) > 0, "{kind:?}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_of_a_small_citys_day_is_done() {
    let args = args("bench city --students 1000 --json");
    let stand = Stand::open(&args).await.unwrap();
    let (crew, town) = Crew::of(&stand).unwrap();
    gate::known(&stand, &crew.gates).await.unwrap();
    let shift = Shift::ready(&stand, (&Arc::new(crew), &town), DAY).await;
    let shift = Arc::new(shift.unwrap());
    let (pace, tallies) = (
        shift.pace(&stand, DAY, super::drive::Speed::even(1.0)),
        Tallies::default(),
    );
    let begun = Instant::now();
    // One act after the other, each by the clock at its time.
    for due in shift.day.within(DAY) {
        let (kind, passed) = (due.act.kind(), due.at - DAY.from);
        if matches!(kind, Kind::Coverage | Kind::Overview) && passed % LOOKS >= LOOK {
            continue;
        }
        let now = pace.begin + TimeDelta::milliseconds(passed.into());
        stand.clock.set(now);
        tallies.begin(kind, Duration::ZERO);
        let answer = shift.clone().perform(due.act).await;
        tallies.end(kind, answer, begun.elapsed());
    }
    stand.house.close().await.unwrap();
    let acts = report::rows(&Driven {
        tallies: tallies.told(),
        factor: 1.0,
        wall: begun.elapsed(),
    });
    assert_accounted(&acts);
    let planned: BTreeSet<Kind> = acts.iter().map(|row| row.kind).collect();
    for kind in Kind::ALL {
        assert!(
            planned.contains(&kind) || BY_CHANCE.contains(&kind),
            "{kind:?}"
        );
    }
    for row in acts {
        assert!(row.done > 0, "{row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_speed_that_a_small_city_does_not_bear_is_searched_and_told() {
    let args = args(
        "bench city --students 1000 --rounds 1 --from 12:00 --to 12:02 --speed 120 --collapse --tries 2",
    );
    let (figures, told) = run(&args).await.unwrap();
    assert_accounted(&told.acts);
    assert!(done(&told, Kind::Coverage) > 0, "{told:?}");
    let found = told.collapse.as_ref().unwrap();
    let [first, second] = &found.tries[..] else {
        panic!("{found:?}");
    };
    let next = if first.gave.is_empty() { 180.0 } else { 80.0 };
    for (tried, expected) in [(first, 120.0), (second, next)] {
        assert!((tried.speed - expected).abs() < 1e-9, "{found:?}");
    }
    let speeds = |borne| {
        let tries = found.tries.iter();
        let of = tries.filter(move |one| one.gave.is_empty() == borne);
        of.map(|one| one.speed)
    };
    assert_eq!(found.borne, speeds(true).reduce(f64::max));
    assert_eq!(found.broke, speeds(false).reduce(f64::min));
    let report = Report {
        scenario: "city",
        database: "sqlite",
        students: args.students,
        figures,
        peak_memory_mib: 0,
        city: Some(told),
    };
    for json in [false, true] {
        report.print(json).unwrap();
    }
}
