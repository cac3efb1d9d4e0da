//! What is told of queues, pools, feeds, tokens, certificates and agreements rises when something is in the way, and
//! falls when it is not.

mod pki;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::batch::Batcher;
use kit::clock::{Clock, SystemClock};
use kit::db::{Database, Tx, statement};
use kit::drain::Drain;
use kit::feed::{Change, Origin, announce, spawn_sequencer};
use kit::org::OrgPath;
use kit::projection::{Batch, Batches, Projection, Upstream, follow};
use kit::scratch;
use kit::server::{Running, Server, ServerConfig, TlsConfig};
use kit::telemetry::{Looker, TelemetryConfig, Told};
use kit::tls::ClientTlsConfig;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tokio::sync::{Semaphore, mpsc};
use tonic::Status;

const SERVICE: &str = "kit-figures";
const OURS: &str = "service=\"kit-figures\"";

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

/// Commands wait while the worker is at the ones before.
async fn a_queue_fills_and_empties(look: Looker) {
    const QUEUE: &str = "queue=\"figures\"";
    const WAITING: &str = "campus_queue_waiting";
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let batcher = Batcher::spawn(8, 1, Drain::new(), move |commands: Vec<u8>| {
        let held = held.clone();
        Box::pin(async move {
            held.acquire().await.expect("stays open").forget();
            commands
        })
    });
    let batcher = batcher.observed(SERVICE, "figures");
    look.all(&[(WAITING, QUEUE, 0.0)]).await;
    let calls: Vec<_> = (0..4)
        .map(|number| {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.submit(number).await })
        })
        .collect();
    // One is worked on.
    look.all(&[(WAITING, QUEUE, 3.0)]).await;
    gate.add_permits(4);
    for call in calls {
        call.await.expect("ends").expect("an answer");
    }
    look.all(&[(WAITING, QUEUE, 0.0)]).await;
}

/// Writers wait while one is busy: SQLite has one connection that writes.
async fn a_busy_writer_keeps_others_waiting(look: Looker, db: &Database) {
    const WAITING: &str = "campus_db_waiting";
    const WRITE: &str = "pool=\"write\"";
    look.all(&[(WAITING, WRITE, 0.0)]).await;
    let busy = db.begin().await.expect("begins");
    let others: Vec<_> = (0..2)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { db.begin().await?.commit().await })
        })
        .collect();
    look.all(&[(WAITING, WRITE, 2.0)]).await;
    busy.commit().await.expect("commits");
    for other in others {
        other.await.expect("ends").expect("commits");
    }
    look.all(&[(WAITING, WRITE, 0.0)]).await;
}

async fn announce_one(db: &Database, version: i64) {
    let tx = db.begin().await.expect("begins");
    let change = Change {
        feed: "test",
        kind: "thing",
        entity: "things/1".to_owned(),
        version,
        removed: false,
        org_path: "fz".parse().expect("a place"),
        payload: Vec::new(),
        latest: false,
    };
    announce(&tx, vec![change]).await.expect("announced");
    tx.commit().await.expect("commits");
}

/// Keeps the head of the feed from the sequencer, once that has moved the first change.
async fn head_of_the_feed(db: &Database) -> Tx {
    let lock = "SELECT seq FROM feed_head WHERE feed = 'test' AND seq = 1 FOR UPDATE";
    for _ in 0..600 {
        let tx = db.begin().await.expect("begins");
        let head = tx.query_one_raw(statement(&tx, lock, [])).await;
        if head.expect("the database").is_some() {
            return tx;
        }
        tx.rollback().await.expect("lets go");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the first change is never moved");
}

/// Changes grow old while somebody keeps the sequencer from the head of their feed.
async fn an_outbox_grows_old_and_is_emptied(look: Looker) {
    const AGE: &str = "campus_outbox_age_seconds";
    const ROWS: &str = "campus_outbox_rows";
    let Some(scratch) = scratch::postgres().await else {
        return;
    };
    let (db, drain) = (scratch.open::<Migrator>().await, Drain::new());
    db.observe(SERVICE);
    spawn_sequencer(db.clone(), drain.clone());
    announce_one(&db, 1).await;
    let kept = head_of_the_feed(&db).await;
    look.all(&[(ROWS, OURS, 0.0), (AGE, OURS, 0.0)]).await;
    announce_one(&db, 2).await;
    look.all(&[(ROWS, OURS, 1.0)]).await;
    look.until(AGE, OURS, |age| age > 1.0).await;
    kept.rollback().await.expect("lets go");
    look.all(&[(ROWS, OURS, 0.0), (AGE, OURS, 0.0)]).await;
    drain.signal();
}

/// A feed that says something when the test does.
struct Spoken(Option<mpsc::UnboundedReceiver<u64>>);

fn batch(place: u64) -> Batch<()> {
    Batch {
        events: Vec::new(),
        page_token: String::new(),
        resume_token: place.to_string(),
        origin: Origin::default(),
    }
}

#[async_trait::async_trait]
impl Upstream for Spoken {
    type Event = ();

    async fn snapshot(&mut self, _: String) -> Result<Batches<()>, Status> {
        Ok(stream::iter([Ok(batch(1))]).boxed())
    }

    async fn watch(&mut self, _: String) -> Result<Batches<()>, Status> {
        let Some(mut said) = self.0.take() else {
            return Ok(stream::pending().boxed());
        };
        let said = stream::poll_fn(move |context| said.poll_recv(context));
        Ok(said.map(|place| Ok(batch(place))).boxed())
    }
}

struct Deaf;

#[async_trait::async_trait]
impl Projection for Deaf {
    type Event = ();

    fn name(&self) -> &'static str {
        "figures"
    }

    async fn apply(&self, _: &Tx, _: &[()], _: i64) -> Result<(), DbErr> {
        Ok(())
    }

    async fn sweep(&self, _: &Tx, _: i64) -> Result<(), DbErr> {
        Ok(())
    }
}

