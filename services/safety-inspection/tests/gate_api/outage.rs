//! The database slow or gone: a gate is told so, and nobody is admitted by what is not kept. Roster and
//! sampling slow or gone: the gate decides all the same.

use std::sync::Arc;
use std::time::Duration;

use kit::auth::Role;
use kit::clock::ManualClock;
use kit::db::DatabaseConfig;
use kit::scratch::Scratch;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_service_client::GateServiceClient;
use safety_inspection::Migrator;
use safety_inspection::store::Store;
use safety_inspection::store::gate::decisions::Filter;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::city;
use crate::city::world::{World, serve_with, signed, told, well};
use crate::city::{SCHOOL_PATH, student};

/// Longer than any gate is kept waiting; a test that waits so long has failed.
const FOR_EVER: Duration = Duration::from_secs(60);

/// What stands between the service and its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// What is sent stays on the way.
    Stalled,
    /// Connections break and none is taken.
    Gone,
}

/// A way to the database server that can be closed.
struct Between {
    way: Arc<watch::Sender<Way>>,
    address: String,
}

impl Between {
    async fn open(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let way = Arc::new(watch::Sender::new(Way::Open));
        let ways = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, way) = (server.clone(), ways.subscribe());
                tokio::spawn(pass(client, server, way));
            }
        });
        Self { way, address }
    }

    fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// Carries one connection as long as the way is open; one that stalled is broken afterwards.
async fn pass(mut client: TcpStream, server: String, mut way: watch::Receiver<Way>) {
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        return;
    };
    loop {
        let now = *way.borrow_and_update();
        match now {
            Way::Gone => return,
            Way::Stalled => {
                // Nobody can change the way any more when this fails, which ends it as well.
                let _ = way.changed().await;
                return;
            }
            Way::Open => tokio::select! {
                _ = copy_bidirectional(&mut client, &mut upstream) => return,
                changed = way.changed() => if changed.is_err() { return },
            },
        }
    }
}

fn asked(id: Uuid) -> tonic::Request<pb::CheckEntryRequest> {
    let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
    let scope = SCHOOL_PATH.parse().expect("a scope");
    let term = Duration::from_secs(86_400 * 60);
    let roles = [Role::Guard];
    let issuer = kit::auth::Issuer::development();
    let token = issuer.token("guard-1", &roles, &scope, None, start, term);
    let request = pb::CheckEntryRequest {
        request_id: id.to_string(),
        ..well(&student(1))
    };
    signed(&format!("Bearer {token}"), request)
}

/// Asks once; an answer comes whatever the database does.
async fn ask(channel: &Channel, id: Uuid) -> Result<pb::GateDecision, Status> {
    let mut client = GateServiceClient::new(channel.clone());
    let answer = tokio::time::timeout(FOR_EVER, client.check_entry(asked(id))).await;
    let answer = answer.expect("a gate is not kept waiting for ever");
    answer.map(tonic::Response::into_inner)
}

/// Asks with the same id until the decision is kept.
async fn ask_again(channel: &Channel, id: Uuid) -> pb::GateDecision {
    for _ in 0..200 {
        if let Ok(decision) = ask(channel, id).await {
            return decision;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the database is back and the gate is not");
}

fn is_refusal(status: &Status) -> bool {
    let (code, reason, zh) = told(status);
    let quick = matches!(
        (code, &*reason),
        (Code::ResourceExhausted, "OVERLOADED") | (Code::Unavailable, "UNAVAILABLE")
    );
    quick && !zh.is_ascii()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_is_told_when_the_database_is_slow_or_gone() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    let db = scratch.open::<Migrator>().await;
    city::roster(&db, &city::city(), 1).await;
    let (before, place) = scratch.url.split_once('@').expect("a user");
    let (server, database) = place.split_once('/').expect("a database");
    let between = Between::open(server.to_owned()).await;
    let config = DatabaseConfig {
        max_connections: 3,
        acquire_timeout: Duration::from_millis(300),
        ..DatabaseConfig::new(format!("{before}@{}/{database}", between.address))
    };
    let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().expect("an instant"));
    let (channel, _running) = serve_with(&config, &clock, |config| {
        config.gate.answer_within = Duration::from_millis(500);
    })
    .await;
    ask(&channel, Uuid::new_v4()).await.expect("decided");
    let mut ids = Vec::new();
    for way in [Way::Stalled, Way::Gone] {
        between.set(way);
        for _ in 0..4 {
            let id = Uuid::new_v4();
            let refused = ask(&channel, id).await.expect_err("not kept, not admitted");
            assert!(is_refusal(&refused), "{way:?}: {refused:?}");
            ids.push(id);
        }
        between.set(Way::Open);
        ask_again(&channel, Uuid::new_v4()).await;
    }
    // The gate asks again for those whose answer it never heard: each is kept once.
    for id in &ids {
        ask_again(&channel, *id).await;
    }
    let (store, everybody) = (Store::new(db), Filter::default());
    let kept = store.decisions("2135010001", &everybody, None, 1000).await;
    let kept = kept.expect("read");
    for id in ids {
        let times = kept
            .iter()
            .filter(|(record, _)| record.client_id == id)
            .count();
        assert_eq!(times, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_is_told_when_somebody_holds_the_only_writer() {
    let world = World::with(kit::scratch::sqlite(), |config| {
        config.gate.answer_within = Duration::from_millis(300);
    })
    .await;
    let held = world.db.begin().await.expect("the writer");
    let id = Uuid::new_v4();
    let refused = ask(&world.channel, id)
        .await
        .expect_err("not kept, not admitted");
    assert!(is_refusal(&refused), "{refused:?}");
    held.rollback().await.expect("given back");
    let decision = ask_again(&world.channel, id).await;
    let store = Store::new(world.db.clone());
    let kept = store
        .decisions("2135010001", &Filter::default(), None, 10)
        .await;
    let names: Vec<_> = kept
        .expect("read")
        .into_iter()
        .map(|(record, _)| record.client_id)
        .collect();
    assert_eq!(names, [id]);
    assert!(
        decision
            .name
            .starts_with("organizations/2135010001/gateDecisions/")
    );
}

/// Takes connections and never answers.
async fn silence() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    format!("http://{address}")
}

/// Rule 3.9: whoever decides goes by what was heard last, says how old it is, and waits for nobody.
async fn decides_without_neighbours(scratch: Scratch, neighbours: String) {
    let world = World::with(scratch, |config| {
        config.roster.clone_from(&neighbours);
        config.sampling = neighbours;
        config.gate.answer_within = Duration::from_millis(500);
    })
    .await;
    let fresh = ask_again(&world.channel, Uuid::new_v4()).await;
    assert_eq!((fresh.result(), fresh.stale), (Outcome::Admit, false));
    world.clock.advance(chrono::Duration::minutes(31));
    let old = ask_again(&world.channel, Uuid::new_v4()).await;
    assert_eq!((old.result(), old.stale), (Outcome::Admit, true));
    assert_eq!(old.facts_time, fresh.facts_time);
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_decide_while_roster_and_sampling_are_slow() {
    decides_without_neighbours(kit::scratch::sqlite(), silence().await).await;
    if let Some(scratch) = kit::scratch::postgres().await {
        decides_without_neighbours(scratch, silence().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_decide_while_roster_and_sampling_are_gone() {
    let nobody = || "http://127.0.0.1:9".to_owned();
    decides_without_neighbours(kit::scratch::sqlite(), nobody()).await;
    if let Some(scratch) = kit::scratch::postgres().await {
        decides_without_neighbours(scratch, nobody()).await;
    }
}
