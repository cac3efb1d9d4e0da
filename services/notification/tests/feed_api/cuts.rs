//! Connections to the database break and calls are given up while recipients act: what the feed tells is
//! what was stored, each change once and in order.

use std::collections::BTreeMap;
use std::time::Duration;

use kit::db::{Backend, statement};
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::NotificationEvent;
use proto::notification::confirm_receipt_request::Receipt;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::notification_event::State;
use proto::roster::organization::Kind;
use sea_orm::ConnectionTrait;
use tonic::transport::Channel;

use crate::town::listener::applied;
use crate::town::officers::{BUREAU_CLERK, SIGN, Step, once};
use crate::town::world::{World, by};
use crate::town::{self, BUREAU, BUREAU_PATH, on_both, organization};

on_both!(what_is_told_is_what_is_stored);

const SCHOOLS: u32 = 24;

/// The head of a school signs for a directive. Each call may be given up at any moment, and is made again
/// with the same request id until it is answered.
async fn sign(channel: Channel, directive: String, number: u32) {
    let id = format!("2135{number:06}");
    let name = format!("{directive}/recipients/{id}");
    let scope = format!("{BUREAU_PATH}/{id}");
    let mut client = DirectiveServiceClient::new(channel);
    for step in 0..3 {
        let request_id = once();
        let mut patience = Duration::from_millis(u64::from(number % 5 + 1));
        loop {
            let (name, request_id) = (name.clone(), request_id.clone());
            let role = kit::auth::Role::Principal;
            let call = async {
                if step == 2 {
                    let ask = pb::AcknowledgeDirectiveRequest { name, request_id };
                    let ask = by("clerk-1", role, &scope, ask);
                    return client.acknowledge_directive(ask).await.is_ok();
                }
                let receipts = [Receipt::Delivered, Receipt::Read];
                let ask = pb::ConfirmReceiptRequest {
                    name,
                    receipt: receipts[step].into(),
                    request_id,
                };
                client
                    .confirm_receipt(by("clerk-1", role, &scope, ask))
                    .await
                    .is_ok()
            };
            if tokio::time::timeout(patience, call).await == Ok(true) {
                break;
            }
            patience = (patience * 2).min(Duration::from_secs(10));
        }
    }
}

/// Ends every other connection to the database of the service, in the middle of whatever it does.
async fn cut(world: &World) {
    if world.db.backend() != Backend::Postgres {
        return;
    }
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let db = world.db.read();
    let _ = db.query_all_raw(statement(db, sql, [])).await;
}

async fn what_is_told_is_what_is_stored(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let schools = (0..SCHOOLS).map(|number| {
        let school = format!("{BUREAU_PATH}/2135{number:06}");
        organization(&school, Kind::School)
    });
    town::roster(&world.db, &schools.collect::<Vec<_>>(), 2).await;
    let issued = world.issued(&[BUREAU]).await;
    let (name, hash) = (issued.name, issued.text_sha256.to_vec());
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(&name, BUREAU, BUREAU_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    world.caught_up().await;
    let listener = world.listen().await;
    let (mut events, token) = (listener.snapshot, listener.resume_token);

    let acting =
        (0..SCHOOLS).map(|number| tokio::spawn(sign(world.channel(), name.clone(), number)));
    let acting: Vec<_> = acting.collect();
    for _ in 0..8 {
        cut(&world).await;
        let progress = world.number("SELECT COUNT(*) FROM requests").await;
        let more = async {
            while !acting.iter().all(tokio::task::JoinHandle::is_finished)
                && world.number("SELECT COUNT(*) FROM requests").await == progress
            {
                tokio::task::yield_now().await;
            }
        };
        more.await;
    }
    for act in acting {
        act.await.expect("signed");
    }
    let last = world.issued(&[BUREAU]).await.name;
    let reader = (kit::auth::Role::Service, "");
    let mut listener = world.watched(reader, &token).await.expect("a watch");
    events.extend(listener.until(|event| event.entity == last).await);
    let acts = |event: &&NotificationEvent| matches!(event.state, Some(State::Recipient(_)));
    let acted = events.iter().filter(acts).count();
    assert_eq!(acted, 1 + 3 * usize::try_from(SCHOOLS).expect("a count"));
    let told: BTreeMap<String, i64> = applied(&events)
        .into_iter()
        .map(|(entity, (version, _))| (entity, version))
        .collect();
    let db = world.db.read();
    let sql = "SELECT organization, version FROM directive_recipients WHERE state > 1";
    let rows = db
        .query_all_raw(statement(db, sql, []))
        .await
        .expect("read");
    assert_eq!(rows.len(), 1 + usize::try_from(SCHOOLS).expect("a count"));
    for row in rows {
        let id: String = row.try_get_by_index(0).expect("an id");
        let version: i64 = row.try_get_by_index(1).expect("a version");
        assert_eq!(told[&format!("{name}/recipients/{id}")], version, "{id}");
    }
    let read = world.get(&name, kit::auth::Role::CityOfficer, "fz").await;
    let signed = read.expect("read").acknowledged_count;
    assert_eq!(signed, 1 + i32::try_from(SCHOOLS).expect("a count"));
}
