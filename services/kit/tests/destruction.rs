//! The keys of emergencies, and a destruction that is stopped and goes on.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kit::auth::{AuthConfig, Credentials};
use kit::clock::{Clock, SystemClock};
use kit::db::{Database, Tx, statement};
use kit::destruction::{Batch, Destroyer, Order, Reporter, Runner, TABLES, hear};
use kit::drain::Drain;
use kit::field::to_timestamp;
use kit::migration::Limits;
use kit::vault::{EmergencyVault, MasterKeys, Suite, Vault, emergency_of, rewrap};
use proto::roster as pb;
use proto::roster::roster_event::State;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use uuid::Uuid;

const MASTER: [u8; 32] = [9; 32];
const SERVICE: &str = "test";
const START: i64 = 1_649_203_200_000;
const ID: Uuid = Uuid::from_u128(77);

struct Migrator;

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &str {
        "m20220401_000001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, &[kit::vault::TABLE]).await?;
        kit::migration::create(manager, &["CREATE TABLE things (id INTEGER PRIMARY KEY)"]).await?;
        kit::migration::create(manager, &TABLES).await
    }
}

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(Tables));
        migrations
    }
}

kit::store_suite!(Migrator;
    what_is_gathered_for_an_emergency_is_sealed_under_its_key,
    a_restored_row_is_worth_nothing_without_the_secret,
    replicas_share_a_key,
    a_key_outlives_the_master_key_under_which_it_was_made,
    a_destruction_that_is_stopped_counts_each_record_once,
);

fn emergency(end: Option<i64>) -> pb::Emergency {
    let at = |millis| chrono::DateTime::from_timestamp_millis(millis).map(to_timestamp);
    pb::Emergency {
        name: format!("emergencies/{}", ID.hyphenated()),
        start_time: at(START),
        end_time: end.and_then(at),
        ..pb::Emergency::default()
    }
}

async fn write(db: &Database, sql: &str) {
    let tx = db.begin().await.expect("a transaction");
    tx.execute_unprepared(sql).await.expect("written");
    tx.commit().await.expect("committed");
}

async fn told(db: &Database, state: State) {
    let event = pb::RosterEvent {
        state: Some(state),
        ..pb::RosterEvent::default()
    };
    let tx = db.begin().await.expect("a transaction");
    hear(&tx, SERVICE, &[event]).await.expect("heard");
    tx.commit().await.expect("committed");
}

async fn vault(db: &Database, folder: &Path) -> EmergencyVault {
    vault_by(&MasterKeys::from(MASTER), db, folder).await
}

async fn vault_by(masters: &MasterKeys, db: &Database, folder: &Path) -> EmergencyVault {
    let mut ordinary = Vault::new(masters, SERVICE);
    let suite = Suite::International;
    let unlocked = ordinary.unlock(db, suite, SystemClock.now()).await;
    unlocked.expect("unlocked");
    let vault = EmergencyVault::new(Arc::new(ordinary), suite, Some(folder));
    vault.refresh(db).await.expect("refreshed");
    vault
}

async fn what_is_gathered_for_an_emergency_is_sealed_under_its_key(db: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    told(&db, State::Emergency(emergency(None))).await;
    let vault = vault(&db, folder.path()).await;
    let seal = |gathered| vault.seal(b"row", b"words", gathered);
    assert_eq!(emergency_of(&seal(START - 1)), None, "before it began");
    assert_eq!(emergency_of(&seal(START)), Some(ID));
    told(&db, State::Emergency(emergency(Some(START + 10)))).await;
    vault.refresh(&db).await.expect("refreshed");
    let within = seal(START + 9);
    assert_eq!(emergency_of(&within), Some(ID));
    assert_eq!(emergency_of(&seal(START + 10)), None, "after it ended");
    assert_eq!(*vault.open(b"row", &within).expect("opened"), b"words");
    assert!(vault.open(b"other", &within).is_err());
    for at in 0..within.len() {
        let mut changed = within.clone();
        changed[at] ^= 1;
        assert!(vault.open(b"row", &changed).is_err(), "byte {at}");
    }
    let again = vault.reseal(b"row", &within).expect("resealed");
    assert_eq!(emergency_of(&again), None);
    assert_eq!(*vault.open(b"row", &again).expect("opened"), b"words");
    // An end that was heard stays, whatever is told late.
    told(&db, State::Emergency(emergency(None))).await;
    vault.refresh(&db).await.expect("refreshed");
    assert_eq!(emergency_of(&seal(START + 10)), None);
}

/// The row of the key as a backup has it, brought back when the key is destroyed.
async fn a_restored_row_is_worth_nothing_without_the_secret(db: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    told(&db, State::Emergency(emergency(None))).await;
    let vault_of = vault(&db, folder.path()).await;
    let sealed = vault_of.seal(b"row", b"words", START);
    let keep = "CREATE TABLE backup AS SELECT * FROM emergency_keys";
    write(&db, keep).await;
    let restore = "INSERT INTO emergency_keys SELECT * FROM backup";
    let delete = async || {
        let tx = db.begin().await.expect("a transaction");
        let gone = EmergencyVault::delete_key(&tx, ID).await.expect("deleted");
        tx.commit().await.expect("committed");
        gone
    };
    told(&db, State::Emergency(emergency(Some(START + 10)))).await;
    assert_eq!(delete().await.map(|print| print.len()), Some(16));
    assert_eq!(delete().await, None, "it is gone");
    vault_of.refresh(&db).await.expect("refreshed");
    assert!(vault_of.open(b"row", &sealed).is_err(), "forgotten");
    // As long as the secret is there, the backup and the master key open everything.
    db.read()
        .execute_unprepared(restore)
        .await
        .expect("restored");
    let opened = vault(&db, folder.path()).await.open(b"row", &sealed);
    assert_eq!(*opened.expect("opened"), b"words");
    vault_of.shred(ID).await.expect("shredded");
    vault_of.shred(ID).await.expect("nothing to shred");
    let later = vault(&db, folder.path()).await;
    assert!(later.open(b"row", &sealed).is_err(), "nobody opens it");
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 0);
}

