//! How many checks a second are stored, each durable before its answer. Runs on demand:
//! `cargo test --release -p sampling --test health_api rate -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::{CheckSubmission, SubmitCheckRequest};

use super::screening_site::{finding, group};
use super::town::{CITY, Roster, Town, class, school_path, student};

const SCHOOLS: u32 = 200;
const CLASSES: u32 = 20;
const AT_ONCE: usize = 160;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a figure is only worth something on a machine that does nothing else"]
async fn rate_on_sqlite() {
    run(kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a figure is only worth something on a machine that does nothing else"]
async fn rate_on_postgres() {
    let Some(database) = kit::scratch::postgres().await else {
        return;
    };
    run(database).await;
}

#[expect(clippy::print_stderr, reason = "figures are what this is for")]
async fn run(database: Scratch) {
    let roster = Roster::town();
    let mut first = 0;
    let mut groups = Vec::new();
    for school in 0..SCHOOLS {
        let id = format!("21350{school:05}");
        roster.organization(&id, &school_path(&id));
        for number in 0..CLASSES {
            let name = format!("p2019-{number:02}");
            roster.class(class(&id, &name, first, 40));
            groups.push((group(&id, &name), first));
            first += 40;
        }
    }
    let town = Town::start(database, roster).await;
    let date = town.date();
    let client = ScreeningServiceClient::new(town.authorised(&[Role::SchoolDoctor], CITY));
    // Of every fifty checks one lists somebody.
    let checks = groups.iter().enumerate().map(|(place, (scope, someone))| {
        let ill = (place % 50 == 0).then(|| finding(student(*someone), &[Symptom::Cough]));
        CheckSubmission {
            scope: scope.clone(),
            check_date: Some(date),
            slot: Slot::Morning.into(),
            roll_count: 40,
            present_count: 40,
            client_id: uuid::Uuid::new_v4().to_string(),
            findings: ill.into_iter().collect(),
            ..CheckSubmission::default()
        }
    });
    let start = Instant::now();
    let mut times: Vec<Duration> = futures_util::stream::iter(checks)
        .map(|check| {
            let mut client = client.clone();
            async move {
                let begun = Instant::now();
                let request = SubmitCheckRequest { check: Some(check) };
                client.submit_check(request).await.expect("stored");
                begun.elapsed()
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let took = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    let count = u32::try_from(times.len()).expect("few");
    eprintln!(
        "{count} checks in {took:.2} s: {:.0} a second, p99 {} ms",
        f64::from(count) / took,
        p99.as_millis()
    );
}
