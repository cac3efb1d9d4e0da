//! A school day of the city, or a part of it, faster than in reality: everybody acts when they would,
//! whatever became of the acts before.

mod act;
mod acts;
mod campus;
mod collapse;
mod course;
mod crew;
mod drive;
mod duty;
mod families;
mod hazards;
mod homes;
mod kind;
mod options;
mod plan;
#[cfg(test)]
mod plan_tests;
mod report;
mod shift;
mod tally;
#[cfg(test)]
mod tests;
mod town;
mod upkeep;
mod visits;

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use kit::clock::Clock;

use super::BenchArgs;
use super::appends::Appends;
use super::gate;
use super::harness::{Figure, memory_of, processor_time};
use super::stand::Stand;
use crate::screen;
use act::Act;
use collapse::Search;
use crew::Crew;
use drive::{Driven, Speed, drive};
use options::Window;
use plan::{Day, Due, MINUTE};
use report::{Collapse, Row, Try};
use shift::Shift;
use town::Town;
use upkeep::Upkeep;

pub use options::CityArgs;
pub(super) use report::Told;

/// How many of the densest minutes each speed is tried with.
const SLICE: usize = 10;
/// How many clients the floor of the gates has.
const CLIENTS: usize = 64;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<(Vec<Figure>, Told)> {
    let window = args.city.window()?;
    let stand = Stand::open(args).await?;
    let (crew, town) = Crew::of(&stand)?;
    gate::known(&stand, &crew.gates).await?;
    let bench = Bench {
        args,
        stand,
        crew: Arc::new(crew),
        town,
    };
    let told = if args.city.collapse {
        bench.search(window).await?
    } else {
        let (told, _) = bench.run(window, args.city.pace()).await?;
        told
    };
    let now = bench.stand.clock.now();
    bench.stand.house.close().await?;
    let appends = Appends::measure(args, CLIENTS, now).await?;
    Ok((told.figures(&appends), told))
}

struct Bench<'a> {
    args: &'a BenchArgs,
    stand: Stand,
    crew: Arc<Crew>,
    town: Town,
}

impl Bench<'_> {
    /// Runs a part of the next school day; gives what it showed, and what gave way.
    async fn run(&self, window: Window, speed: Speed) -> anyhow::Result<(Told, Try)> {
        let shift = Shift::ready(&self.stand, (&self.crew, &self.town), window).await?;
        let shift = Arc::new(shift);
        let pace = shift.pace(&self.stand, window, speed);
        let dues = shift.day.within(window);
        let bar = self.bar(dues.len());
        let used = processor_time();
        let perform = |act| shift.clone().perform(act);
        let stand = &self.stand;
        let databases = [
            &stand.sampling,
            &stand.safety_inspection,
            &stand.notification,
        ];
        let upkeep = Upkeep::begin(databases, &stand.clock).await?;
        let driven = drive(dues, &pace, &bar, perform).await?;
        let used = processor_time().saturating_sub(used);
        drop(upkeep);
        bar.finish_and_clear();
        let acts = report::rows(&driven);
        let gave = report::gave(&acts);
        let densest = densest_minute(&shift.day, dues) as f64 / 60.0;
        let told = self.told((window, speed), &driven, (acts, used), densest);
        let factor = told.factor;
        let tried = Try {
            speed: speed.busy,
            factor,
            gave,
        };
        Ok((told, tried))
    }

    /// Looks for the speed at which the densest minutes of a part of the day are no longer borne.
    async fn search(&self, window: Window) -> anyhow::Result<Told> {
        let today = Stand::school_day_after(self.stand.clock.today());
        let day = Day::of(&self.town, &[], shift::seed(today));
        let slice = day.densest(SLICE, window);
        drop(day);
        let mut search = Search::beginning(self.args.city.speed).at_most(self.args.city.tries);
        let (mut tries, mut shown) = (Vec::new(), None::<Told>);
        while let Some(speed) = search.next() {
            let (told, tried) = self.run(slice, Speed::even(speed)).await?;
            let borne = tried.gave.is_empty();
            search.tell(speed, borne);
            if !self.args.json {
                let told = if borne { "borne" } else { "not borne" };
                screen::line(format_args!("   {speed:.2} ×: {told}"));
            }
            tries.push(tried);
            if search.borne == Some(speed) || search.borne.is_none() {
                shown = Some(told);
            }
        }
        let mut told = shown.ok_or_else(|| anyhow::anyhow!("no speed was tried"))?;
        told.collapse = Some(Collapse::of(&search, tries));
        Ok(told)
    }

    fn told(
        &self,
        (window, speed): (Window, Speed),
        driven: &Driven,
        (acts, used): (Vec<Row>, Duration),
        densest: f64,
    ) -> Told {
        let (from, to) = report::ends(window);
        Told {
            from,
            to,
            speed: speed.busy,
            swab_speed: speed.swabs,
            quiet_speed: speed.quiet,
            factor: driven.factor,
            processors: used.as_secs_f64() / driven.wall.as_secs_f64(),
            memory_mib: memory_of(std::process::id()),
            gate_decisions_per_second: densest * driven.factor,
            acts,
            collapse: None,
        }
    }

    fn bar(&self, acts: usize) -> ProgressBar {
        if self.args.json {
            ProgressBar::hidden()
        } else {
            screen::bar(acts as u64, "acts")
        }
    }
}

/// How many decisions at gates are due in the minute that has most of them.
fn densest_minute(day: &Day, dues: &[Due]) -> usize {
    let mut minutes = std::collections::BTreeMap::<u32, usize>::new();
    for due in dues {
        let decisions = match due.act {
            Act::Enter { .. } | Act::Recheck { .. } => 1,
            Act::Batch { batch } => {
                let batch = day.batches.get(batch as usize);
                batch.map_or(0, |batch| batch.entries.len())
            }
            _ => continue,
        };
        *minutes.entry(due.at / MINUTE).or_default() += decisions;
    }
    minutes.into_values().max().unwrap_or_default()
}
