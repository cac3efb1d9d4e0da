//! What stands in the log: never whom a gate checked, nor what it saw.

mod city;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::check_entry_request::Identity;
use tracing_subscriber::filter::EnvFilter;
use uuid::Uuid;

use city::world::{World, well};
use city::{SCHOOL_PATH, clearance, held, student};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that these layers say at their most talkative, while people with planted data are
/// admitted, observed, denied and refused.
#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_tells_whom_a_gate_checked_or_what_it_saw() {
    let log = Log::default();
    let writer = log.clone();
    let talkative = "info,safety_inspection=trace,kit=trace,sqlx=trace,sea_orm=trace,tonic=trace";
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(talkative))
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only one");

    let mut world = World::new(kit::scratch::sqlite()).await;
    let ask = pb::IssuePersonCodeRequest { person: student(1) };
    let ask = world.as_role(Role::SchoolClerk, SCHOOL_PATH, ask);
    let code = world
        .client
        .issue_person_code(ask)
        .await
        .expect("issued")
        .into_inner()
        .person_code;
    let card = "CARD-7777777".to_owned();
    let bind = pb::BindCardRequest {
        person: student(2),
        card: card.clone(),
        request_id: Uuid::new_v4().to_string(),
    };
    let bind = world.as_role(Role::SchoolClerk, SCHOOL_PATH, bind);
    world.client.bind_card(bind).await.expect("bound");
    clearance(&world.db, &[held(&student(2), 1)], 1).await;
    let hot = |identity| {
        let mut request = well("");
        request.identity = Some(identity);
        if let Some(seen) = &mut request.observation {
            seen.temperature_decidegrees = Some(397);
        }
        request
    };
    let by_code = hot(Identity::PersonCode(code.clone()));
    let first = world.check(by_code.clone()).await.expect("decided");
    world
        .check(hot(Identity::Card(card.clone())))
        .await
        .expect("decided");
    let again = pb::CheckEntryRequest {
        recheck_of: first.name,
        ..by_code
    };
    world.check(again).await.expect_err("too early");
    let mut wrong = well("students/PLANTED-NAME");
    wrong.observation = Some(pb::GateObservation {
        temperature_decidegrees: Some(99_397),
        ..Default::default()
    });
    world.check(wrong).await.expect_err("malformed");

    let log = log.0.lock().unwrap_or_else(PoisonError::into_inner);
    let log = String::from_utf8_lossy(&log);
    let answered = |line: &&str| line.contains("CheckEntry") && line.ends_with("answered");
    let answered = log.lines().filter(answered).count();
    assert_eq!(answered, 4, "each check is spoken of");
    assert!(log.contains("TRACE"), "and so are the libraries' steps");
    let (one, two) = (student(1), student(2));
    for planted in [
        &*one,
        &two,
        &code,
        &card,
        "Temperature(",
        "decidegrees",
        "397,",
        "PLANTED-NAME",
        "待单人复检",
    ] {
        let found = log.lines().find(|line| line.contains(planted));
        assert_eq!(found, None, "{planted}");
    }
}
