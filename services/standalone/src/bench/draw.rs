//! The draw of a city, of one school, and its verification without any service.

use std::time::{Duration, Instant};

use kit::clock::Clock;

use super::floor::Floor;
use super::harness::{Bound, Figure, median};
use super::stand::{PLAN, Stand};
use super::{BenchArgs, screen};
use crate::city::CITY_ID;
use crate::draw;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let sizes: Vec<usize> = stand
        .city
        .plan()
        .schools()
        .iter()
        .flat_map(|school| &school.classes)
        .map(|class| class.students as usize)
        .collect();
    floor.roll(&sizes).await?;
    let (mut bare, mut statement, mut drawn) = (Vec::new(), Vec::new(), Vec::new());
    let mut picks = 0;
    for round in 0..args.rounds {
        // Each round has a plan of its own: the first day of a city, again and again.
        let plan = if round == 0 {
            PLAN.to_owned()
        } else {
            format!("{PLAN}-{round}")
        };
        if round > 0 {
            stand.plan(&plan).await?;
        }
        let (last, taken) = stand.draw(&plan, CITY_ID).await?;
        picks = last.pick_count.unsigned_abs() as usize;
        drawn.push(taken.as_secs_f64());
        bare.push(floor.assignments(picks).await?.as_secs_f64());
        statement.push(floor.random_draw().await?.as_secs_f64());
        if !args.json {
            screen::line(format_args!(
                "   round {}: {} picks in {}",
                round + 1,
                screen::count(picks as u64),
                screen::span(taken)
            ));
        }
    }

    stand.plan("schools").await?;
    let mut schools = Vec::new();
    for school in stand.city.plan().schools().iter().step_by(7).take(25) {
        schools.push(stand.draw("schools", &school.code).await?.1.as_secs_f64() * 1e3);
    }
    // Drawing the next day closes the day before, so that it can be published.
    let closed = stand.clock.today();
    stand.next_school_day();
    stand.draw(PLAN, CITY_ID).await?;
    let verified = verify(&stand, closed, args.rounds).await?;
    let drawn = median(drawn);
    let (bare, statement) = (median(bare), median(statement));
    let figures = vec![
        Figure::ratio(
            "city draw ÷ bare rows",
            "s",
            bare,
            drawn,
            (Bound::AtMost, 1.5),
        ),
        Figure::ratio(
            "city draw ÷ SQL by random()",
            "s",
            statement,
            drawn,
            (Bound::AtMost, 1.0),
        ),
        Figure::alone(
            "one school, median",
            "ms",
            median(schools),
            (Bound::AtMost, 50.0),
        ),
        Figure::alone("verify a city offline", "s", verified, (Bound::AtMost, 3.0)),
        Figure::alone("picks", "", picks as f64, (Bound::AtLeast, 1.0)),
    ];
    stand.house.close().await?;
    Ok(figures)
}

async fn verify(stand: &Stand, day: chrono::NaiveDate, rounds: u32) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("draw.bin");
    draw::export(stand.officer()?, &file, PLAN, CITY_ID, day).await?;
    let key = draw::read_key(&file, None)?;
    let mut taken = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        let report = draw::verify(&file, &key)?;
        anyhow::ensure!(
            report.draws == stand.city.plan().schools().len(),
            "schools are missing"
        );
        taken.push(begun.elapsed());
    }
    Ok(median(taken.iter().map(Duration::as_secs_f64).collect()))
}
