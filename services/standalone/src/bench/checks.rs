//! Checks of class groups through the gateway: as fast as they go, and at a fixed pace.

use std::time::Duration;

use kit::clock::Clock;
use proto::roster::check_policy::Slot;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Bound, Figure, Latencies, ms};
use super::load;
use super::reporters::{Reporters, Session};
use super::stand::Stand;

/// How many checks each closed loop submits at least.
const ENOUGH: usize = 10_000;
/// The pace of the open loop, a second: the peak of the city is 22.
const PACE: f64 = 2000.0;
/// How long it is kept at most.
const SPAN: Duration = Duration::from_secs(10);

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let reporters = Reporters::of(&stand)?;
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let single = floor.commits(64, Duration::from_secs(3)).await?;

    let few = as_they_go(&stand, &reporters, 64).await?;
    let many = as_they_go(&stand, &reporters, 1000).await?;
    let paced = at_a_pace(&stand, &reporters).await?;
    let rate = |name, latencies: &Latencies, target| {
        Figure::alone(name, "/s", latencies.rate(), (Bound::AtLeast, target))
    };
    let within = |name, latencies: &Latencies, share, target| {
        Figure::alone(name, "ms", ms(latencies, share), (Bound::AtMost, target))
    };
    let figures = vec![
        rate("64 clients", &few, 2000.0),
        within("64 clients, p50", &few, 0.5, 100.0),
        within("64 clients, p99", &few, 0.99, 100.0),
        rate("1,000 clients", &many, 2000.0),
        within("1,000 clients, p50", &many, 0.5, 1000.0),
        within("1,000 clients, p99", &many, 0.99, 1000.0),
        rate("2,000/s begun on time, done", &paced, 0.98 * PACE),
        within("2,000/s begun on time, p50", &paced, 0.5, 100.0),
        within("2,000/s begun on time, p99", &paced, 0.99, 100.0),
        Figure::alone(
            "2,000/s begun on time, turned away",
            "",
            paced.overloaded() as f64,
            (Bound::AtMost, 0.0),
        ),
        Figure::ratio(
            "checks ÷ single-row commits, 64 clients",
            "/s",
            single.rate(),
            few.rate(),
            (Bound::AtLeast, 0.1),
        ),
    ];
    stand.house.close().await?;
    Ok(figures)
}

/// A closed loop over as many days as it takes.
async fn as_they_go(
    stand: &Stand,
    reporters: &Reporters,
    clients: usize,
) -> anyhow::Result<Latencies> {
    let mut parts = Vec::new();
    while parts.iter().map(Latencies::count).sum::<usize>() < ENOUGH {
        let today = today(stand, reporters).await?;
        let submit = {
            let reporters = reporters.clone();
            move |session| reporters.clone().submit(session)
        };
        parts.push(load::closed(clients, today, submit).await?);
    }
    Ok(Latencies::join(parts))
}

/// An open loop over the checks of one day: the whole span where the city has enough class groups.
async fn at_a_pace(stand: &Stand, reporters: &Reporters) -> anyhow::Result<Latencies> {
    let mut sessions = today(stand, reporters).await?;
    sessions.truncate((PACE * SPAN.as_secs_f64()) as usize);
    let reporters = reporters.clone();
    load::open(PACE, sessions, move |session| {
        reporters.clone().submit(session)
    })
    .await
}

/// The checks of the next school day, whose morning it becomes, once the day before is dealt with.
async fn today(stand: &Stand, reporters: &Reporters) -> anyhow::Result<Vec<Session>> {
    stand.next_school_day();
    stand.settled().await?;
    Ok(of_day(reporters, stand.clock.today()).collect())
}

/// Morning and noon of each class group.
fn of_day(reporters: &Reporters, day: chrono::NaiveDate) -> impl Iterator<Item = Session> + use<> {
    reporters
        .sessions(day, Slot::Morning)
        .chain(reporters.sessions(day, Slot::Noon))
}
