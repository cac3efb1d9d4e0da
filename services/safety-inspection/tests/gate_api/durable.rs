//! A decision that was answered is never lost, and many share a commit.

use std::time::Duration;

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::safety as pb;
use proto::safety::gate_service_client::GateServiceClient;
use safety_inspection::Migrator;
use safety_inspection::store::Store;
use safety_inspection::store::gate::decisions::Filter;
use sea_orm::ConnectionTrait;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::city;
use crate::city::world::{World, signed, well};
use crate::city::{SCHOOL_PATH, student};
use crate::process::Settings;

/// How often the process is killed.
const CUTS: usize = 8;
/// How many gates ask at once.
const GATES: usize = 16;

/// Asks until the process is gone; the names of the decisions that were answered.
async fn ask_until_gone(channel: Channel, gate: usize, bearer: String) -> Vec<String> {
    let mut client = GateServiceClient::new(channel);
    let mut answered = Vec::new();
    loop {
        let request = pb::CheckEntryRequest {
            device: format!("gate-{gate}"),
            request_id: Uuid::new_v4().to_string(),
            ..well(&student(1))
        };
        match client.check_entry(signed(&bearer, request)).await {
            Ok(decision) => answered.push(decision.into_inner().name),
            Err(_) => return answered,
        }
    }
}

async fn kill_again_and_again(scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    city::roster(&db, &city::city(), 1).await;
    let settings = Settings::new(&scratch);
    let bearer = city::world::bearer_now(Role::Guard, SCHOOL_PATH);
    let mut answered = Vec::new();
    for cut in 0..CUTS {
        let (mut child, channel) = settings.spawn().await;
        let gates: Vec<_> = (0..GATES)
            .map(|gate| tokio::spawn(ask_until_gone(channel.clone(), gate, bearer.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(150 + 37 * cut as u64)).await;
        child.kill().await.expect("killed");
        for gate in gates {
            answered.extend(gate.await.expect("a gate"));
        }
    }
    assert!(
        answered.len() >= CUTS * 4,
        "only {} were answered",
        answered.len()
    );
    let store = Store::new(db);
    let stored = store
        .decisions("2135010001", &Filter::default(), None, 1_000_000)
        .await;
    let stored: std::collections::HashSet<_> = stored
        .expect("read")
        .into_iter()
        .map(|(record, _)| record.id)
        .collect();
    let lost: Vec<_> = answered
        .iter()
        .filter(|name| {
            let id = name.rsplit('/').next().expect("an id");
            !stored.contains(&id.parse::<Uuid>().expect("an id"))
        })
        .collect();
    assert_eq!(
        lost,
        Vec::<&String>::new(),
        "of {} answered",
        answered.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_decision_is_lost_to_kill_9_on_sqlite() {
    kill_again_and_again(kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_decision_is_lost_to_kill_9_on_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    kill_again_and_again(scratch).await;
}

/// While one batch waits for the table, everything else gathers and goes into the next one.
#[tokio::test(flavor = "multi_thread")]
async fn decisions_that_arrive_together_share_a_commit() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    let world = World::new(scratch).await;
    let tx = world.db.begin().await.expect("a transaction");
    tx.execute_unprepared("LOCK TABLE gate_decisions IN SHARE MODE")
        .await
        .expect("locked");
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let request = world.as_role(Role::Guard, SCHOOL_PATH, well(&student(1)));
            let mut client = world.client.clone();
            tokio::spawn(async move { client.check_entry(request).await })
        })
        .collect();
    // The first batch waits for the table: nobody is answered before the commit.
    let sql = "SELECT COUNT(*) FROM pg_locks \
               WHERE NOT granted AND relation = 'gate_decisions'::regclass";
    let waiting = async {
        loop {
            let select = kit::db::statement(world.db.read(), sql, []);
            let row = world.db.read().query_one_raw(select).await.expect("read");
            let waiting: i64 = row.expect("a row").try_get_by_index(0).expect("a number");
            if waiting > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    in_time.expect("a batch waits");
    assert!(calls.iter().all(|call| !call.is_finished()));
    tx.commit().await.expect("unlocked");
    for call in calls {
        call.await.expect("a call").expect("decided");
    }
    let sql = "SELECT COUNT(*), COUNT(DISTINCT xmin::text) FROM gate_decisions";
    let select = kit::db::statement(world.db.read(), sql, []);
    let row = world
        .db
        .read()
        .query_one_raw(select)
        .await
        .expect("read")
        .expect("a row");
    let (decisions, commits): (i64, i64) = (
        row.try_get_by_index(0).expect("a number"),
        row.try_get_by_index(1).expect("a number"),
    );
    assert_eq!(decisions, 200);
    assert!(commits * 2 <= decisions, "{commits} commits");
}
