//! Checks that each find somebody, so that the rules look at a school each time, and a month replayed.

use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::Days;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::roster::check_policy::Slot;
use proto::sampling::SimulateClustersRequest;
use proto::sampling::cluster_service_client::ClusterServiceClient;

use super::BenchArgs;
use super::harness::{Bound, Figure, Latencies, ms};
use super::load;
use super::reporters::{Reporters, Session};
use super::stand::{Stand, city_path};
use crate::city::{CITY_ID, DISTRICTS};

/// How many clients submit at once.
const CLIENTS: usize = 64;
/// How many checks the outbreak at one school takes at least.
const ENOUGH: usize = 1000;
/// How many days are replayed.
const REPLAYED: u64 = 30;

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let everybody = Reporters::of(&stand)?;
    let school = everybody.largest_school();

    stand.next_school_day();
    let day = stand.clock.today();
    let zero = submit(&everybody, everybody.zero(day, Slot::Morning).collect()).await?;
    let city = submit(&everybody, everybody.outbreak(day, Slot::Noon, 0).collect()).await?;
    let (mut parts, mut place) = (Vec::new(), 1);
    while parts.iter().map(Latencies::count).sum::<usize>() < ENOUGH {
        stand.next_school_day();
        for slot in [Slot::Morning, Slot::Noon] {
            let sessions = school.outbreak(stand.clock.today(), slot, place);
            parts.push(submit(&school, sessions.collect()).await?);
            place += 1;
        }
    }
    let one = Latencies::join(parts);
    let district = DISTRICTS[0].division;
    let (replayed_district, _) = replay(&stand, district).await?;
    let (replayed_city, fired) = replay(&stand, CITY_ID).await?;
    ensure!(fired > 0, "an outbreak fires nothing");

    let ratio = |name, latencies: &Latencies, least| {
        Figure::ratio(
            name,
            "/s",
            zero.rate(),
            latencies.rate(),
            (Bound::AtLeast, least),
        )
    };
    let within = |name, latencies: &Latencies, share| {
        Figure::alone(name, "ms", ms(latencies, share), (Bound::AtMost, 1000.0))
    };
    let replayed = |name, taken: Duration| {
        Figure::alone(name, "s", taken.as_secs_f64(), (Bound::AtMost, 10.0))
    };
    let figures = vec![
        ratio("one ill in each class group ÷ zero reports", &city, 0.25),
        within("one ill in each class group, p50", &city, 0.5),
        within("one ill in each class group, p99", &city, 0.99),
        ratio("an outbreak in one school ÷ zero reports", &one, 0.05),
        within("an outbreak in one school, p50", &one, 0.5),
        within("an outbreak in one school, p99", &one, 0.99),
        replayed("30 days of a district replayed", replayed_district),
        replayed("30 days of the city replayed", replayed_city),
        Figure::alone(
            "clusters in the replay",
            "",
            f64::from(fired),
            (Bound::AtLeast, 1.0),
        ),
    ];
    stand.house.close().await?;
    Ok(figures)
}

async fn submit(reporters: &Reporters, sessions: Vec<Session>) -> anyhow::Result<Latencies> {
    let reporters = reporters.clone();
    let submit = move |session| reporters.clone().submit(session);
    load::closed(CLIENTS, sessions, submit).await
}

/// Replays the last days at an organisation under the rules in force; gives how long it took and how
/// many clusters fire.
async fn replay(stand: &Stand, organization: &str) -> anyhow::Result<(Duration, i32)> {
    let today = stand.clock.today();
    let request = SimulateClustersRequest {
        organization: format!("organizations/{organization}"),
        start_date: Some(to_date(today - Days::new(REPLAYED - 1))),
        end_date: Some(to_date(today)),
        rules: Vec::new(),
    };
    let caller = stand.house.caller(Role::CityOfficer, &city_path()?)?;
    let begun = Instant::now();
    let answer = ClusterServiceClient::new(caller)
        .simulate_clusters(request)
        .await?;
    Ok((begun.elapsed(), answer.into_inner().both_count))
}
