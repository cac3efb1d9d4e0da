//! Swabs: scanned, durable, acknowledged, by many samplers at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kit::clock::Clock;
use kit::field::to_date;
use proto::sampling::ListDrawsRequest;
use proto::sampling::PoolType;
use proto::sampling::draw_service_client::DrawServiceClient;
use tokio::sync::Semaphore;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Answer, Bound, Figure, Latencies, ms};
use super::load;
use super::stand::{PLAN, Stand};
use crate::city::CITY_ID;
use crate::journey::{Filling, Journey};

/// How many samplers scan at once.
const CLIENTS: usize = 1000;
/// How many connections to the gateway they share, as behind a carrier's proxies.
const CONNECTIONS: usize = 16;
/// The pace of the open loop, a second.
const PACE: f64 = 2000.0;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    stand.draw(PLAN, CITY_ID).await?;
    let journey = Journey::new(&stand.house)?;
    let tubes = tubes(&stand, &journey, usize::MAX, "T").await?;
    journey.issue(&tubes, PoolType::P10).await?;
    open(&journey, &tubes).await?;

    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let single = floor.commits(64, Duration::from_secs(3)).await?;
    let (some, others) = tubes.split_at(tubes.len() / 2);
    let scanned = scan(&stand, some.to_vec()).await?;
    let paced = at_a_pace(&stand, others).await?;
    let within = |name, latencies: &Latencies, share, target| {
        Figure::alone(name, "ms", ms(latencies, share), (Bound::AtMost, target))
    };
    let figures = vec![
        Figure::alone(
            "1,000 samplers, swabs registered",
            "/s",
            scanned.rate(),
            (Bound::AtLeast, 2000.0),
        ),
        within("1,000 samplers, p50", &scanned, 0.5, 500.0),
        within("1,000 samplers, p99", &scanned, 0.99, 500.0),
        Figure::alone(
            "2,000/s begun on time, done",
            "/s",
            paced.rate(),
            (Bound::AtLeast, 0.98 * PACE),
        ),
        within("2,000/s begun on time, p50", &paced, 0.5, 100.0),
        within("2,000/s begun on time, p99", &paced, 0.99, 100.0),
        Figure::ratio(
            "swabs ÷ single-row commits, 64 clients",
            "/s",
            single.rate(),
            scanned.rate(),
            (Bound::AtLeast, 0.3),
        ),
    ];
    stand.house.close().await?;
    Ok(figures)
}

/// Today's tubes of the first schools, until there are `enough`; their codes begin with `prefix`.
pub(super) async fn tubes(
    stand: &Stand,
    journey: &Journey,
    enough: usize,
    prefix: &str,
) -> anyhow::Result<Vec<Filling>> {
    let mut client = DrawServiceClient::new(stand.officer()?);
    let (mut tubes, mut page_token, mut school) = (Vec::new(), String::new(), 0);
    loop {
        let request = ListDrawsRequest {
            organization: format!("organizations/{CITY_ID}"),
            plan: format!("plans/{PLAN}"),
            draw_date: Some(to_date(stand.clock.today())),
            page_size: 1000,
            page_token,
        };
        let page = client.list_draws(request).await?.into_inner();
        for draw in page.draws {
            tubes.extend(
                journey
                    .plan(&draw.name, &format!("{prefix}{school:05}"))
                    .await?,
            );
            school += 1;
            if tubes.len() >= enough {
                return Ok(tubes);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(tubes);
        }
    }
}

/// Opens tubes, several at once.
pub(super) async fn open(journey: &Journey, tubes: &[Filling]) -> anyhow::Result<()> {
    let limit = Arc::new(Semaphore::new(64));
    let mut opening = tokio::task::JoinSet::new();
    for tube in tubes {
        let tube = tube.clone();
        let (journey, permit) = (journey.clone(), limit.clone().acquire_owned().await?);
        opening.spawn(async move {
            let opened = journey.open(&tube).await;
            drop(permit);
            opened
        });
    }
    while let Some(opened) = opening.join_next().await {
        opened??;
    }
    Ok(())
}

/// Each client takes one tube after the other and scans everybody into it.
async fn scan(stand: &Stand, tubes: Vec<Filling>) -> anyhow::Result<Latencies> {
    let journeys = journeys(stand)?;
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tubes = Arc::new(tubes);
    let begun = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let journey = journeys[client % CONNECTIONS].clone();
        let (tubes, next) = (tubes.clone(), next.clone());
        clients.spawn(async move {
            let mut taken = Vec::new();
            while let Some(tube) =
                tubes.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            {
                for person in &tube.people {
                    let one = Instant::now();
                    journey.swab(&tube.tube(), person).await?;
                    taken.push(one.elapsed());
                }
            }
            anyhow::Ok(taken)
        });
    }
    let mut all = Vec::new();
    while let Some(taken) = clients.join_next().await {
        all.extend(taken??);
    }
    Ok(Latencies::new(all, begun.elapsed()))
}

/// An open loop over tubes that a thousand samplers fill at once: one person of each, then the next.
async fn at_a_pace(stand: &Stand, tubes: &[Filling]) -> anyhow::Result<Latencies> {
    let mut swabs = Vec::new();
    for at_once in tubes.chunks(CLIENTS) {
        let longest = at_once.iter().map(|tube| tube.people.len()).max();
        for place in 0..longest.unwrap_or_default() {
            let next = |tube: &Filling| Some((tube.tube(), tube.people.get(place)?.clone()));
            swabs.extend(at_once.iter().filter_map(next));
        }
    }
    let mut journeys = journeys(stand)?.into_iter().cycle();
    load::open(PACE, swabs, move |(tube, person)| {
        let journey = journeys.next();
        async move {
            let journey = journey.context("a connection")?;
            journey.swab(&tube, &person).await?;
            Ok(Answer::Done)
        }
    })
    .await
}

/// Samplers, each over a connection of their own.
fn journeys(stand: &Stand) -> anyhow::Result<Vec<Journey>> {
    (0..CONNECTIONS)
        .map(|_| Journey::new(&stand.house))
        .collect()
}
