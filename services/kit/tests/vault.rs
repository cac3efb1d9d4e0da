//! Data keys in a database, and a master key that is changed while replicas work.

use std::time::Duration;

use kit::clock::{Clock, SystemClock};
use kit::db::{Backend, Database, statement};
use kit::migration::{Limits, MIGRATING, MigrateError};
use kit::vault::rewrap::{self, Rewrapped};
use kit::vault::{MasterKeys, Suite, UnlockError, Vault};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

const SERVICE: &str = "test";
const FORMER: [u8; 32] = [1; 32];
const PRESENT: [u8; 32] = [2; 32];

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
        kit::migration::create(manager, &[kit::vault::TABLE]).await
    }
}

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Tables)]
    }
}

kit::store_suite!(Migrator;
    replicas_that_start_together_share_all_keys,
    a_master_key_is_changed_and_nothing_else_is,
    an_old_copy_needs_the_former_master_key,
    what_neither_master_key_opens_stays_as_it_is,
    nothing_is_rewrapped_while_somebody_migrates,
    without_its_root_nothing_starts,
);

fn changing() -> MasterKeys {
    let mut masters = MasterKeys::from(PRESENT);
    masters.former = Some(MasterKeys::from(FORMER).present);
    masters
}

async fn unlocked(masters: &MasterKeys, suite: Suite, db: &Database) -> Result<Vault, UnlockError> {
    let mut vault = Vault::new(masters, SERVICE);
    vault.unlock(db, suite, SystemClock.now()).await?;
    Ok(vault)
}

async fn opened(master: [u8; 32], db: &Database) -> Vault {
    let vault = unlocked(&master.into(), Suite::International, db).await;
    vault.expect("unlocked")
}

/// Which data key a start is refused for.
async fn refused(master: [u8; 32], db: &Database) -> u32 {
    match unlocked(&master.into(), Suite::International, db).await {
        Err(UnlockError::Shut(id)) => id,
        other => panic!("{other:?}"),
    }
}

async fn rewrapped(masters: &MasterKeys, db: &Database) -> Rewrapped {
    let done = rewrap::run(&Vault::new(masters, SERVICE), db, Limits::default()).await;
    done.expect("rewrapped")
}

async fn stored(db: &Database) -> Vec<(i32, Vec<u8>)> {
    let select = statement(
        db.read(),
        "SELECT id, wrapped FROM data_keys ORDER BY id",
        [],
    );
    let rows = db.read().query_all_raw(select).await.expect("rows");
    let pair = |row: &sea_orm::QueryResult| {
        let id = row.try_get_by_index(0).expect("a number");
        (id, row.try_get_by_index(1).expect("bytes"))
    };
    rows.iter().map(pair).collect()
}

async fn write(db: &Database, sql: &str) {
    let tx = db.begin().await.expect("a transaction");
    tx.execute_unprepared(sql).await.expect("written");
    tx.commit().await.expect("committed");
}

async fn replicas_that_start_together_share_all_keys(db: Database) {
    let replicas = futures_util::future::join_all((0..4).map(|_| opened(FORMER, &db))).await;
    let sealed = replicas[0].seal(b"row", b"words");
    for replica in &replicas {
        assert_eq!(*replica.open(b"row", &sealed).expect("opened"), b"words");
        assert_eq!(replica.derive("index"), replicas[0].derive("index"));
    }
    assert_eq!(stored(&db).await.len(), 2);
}