/// A follower hears nothing while the feed says nothing.
async fn a_follower_that_hears_nothing_is_seen(look: Looker, db: &Database) {
    const AGE: &str = "campus_projection_age_seconds";
    const PROJECTION: &str = "projection=\"figures\"";
    let (say, said) = mpsc::unbounded_channel();
    let (drain, spoken) = (Drain::new(), Spoken(Some(said)));
    let followed = follow(db.clone(), spoken, Arc::new(Deaf), None, drain.clone());
    let quiet = look.until(AGE, PROJECTION, |age| age > 1.5).await;
    say.send(2).expect("is followed");
    look.until(AGE, PROJECTION, |age| age < quiet).await;
    drain.signal();
    drop(say);
    followed.await.expect("ends");
}

/// The token of a service runs out, and a renewed one does not yet.
async fn a_token_runs_out_and_is_renewed(told: &TelemetryConfig) {
    const ENDS: &str = "campus_token_ends_seconds";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let write = |life: u64| {
        let (root, now) = (OrgPath::root(), SystemClock.now());
        let life = Duration::from_secs(life);
        let token = Issuer::development().token(SERVICE, &[Role::Service], &root, None, now, life);
        std::fs::write(&file, token).expect("writes");
    };
    write(600);
    let auth = AuthConfig {
        service_token_file: Some(file.clone()),
        ..AuthConfig::development()
    };
    let running = serve(&ServerConfig::loopback(), &auth, told).await;
    let look = Looker::at(running.page.expect("a page"));
    look.until(ENDS, OURS, |left| left > 500.0 && left <= 600.0)
        .await;
    write(7200);
    look.until(ENDS, OURS, |left| left > 7000.0).await;
    running.stop().await.expect("stops");
}

/// A server that answers nothing but its page.
async fn serve(config: &ServerConfig, auth: &AuthConfig, told: &TelemetryConfig) -> Running {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let server = Server::bind(config, auth, clock, Drain::new()).await;
    let server = server.expect("binds").observed(SERVICE, told).await;
    let server = server.expect("a page");
    server.serve(tonic::service::Routes::default())
}

/// Certificates that have ended are renewed.
async fn certificates_end_and_are_renewed(told: &TelemetryConfig) {
    const ENDS: &str = "campus_certificate_ends_seconds";
    let folder = tempfile::tempdir().expect("a folder");
    let authority = pki::Authority::new("inside");
    let (certificate, key) = authority.expired("server").write(folder.path(), "server");
    let config = ServerConfig {
        tls: Some(TlsConfig {
            certificate,
            key,
            client_ca: None,
            client_required: false,
        }),
        ..ServerConfig::loopback()
    };
    let (certificate, key) = authority.expired("client").write(folder.path(), "client");
    let auth = AuthConfig {
        client_tls: Some(ClientTlsConfig {
            certificate: Some(certificate),
            key: Some(key),
            ..ClientTlsConfig::default()
        }),
        ..AuthConfig::development()
    };
    let running = serve(&config, &auth, told).await;
    let look = Looker::at(running.page.expect("a page"));
    for whose in ["certificate=\"server\"", "certificate=\"client\""] {
        look.until(ENDS, whose, |left| left < 0.0).await;
    }
    authority.server().write(folder.path(), "server");
    authority.client("client").write(folder.path(), "client");
    for whose in ["certificate=\"server\"", "certificate=\"client\""] {
        look.until(ENDS, whose, |left| left > 0.0).await;
    }
    running.stop().await.expect("stops");
}

/// The file of agreements has a slip, and is mended.
async fn agreements_have_a_slip_and_are_mended(told: &TelemetryConfig) {
    const FAULTY: &str = "campus_partners_file_faulty";
    const FILE: &str = "file=\"auth.partners_file\"";
    let agreements = format!(
        "[[partners]]\ncertificate = \"cn:health\"\nsubject = \"city-health\"\nrole = \"disease-control\"\n\
         methods = [\"campus.sampling.v1.CaseService/*\"]\nexpires = \"{}\"\n",
        (SystemClock.now() + Duration::from_secs(86_400)).to_rfc3339()
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = pki::write(folder.path(), "partners.toml", &agreements);
    let auth = AuthConfig {
        partners_file: Some(file),
        ..AuthConfig::development()
    };
    let running = serve(&ServerConfig::loopback(), &auth, told).await;
    let look = Looker::at(running.page.expect("a page"));
    look.all(&[(FAULTY, FILE, 0.0)]).await;
    pki::write(folder.path(), "partners.toml", "[[partners]\n");
    look.all(&[(FAULTY, FILE, 1.0)]).await;
    pki::write(folder.path(), "partners.toml", &agreements);
    look.all(&[(FAULTY, FILE, 0.0)]).await;
    running.stop().await.expect("stops");
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_told_until_it_is_not() {
    let told = Told::start(SERVICE);
    a_token_runs_out_and_is_renewed(&told.config).await;
    certificates_end_and_are_renewed(&told.config).await;
    agreements_have_a_slip_and_are_mended(&told.config).await;

    let (config, auth) = (ServerConfig::loopback(), AuthConfig::development());
    let running = serve(&config, &auth, &told.config).await;
    let look = Looker::at(running.page.expect("a page"));
    let scratch = scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    db.observe(SERVICE);
    a_queue_fills_and_empties(look).await;
    a_busy_writer_keeps_others_waiting(look, &db).await;
    a_follower_that_hears_nothing_is_seen(look, &db).await;
    an_outbox_grows_old_and_is_emptied(look).await;
    running.stop().await.expect("stops");
}
