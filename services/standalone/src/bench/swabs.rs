//! Swabs: scanned, durable, acknowledged, by many samplers at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::clock::Clock;
use kit::field::to_date;
use proto::sampling::ListDrawsRequest;
use proto::sampling::PoolType;
use proto::sampling::draw_service_client::DrawServiceClient;
use tokio::sync::Semaphore;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Bound, Figure, Latencies};
use super::stand::{PLAN, Stand};
use crate::city::CITY_ID;
use crate::journey::{Filling, Journey};

/// How many samplers scan at once.
const CLIENTS: usize = 1000;
/// How many connections to the gateway they share, as behind a carrier's proxies.
const CONNECTIONS: usize = 16;

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
    let scanned = scan(&stand, tubes).await?;
    let figures = vec![
        Figure::alone(
            "swabs registered",
            "/s",
            scanned.rate(),
            (Bound::AtLeast, 2000.0),
        ),
        Figure::alone(
            "p50",
            "ms",
            scanned.percentile(0.5).as_secs_f64() * 1e3,
            (Bound::AtMost, 100.0),
        ),
        Figure::alone(
            "p99",
            "ms",
            scanned.percentile(0.99).as_secs_f64() * 1e3,
            (Bound::AtMost, 100.0),
        ),
        Figure::ratio(
            "swabs ÷ single-row commits, 64 clients",
            "/s",
            single.rate(),
            scanned.rate(),
            (Bound::AtLeast, 0.0),
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
    let mut journeys = Vec::new();
    for _ in 0..CONNECTIONS {
        journeys.push(Journey::new(&stand.house)?);
    }
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