async fn a_master_key_is_changed_and_nothing_else_is(db: Database) {
    let before = opened(FORMER, &db).await;
    let sealed = before.seal(b"row", b"words");
    // A second data key, by the other cipher.
    let sm = unlocked(&FORMER.into(), Suite::Sm, &db).await;
    let sealed_by_sm = sm.expect("unlocked").seal(b"row", b"words");
    assert_eq!(refused(PRESENT, &db).await, 0);

    let between = unlocked(&changing(), Suite::Sm, &db).await;
    let between = between.expect("reads by either");
    assert_eq!(*between.open(b"row", &sealed).expect("opened"), b"words");
    let still = unlocked(&FORMER.into(), Suite::Sm, &db).await;
    still.expect("the former starts as long as nothing is rewrapped");
    let all = Rewrapped::Done {
        changed: 3,
        kept: 0,
    };
    assert_eq!(rewrapped(&changing(), &db).await, all);
    let after = stored(&db).await;
    let none = Rewrapped::Done {
        changed: 0,
        kept: 3,
    };
    assert_eq!(rewrapped(&changing(), &db).await, none);
    assert_eq!(rewrapped(&PRESENT.into(), &db).await, none);
    assert_eq!(stored(&db).await, after, "a repeat changes nothing");

    assert_eq!(refused(FORMER, &db).await, 0);
    let later = unlocked(&PRESENT.into(), Suite::Sm, &db).await;
    let later = later.expect("unlocked");
    for bytes in [&sealed, &sealed_by_sm] {
        assert_eq!(*later.open(b"row", bytes).expect("opened"), b"words");
    }
    assert_eq!(later.derive("index"), before.derive("index"));
    assert_eq!(stored(&db).await, after, "no key is added");
}

async fn an_old_copy_needs_the_former_master_key(db: Database) {
    let sealed = opened(FORMER, &db).await.seal(b"row", b"words");
    write(&db, "CREATE TABLE backup AS SELECT * FROM data_keys").await;
    rewrapped(&changing(), &db).await;
    write(&db, "DELETE FROM data_keys").await;
    write(&db, "INSERT INTO data_keys SELECT * FROM backup").await;
    assert_eq!(refused(PRESENT, &db).await, 0);
    let by_either = unlocked(&changing(), Suite::International, &db).await;
    let opened = by_either.expect("unlocked").open(b"row", &sealed);
    assert_eq!(*opened.expect("opened"), b"words");
}

async fn what_neither_master_key_opens_stays_as_it_is(db: Database) {
    opened(FORMER, &db).await;
    rewrapped(&changing(), &db).await;
    // A key of another master key among those of this one.
    let lost = "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE id = 0) \
                WHERE id = 1";
    write(&db, lost).await;
    let before = stored(&db).await;
    let back = MasterKeys {
        former: Some(MasterKeys::from(PRESENT).present),
        ..FORMER.into()
    };
    assert_eq!(rewrapped(&back, &db).await, Rewrapped::Shut(1));
    assert_eq!(stored(&db).await, before);
    assert_eq!(refused(PRESENT, &db).await, 1);
}

async fn nothing_is_rewrapped_while_somebody_migrates(db: Database) {
    opened(FORMER, &db).await;
    let before = stored(&db).await;
    let migrating = db.begin().await.expect("a transaction");
    if db.backend() == Backend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({MIGRATING})");
        let locked = migrating.execute_unprepared(&lock).await;
        locked.expect("locked");
    }
    let limits = Limits {
        within: Duration::from_secs(1),
        ..Limits::default()
    };
    let vault = Vault::new(&changing(), SERVICE);
    let busy = rewrap::run(&vault, &db, limits).await.expect_err("busy");
    assert!(matches!(busy, MigrateError::Busy { .. }), "{busy:?}");
    assert_eq!(stored(&db).await, before);
    migrating.rollback().await.expect("it ends");
    let done = Rewrapped::Done {
        changed: 2,
        kept: 0,
    };
    assert_eq!(rewrapped(&changing(), &db).await, done);
}

async fn without_its_root_nothing_starts(db: Database) {
    opened(FORMER, &db).await;
    write(&db, "DELETE FROM data_keys WHERE id = 0").await;
    let refused = unlocked(&FORMER.into(), Suite::International, &db).await;
    assert!(matches!(refused, Err(UnlockError::Rootless)), "{refused:?}");
}
