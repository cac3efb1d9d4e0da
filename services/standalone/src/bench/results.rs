//! Results of a day's tubes in one stream, and the road from a positive to the gate.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::notification::ListAlertsRequest;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{CheckEntryRequest, GateObservation, TravelCard};
use proto::sampling::{PoolType, ResultValue};

use super::harness::{Bound, Figure, Latencies};
use super::stand::{PLAN, Stand};
use super::{BenchArgs, swabs};
use crate::city::CITY_ID;
use crate::journey::{Filling, Journey};

/// How many positives are timed one after the other.
const POSITIVES: usize = 100;

/// All tubes of the day, negative, by one stream; the target is for 40,000.
pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let (journey, tubes) = at_the_laboratory(&stand, usize::MAX).await?;
    let results: Vec<(String, ResultValue)> = tubes
        .iter()
        .map(|tube| (tube.tube(), ResultValue::Negative))
        .collect();
    let count = results.len();
    let begun = Instant::now();
    let verdicts = journey.submit(results.clone()).await?;
    let first = begun.elapsed().as_secs_f64();
    ensure!(
        verdicts.iter().all(|verdict| verdict.accepted),
        "a result was refused"
    );
    let begun = Instant::now();
    let verdicts = journey.submit(results).await?;
    let again = begun.elapsed().as_secs_f64();
    ensure!(
        verdicts.iter().all(|verdict| verdict.repeated_result),
        "a repeat had an effect"
    );
    let whole = 40_000.0 / count as f64;
    let figures = vec![
        Figure::alone("tubes", "", count as f64, (Bound::AtLeast, 1.0)),
        Figure::alone("results taken", "s", first, (Bound::AtMost, 10.0 / whole)),
        Figure::alone(
            "at this pace, 40,000",
            "s",
            first * whole,
            (Bound::AtMost, 10.0),
        ),
        Figure::alone("the same again", "s", again, (Bound::AtMost, 10.0 / whole)),
    ];
    stand.house.close().await?;
    Ok(figures)
}

/// From a positive result to the denial at the gate and the alert at the school.
pub(super) async fn hold(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let (journey, tubes) = at_the_laboratory(&stand, POSITIVES).await?;
    let (mut gates, mut alerts) = (Vec::new(), Vec::new());
    let all = Instant::now();
    for tube in tubes.iter().take(POSITIVES) {
        let watcher = Watcher::new(&stand, tube)?;
        ensure!(!watcher.denied().await?, "held before there is a result");
        let before = watcher.alert_count().await?;
        let begun = Instant::now();
        let verdicts = journey
            .submit(vec![(tube.tube(), ResultValue::Positive)])
            .await?;
        ensure!(verdicts[0].accepted, "the result was refused");
        while !watcher.denied().await? {
            ensure!(begun.elapsed().as_secs() < 30, "the gate never denied");
        }
        gates.push(begun.elapsed());
        while watcher.alert_count().await? == before {
            ensure!(begun.elapsed().as_secs() < 30, "no alert came");
        }
        alerts.push(begun.elapsed());
    }
    let wall = all.elapsed();
    let (gates, alerts) = (Latencies::new(gates, wall), Latencies::new(alerts, wall));
    let ms = |latencies: &Latencies, share| latencies.percentile(share).as_secs_f64() * 1e3;
    let figures = vec![
        Figure::alone(
            "positive → gate denies, p50",
            "ms",
            ms(&gates, 0.5),
            (Bound::AtMost, 1000.0),
        ),
        Figure::alone(
            "positive → gate denies, p99",
            "ms",
            ms(&gates, 0.99),
            (Bound::AtMost, 1000.0),
        ),
        Figure::alone(
            "positive → alert stored, p50",
            "ms",
            ms(&alerts, 0.5),
            (Bound::AtMost, 1000.0),
        ),
        Figure::alone(
            "positive → alert stored, p99",
            "ms",
            ms(&alerts, 0.99),
            (Bound::AtMost, 1000.0),
        ),
    ];
    stand.house.close().await?;
    Ok(figures)
}

async fn at_the_laboratory(
    stand: &Stand,
    enough: usize,
) -> anyhow::Result<(Journey, Vec<Filling>)> {
    stand.draw(PLAN, CITY_ID).await?;
    let journey = Journey::new(&stand.house)?;
    let tubes = swabs::tubes(stand, &journey, enough, "T").await?;
    journey.issue(&tubes, PoolType::P10).await?;
    journey.bring(&tubes, |_| {}).await?;
    Ok((journey, tubes))
}

/// A guard and a principal at the school of one tube.
struct Watcher {
    gate: GateServiceClient<crate::house::Door>,
    alerts: AlertServiceClient<crate::house::Door>,
    check: CheckEntryRequest,
    school: String,
}

impl Watcher {
    fn new(stand: &Stand, tube: &Filling) -> anyhow::Result<Self> {
        let mut parts = tube.class_group.split('/');
        let code = parts.nth(1).context("a class group has a school")?;
        let plan = stand
            .city
            .plan()
            .schools()
            .iter()
            .find(|school| school.code == code);
        let path = plan.context("the school is of this city")?.org_path();
        let path = path.parse().ok().context("a place")?;
        let observation = GateObservation {
            temperature_decidegrees: Some(365),
            colour: Colour::Green.into(),
            travel_card: Some(TravelCard {
                show_date: Some(to_date(stand.clock.today())),
                starred: false,
                ..Default::default()
            }),
            ..Default::default()
        };
        let person = tube
            .people
            .first()
            .cloned()
            .context("a tube has somebody")?;
        Ok(Self {
            gate: GateServiceClient::new(stand.house.caller(Role::Guard, &path)?),
            alerts: AlertServiceClient::new(stand.house.caller(Role::Principal, &path)?),
            check: CheckEntryRequest {
                parent: format!("organizations/{code}"),
                identity: Some(Identity::Person(person)),
                observation: Some(observation),
                device: "bench".to_owned(),
                ..CheckEntryRequest::default()
            },
            school: format!("organizations/{code}"),
        })
    }

    async fn denied(&self) -> anyhow::Result<bool> {
        let decision = self
            .gate
            .clone()
            .check_entry(self.check.clone())
            .await?
            .into_inner();
        Ok(decision.effective_result() == Outcome::Deny)
    }

    /// How many alerts the school has.
    async fn alert_count(&self) -> anyhow::Result<usize> {
        let request = ListAlertsRequest {
            parent: self.school.clone(),
            page_size: 1000,
            ..ListAlertsRequest::default()
        };
        Ok(self
            .alerts
            .clone()
            .list_alerts(request)
            .await?
            .into_inner()
            .alerts
            .len())
    }
}
