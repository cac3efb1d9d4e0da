//! What a bureau asks again and again: how complete the checks of the city are, while they arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use kit::auth::Role;
use kit::clock::Clock;
use proto::roster::check_policy::Slot;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::{GetHealthCoverageRequest, ListHealthCoverageRequest};

use super::BenchArgs;
use super::harness::{Bound, Figure, Latencies, ms};
use super::load;
use super::reporters::{Reporters, Session};
use super::stand::{Stand, city_path};
use crate::city::{CITY_ID, DISTRICTS};
use crate::house::Door;

/// How often each question is asked.
const ASKED: usize = 200;
/// The pace at which checks arrive meanwhile, a second: ten times the peak of the city.
const PACE: f64 = 220.0;
/// How many clients have submitted before what is asked for.
const CLIENTS: usize = 64;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let reporters = Reporters::of(&stand)?;
    stand.next_school_day();
    let day = stand.clock.today();
    // Half of the morning is there; the rest and noon arrive while questions are asked.
    let mut sessions: Vec<Session> = reporters.sessions(day, Slot::Morning).collect();
    let waiting = sessions.split_off(sessions.len() / 2);
    let submit = {
        let reporters = reporters.clone();
        move |session| reporters.clone().submit(session)
    };
    load::closed(CLIENTS, sessions, submit).await?;

    let over = Arc::new(AtomicBool::new(false));
    let arriving = {
        let (over, reporters) = (over.clone(), reporters.clone());
        let rest = waiting
            .into_iter()
            .chain(reporters.sessions(day, Slot::Noon))
            .take_while(move |_| !over.load(Ordering::Relaxed));
        tokio::spawn(load::open(PACE, rest, move |session| {
            reporters.clone().submit(session)
        }))
    };
    let door = stand.house.caller(Role::CityOfficer, &city_path()?)?;
    let city = ask(|| whole(door.clone(), CITY_ID)).await?;
    let district = ask(|| whole(door.clone(), DISTRICTS[0].division)).await?;
    let listed = ask(|| list(door.clone(), CITY_ID, "")).await?;
    let ranked = ask(|| list(door.clone(), DISTRICTS[0].division, "silence")).await?;
    over.store(true, Ordering::Relaxed);
    let arrived = arriving.await??;
    ensure!(arrived.count() > 0, "no check arrived meanwhile");

    let mut figures = Vec::new();
    let mut both = |names: [&'static str; 2], latencies: &Latencies| {
        for (name, share) in names.into_iter().zip([0.5, 0.99]) {
            let target = (Bound::AtMost, 50.0);
            figures.push(Figure::alone(name, "ms", ms(latencies, share), target));
        }
    };
    both(["the city, p50", "the city, p99"], &city);
    both(["a district, p50", "a district, p99"], &district);
    both(["each district, p50", "each district, p99"], &listed);
    both(
        ["schools by silence, p50", "schools by silence, p99"],
        &ranked,
    );
    figures.push(Figure::alone(
        "checks that arrived meanwhile",
        "",
        arrived.count() as f64,
        (Bound::AtLeast, 1.0),
    ));
    figures.push(Figure::alone(
        "their p99",
        "ms",
        ms(&arrived, 0.99),
        (Bound::AtMost, 100.0),
    ));
    stand.house.close().await?;
    Ok(figures)
}

/// Asks one question after the other.
async fn ask<F, Fut>(mut question: F) -> anyhow::Result<Latencies>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let (begun, mut taken) = (Instant::now(), Vec::<Duration>::new());
    for _ in 0..ASKED {
        let one = Instant::now();
        question().await?;
        taken.push(one.elapsed());
    }
    Ok(Latencies::new(taken, begun.elapsed()))
}

/// How complete the checks of an organisation are.
pub(super) async fn whole(door: Door, organization: &str) -> anyhow::Result<()> {
    let request = GetHealthCoverageRequest {
        scope: format!("organizations/{organization}"),
        check_date: None,
    };
    let answer = CoverageServiceClient::new(door)
        .get_health_coverage(request)
        .await?;
    ensure!(
        answer.into_inner().school_count > 0,
        "no school is expected"
    );
    Ok(())
}

/// The same of each organisation below, in an order.
pub(super) async fn list(door: Door, organization: &str, order_by: &str) -> anyhow::Result<()> {
    let request = ListHealthCoverageRequest {
        parent: format!("organizations/{organization}"),
        order_by: order_by.to_owned(),
        page_size: 1000,
        ..ListHealthCoverageRequest::default()
    };
    let answer = CoverageServiceClient::new(door)
        .list_health_coverage(request)
        .await?;
    let places = answer.into_inner().health_coverages;
    ensure!(!places.is_empty(), "nothing below {organization}");
    Ok(())
}
