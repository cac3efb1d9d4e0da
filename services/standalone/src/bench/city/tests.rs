//! A small city gets through some of its minutes.

use clap::Parser;

use super::kind::Kind;
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

/// Each act came to an end, and none was refused for anything but a busy machine.
fn assert_accounted(told: &Told) {
    for row in &told.acts {
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
    let args =
        args("bench city --students 1000 --json --rounds 1 --from 07:45 --to 07:51 --speed 30");
    let (figures, told) = run(&args).await.unwrap();
    assert_eq!((&*told.from, &*told.to), ("07:45", "07:51"));
    assert_accounted(&told);
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
    assert_accounted(&told);
    for kind in [Kind::Opening, Kind::Swab] {
        assert!(done(&told, kind) > 0, "{kind:?}: {told:?}");
    }
}
