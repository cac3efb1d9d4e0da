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

/// The acts that were refused, with the reasons. An overview may lack a section on a busy machine.
fn refused(told: &Told) -> Vec<&Row> {
    let refused = |row: &&Row| row.kind != Kind::Overview && !row.refused.is_empty();
    told.acts.iter().filter(refused).collect()
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
    assert_eq!(refused(&told), Vec::<&Row>::new());
    assert!(done(&told, Kind::Entry) > 50, "{told:?}");
    assert!(done(&told, Kind::Check) > 0, "{told:?}");
    assert!(done(&told, Kind::Signature) > 0, "{told:?}");
    assert_eq!(done(&told, Kind::Coverage), 6 * 6 * 14);
    assert!(figures.iter().any(|figure| figure.floor.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_gets_through_the_minutes_of_its_swabs() {
    let args =
        args("bench city --students 1000 --json --rounds 1 --from 10:00 --to 10:10 --speed 50");
    let (_, told) = run(&args).await.unwrap();
    assert_eq!(refused(&told), Vec::<&Row>::new());
    for kind in [Kind::Opening, Kind::Swab, Kind::Sealing] {
        assert!(done(&told, kind) > 0, "{kind:?}: {told:?}");
    }
}