async fn replicas_share_a_key(db: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    told(&db, State::Emergency(emergency(None))).await;
    let replicas = futures_util::future::join_all((0..4).map(|_| vault(&db, folder.path()))).await;
    for replica in &replicas {
        replica.refresh(&db).await.expect("refreshed");
    }
    let sealed = replicas[0].seal(b"row", b"words", START);
    assert_eq!(emergency_of(&sealed), Some(ID));
    for replica in &replicas {
        assert_eq!(*replica.open(b"row", &sealed).expect("opened"), b"words");
    }
}

async fn a_key_outlives_the_master_key_under_which_it_was_made(db: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    told(&db, State::Emergency(emergency(None))).await;
    let replica = vault(&db, folder.path()).await;
    let sealed = replica.seal(b"row", b"words", START);
    assert_eq!(emergency_of(&sealed), Some(ID));
    let mut masters = MasterKeys::from([10; 32]);
    masters.former = Some(MasterKeys::from(MASTER).present);
    let done = rewrap::run(&Vault::new(&masters, SERVICE), &db, Limits::default()).await;
    done.expect("rewrapped");
    let later = vault_by(&MasterKeys::from([10; 32]), &db, folder.path()).await;
    assert_eq!(*later.open(b"row", &sealed).expect("opened"), b"words");
    // A replica that is not restarted yet reads what the next one seals, and the other way round.
    replica.refresh(&db).await.expect("refreshed");
    let next = later.seal(b"row", b"more", START);
    assert_eq!(*replica.open(b"row", &next).expect("opened"), b"more");
}

/// Deletes things, three at a time.
#[derive(Clone, Copy, Debug)]
struct Things;

const THINGS: i64 = 600;

#[async_trait::async_trait]
impl Destroyer for Things {
    fn categories(&self) -> &'static [&'static str] {
        &["things", "nothing"]
    }

    async fn destroy(
        &self,
        tx: &Tx,
        order: &Order,
        category: &str,
        cursor: &str,
    ) -> Result<Batch, DbErr> {
        assert_eq!(order.kept, BTreeSet::from(["nothing".to_owned()]));
        if category == "nothing" {
            return Ok(Batch::default());
        }
        let after: i32 = cursor.parse().unwrap_or_default();
        let sql = "DELETE FROM things WHERE id > $1 AND id <= $2";
        let done = tx
            .execute_raw(statement(tx, sql, [after.into(), (after + 3).into()]))
            .await?;
        let destroyed = i64::try_from(done.rows_affected()).unwrap_or_default();
        Ok(Batch {
            cursor: (destroyed > 0).then(|| (after + 3).to_string()),
            destroyed,
            exposed: destroyed,
            ..Batch::default()
        })
    }

    async fn remaining(&self, db: &Database, _: &Order, _: &str) -> Result<i64, DbErr> {
        count(db, "things").await
    }
}

async fn count(db: &Database, table: &str) -> Result<i64, DbErr> {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let row = db
        .read()
        .query_one_raw(statement(db.read(), &sql, []))
        .await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

async fn a_destruction_that_is_stopped_counts_each_record_once(db: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    told(&db, State::Emergency(emergency(None))).await;
    let vault = vault(&db, folder.path()).await;
    for id in 1..=THINGS {
        write(&db, &format!("INSERT INTO things VALUES ({id})")).await;
    }
    let order = pb::DestructionOrder {
        destruction_job: "destructionJobs/1".to_owned(),
        emergency: Some(emergency(Some(START + 10))),
        keeps: vec![pb::KeptCategory {
            service: SERVICE.to_owned(),
            category: "nothing".to_owned(),
            legal_reason: "档案法".to_owned(),
        }],
    };
    // Told twice, as after a new snapshot.
    for _ in 0..2 {
        told(&db, State::DestructionOrder(order.clone())).await;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let credentials = Credentials::new(&AuthConfig::development(), SERVICE, clock.clone());
    let nobody = kit::channel::connect_lazy("http://127.0.0.1:9").expect("an address");
    let begin = || {
        let drain = Drain::new();
        let runner = Runner {
            db: db.clone(),
            clock: clock.clone(),
            destroyer: Things,
            vault: Some(vault.clone()),
            reporter: Reporter::new(SERVICE, nobody.clone(), credentials.clone()),
        };
        runner.start(drain.clone());
        drain
    };
    let mut last = THINGS;
    for _ in 0..4 {
        let drain = begin();
        let before = last;
        for _ in 0..2000 {
            last = count(&db, "things").await.expect("counted");
            if last < before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drain.signal();
        assert!(last < before, "nothing happened");
    }
    assert!(last > 0, "it was stopped on its way");
    let drain = begin();
    let mut progress = String::new();
    for _ in 0..2400 {
        let sql = "SELECT progress FROM destructions WHERE phase = 3";
        let row = db.read().query_one_raw(statement(db.read(), sql, [])).await;
        if let Some(row) = row.expect("read") {
            progress = row.try_get_by_index(0).expect("a text");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drain.signal();
    let progress: serde_json::Value = serde_json::from_str(&progress).expect("done");
    let counts = &progress["counts"];
    assert_eq!(counts[0]["destroyed"], THINGS);
    assert_eq!(counts[0]["exposed"], THINGS);
    assert_eq!(counts[1]["destroyed"], 0);
    assert_eq!(count(&db, "emergency_keys").await.expect("counted"), 0);
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 0, "the secret is gone");
}
