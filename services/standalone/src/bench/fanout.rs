//! A message to every family of the city, beside one statement that writes the same rows.

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Bound, Figure, forget_peak_memory, median, peak_memory_mib};
use super::ledger::{bare, to_families};
use super::stand::Stand;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let floor = Floor::open(&stand.notification).await?;
    let (mut answered, mut expanded) = (Vec::new(), Vec::new());
    let (mut floors, mut growth) = (Vec::new(), 0);
    for _ in 0..args.rounds {
        floors.push(bare(&floor).await?.as_secs_f64());
        let before = forget_peak_memory();
        let fanout = to_families(&stand).await?;
        growth = growth.max(peak_memory_mib().saturating_sub(before));
        answered.push(fanout.answered.as_secs_f64() * 1e3);
        expanded.push(fanout.expanded.as_secs_f64());
    }
    let (bare, expanded) = (median(floors), median(expanded));
    let figures = vec![
        Figure::alone(
            "a row for every family",
            "s",
            expanded,
            (Bound::AtMost, 60.0),
        ),
        Figure::ratio(
            "a row for every family ÷ one INSERT … SELECT",
            "s",
            bare,
            expanded,
            (Bound::AtMost, 2.0),
        ),
        Figure::alone(
            "the message acknowledged",
            "ms",
            median(answered),
            (Bound::AtMost, 1000.0),
        ),
        Figure::alone(
            "memory that grows meanwhile",
            "MiB",
            growth as f64,
            (Bound::AtMost, 64.0),
        ),
    ];
    stand.house.close().await?;
    Ok(figures)
}
