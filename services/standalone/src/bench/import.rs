//! The whole roster, through the gateway, with a verdict for each row.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use indicatif::ProgressBar;
use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;

use super::floor::Floor;
use super::harness::{Bound, Figure, median};
use super::{BenchArgs, Engine, stand};
use crate::city::{City, Options};
use crate::house::{self, House};
use crate::{intake, screen};

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    // The services go by the system's clock, and a class group's grade by the day.
    let date = SystemClock.today();
    let city = City::new(Options {
        students: args.students,
        seed: 1,
        date,
    });
    let rows = city.row_count();
    let people = city.plan().students() * 2 + city.plan().staff();
    let (mut floors, mut first, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..args.rounds {
        let scratch = args.database.scratch().await?;
        let floor = Floor::open(&scratch).await?;
        floors.push(people as f64 / floor.people(people as usize).await?.as_secs_f64());

        let (databases, _scratch) = stand::databases(args.database).await?;
        let options = house::Options::trial(databases);
        let house = House::open(&options, Arc::new(SystemClock), Drain::new()).await?;
        let officer = || house.caller(Role::CityOfficer, &stand::city_path()?);
        let bar = if args.json {
            ProgressBar::hidden()
        } else {
            screen::bar(rows, "rows")
        };
        let begun = Instant::now();
        let job = intake::import(officer()?, city.rows(), "bench", |sent| {
            bar.set_position(sent)
        });
        let rejected: i64 = job.await?.counts.iter().map(|one| one.rejected).sum();
        ensure!(rejected == 0, "{rejected} rows were refused");
        let taken = begun.elapsed().as_secs_f64();
        bar.finish_and_clear();
        first.push(people as f64 / taken);
        // What the first import caused elsewhere is not the second one's.
        let quiet = ProgressBar::hidden();
        stand::until_heard(&house, city.plan().students(), &quiet).await?;
        let begun = Instant::now();
        intake::import(officer()?, city.rows(), "bench", |_| {}).await?;
        again.push(taken / begun.elapsed().as_secs_f64());
        house.close().await?;
        if !args.json {
            let line = format!(
                "   round {}: {} rows in {taken:.2} s",
                round + 1,
                screen::count(rows)
            );
            screen::line(line);
        }
    }
    let share = match args.database {
        Engine::Sqlite => 0.15,
        Engine::Postgres => 0.25,
    };
    let (floor, first) = (median(floors), median(first));
    Ok(vec![
        Figure::ratio(
            "people imported ÷ best bulk insert",
            "rows/s",
            floor,
            first,
            (Bound::AtLeast, share),
        ),
        Figure::alone(
            "people imported",
            "rows/s",
            first,
            (Bound::AtLeast, 20_000.0),
        ),
        Figure::alone(
            "unchanged again, times faster",
            "×",
            median(again),
            (Bound::AtLeast, 5.0),
        ),
        Figure::alone(
            "memory of services and client",
            "MiB",
            super::harness::peak_memory_mib() as f64,
            (Bound::AtMost, 500.0),
        ),
    ])
}
