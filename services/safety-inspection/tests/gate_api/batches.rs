//! What gates bring back is stored once each, however often the service is killed meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use kit::scratch::Scratch;
use proto::safety as pb;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::offline_verdict::Outcome as Became;
use safety_inspection::Migrator;
use safety_inspection::store::Store;
use safety_inspection::store::gate::decisions::Filter;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::city;
use crate::city::world::{signed, well};
use crate::city::{SCHOOL, SCHOOL_PATH, student};
use crate::process::Settings;

/// How often the process is killed.
const CUTS: usize = 20;
/// How many gates bring something back at once.
const GATES: usize = 4;
/// How many decisions each brings at a time.
const DECISIONS: usize = 40;

fn batch(gate: usize) -> pb::RecordBatchRequest {
    let now = kit::field::to_timestamp(SystemClock.now());
    let decision = |number: usize| pb::OfflineDecision {
        client_id: Uuid::new_v4().to_string(),
        person: student(1 + number as u128 % 5),
        observation: well("").observation,
        result: pb::gate_decision::Result::Admit.into(),
        decide_time: Some(now),
        ..Default::default()
    };
    pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: format!("gate-{gate}"),
        decisions: (0..DECISIONS).map(decision).collect(),
    }
}

/// Brings batches until the process is gone, and returns those that were answered and the one that
/// was not.
async fn bring(
    channel: Channel,
    mut first: pb::RecordBatchRequest,
    gate: usize,
    bearer: String,
) -> (Vec<String>, pb::RecordBatchRequest) {
    let mut client = GateServiceClient::new(channel);
    let mut answered = Vec::new();
    loop {
        match client.record_batch(signed(&bearer, first.clone())).await {
            Ok(response) => {
                for verdict in response.into_inner().verdicts {
                    let kept = [Became::Recorded, Became::Repeated, Became::Conflict];
                    assert!(kept.contains(&verdict.outcome()), "{verdict:?}");
                    answered.push(verdict.client_id);
                }
                first = batch(gate);
            }
            Err(_) => return (answered, first),
        }
    }
}

async fn kill_while_gates_bring(scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    city::roster(&db, &city::city(), 1).await;
    let settings = Settings::new(&scratch);
    let bearer = city::world::bearer_now(Role::Guard, SCHOOL_PATH);
    let mut answered = Vec::new();
    let mut open: Vec<_> = (0..GATES).map(batch).collect();
    for cut in 0..CUTS {
        let (mut child, channel) = settings.spawn().await;
        let gates: Vec<_> = open
            .drain(..)
            .enumerate()
            .map(|(gate, first)| tokio::spawn(bring(channel.clone(), first, gate, bearer.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(60 + 23 * cut as u64)).await;
        child.kill().await.expect("killed");
        for gate in gates {
            let (done, left) = gate.await.expect("a gate");
            answered.extend(done);
            // The gate asks again with the same ids: it never heard what became of them.
            open.push(left);
        }
    }
    assert!(
        answered.len() >= DECISIONS,
        "only {} were answered",
        answered.len()
    );
    let distinct: HashSet<&String> = answered.iter().collect();
    assert_eq!(distinct.len(), answered.len(), "no gate was answered twice");
    let stored = Store::new(db)
        .decisions("2135010001", &Filter::default(), None, 1_000_000)
        .await
        .expect("read");
    let ids: Vec<String> = stored
        .iter()
        .map(|(record, _)| record.client_id.to_string())
        .collect();
    let unique: HashSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "each client id once");
    let lost = answered.iter().filter(|id| !unique.contains(id)).count();
    assert_eq!(lost, 0, "of {} answered", answered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_id_is_stored_once_through_kill_9_on_sqlite() {
    kill_while_gates_bring(kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_id_is_stored_once_through_kill_9_on_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    kill_while_gates_bring(scratch).await;
}
