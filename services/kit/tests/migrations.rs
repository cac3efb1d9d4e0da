//! How the schema is brought up to date: by one process at a time, within a time, whole or not at
//! all, and without keeping the version before from running.

mod migrations {
    mod online;
    pub(crate) mod steps;
    mod turns;
}

use std::time::Duration;

use kit::db::{Database, DatabaseConfig, Migrate};
use kit::migration::{Ending, Limits, MigrateError, Order, Schema, apply, carry_out, plan};
use kit::scratch::Scratch;
use sea_orm::ConnectionTrait;

use migrations::steps::{Cut, Endless, Older, Whole};

/// Makes each run on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(kit::scratch::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test(scratch).await;
            })+
        }
    };
}
pub(crate) use on_both;

on_both!(
    what_was_cut_leaves_nothing_and_is_applied_again,
    what_takes_too_long_ends_in_time,
    the_version_before_runs_on_a_newer_schema,
    a_service_that_does_not_migrate_leaves_it_to_the_command,
    a_service_waits_for_the_command_as_long_as_it_may,
    the_command_plans_and_applies,
);

/// A time that is over soon.
fn soon() -> Limits {
    Limits {
        within: Duration::from_secs(1),
        ..Limits::default()
    }
}

/// Applies `schema`; the names of what was applied.
async fn migrate(
    db: &Database,
    schema: &Schema,
    limits: Limits,
) -> Result<Vec<String>, MigrateError> {
    let mut applied = Vec::new();
    let mut told = |name: &str, _: Duration| applied.push(name.to_owned());
    apply(db, schema, limits, &mut told).await?;
    Ok(applied)
}

async fn names_pending(db: &Database, schema: &Schema) -> Vec<String> {
    let plan = plan(db, schema).await.expect("a plan");
    plan.pending.into_iter().map(|step| step.name).collect()
}

/// Whether a table is there.
async fn has(db: &Database, table: &str) -> bool {
    let sql = format!("SELECT 1 FROM {table} LIMIT 1");
    db.read().execute_unprepared(&sql).await.is_ok()
}

async fn open(config: &DatabaseConfig) -> Database {
    Database::connect(config).await.expect("it opens")
}

async fn what_was_cut_leaves_nothing_and_is_applied_again(scratch: Scratch) {
    let db = open(&scratch).await;
    let (begun, mut begin) = tokio::sync::mpsc::channel(1);
    migrations::steps::BEGUN
        .scope(begun, async {
            let other = open(&scratch).await;
            let schema = Schema::of::<Cut>();
            tokio::select! {
                ended = migrate(&other, &schema, Limits::default()) => panic!("{ended:?}"),
                _ = begin.recv() => {}
            }
        })
        .await;
    let whole = Schema::of::<Whole>();
    assert_eq!(names_pending(&db, &whole).await, ["m2_marks"]);
    assert!(has(&db, "pupils").await && !has(&db, "marks").await);
    let applied = migrate(&db, &whole, Limits::default()).await;
    assert_eq!(applied.expect("applied"), ["m2_marks"]);
    assert!(has(&db, "marks").await);
}

async fn what_takes_too_long_ends_in_time(scratch: Scratch) {
    let db = open(&scratch).await;
    let schema = Schema::of::<Endless>();
    let ending = tokio::time::timeout(Duration::from_secs(60), migrate(&db, &schema, soon()));
    let err = ending.await.expect("in time").expect_err("too long");
    assert!(
        matches!(&err, MigrateError::Late { migration, .. } if migration == "m2_endless"),
        "{err:?}"
    );
    assert_eq!(names_pending(&db, &schema).await, ["m2_endless"]);
    assert!(!has(&db, "marks").await);
}

async fn the_version_before_runs_on_a_newer_schema(scratch: Scratch) {
    let db = open(&scratch).await;
    db.migrate::<Whole>().await.expect("the newer");
    db.migrate::<Older>().await.expect("the version before");
    let plan = plan(&db, &Schema::of::<Older>()).await.expect("a plan");
    assert_eq!((plan.applied, plan.pending.len()), (1, 0));
    assert_eq!(plan.newer, ["m2_marks"]);
}

async fn a_service_that_does_not_migrate_leaves_it_to_the_command(scratch: Scratch) {
    let config = DatabaseConfig {
        migrate: Migrate::ByCommand,
        ..(*scratch).clone()
    };
    let db = open(&config).await;
    let refused = db.migrate::<Whole>().await.expect_err("nothing is there");
    assert!(refused.to_string().contains("m1_pupils"), "{refused}");
    assert!(!has(&db, "pupils").await);
    let applied = migrate(&db, &Schema::of::<Whole>(), Limits::default()).await;
    assert_eq!(applied.expect("applied"), ["m1_pupils", "m2_marks"]);
    db.migrate::<Whole>().await.expect("as it needs it");
}

async fn a_service_waits_for_the_command_as_long_as_it_may(scratch: Scratch) {
    let config = DatabaseConfig {
        migrate: Migrate::ByCommand,
        await_schema: Duration::from_secs(600),
        ..(*scratch).clone()
    };
    let db = open(&config).await;
    let mut starting = std::pin::pin!(db.migrate::<Whole>());
    let early = tokio::time::timeout(Duration::from_millis(100), &mut starting).await;
    assert!(early.is_err(), "{early:?}");
    let commander = open(&scratch).await;
    let applied = migrate(&commander, &Schema::of::<Whole>(), Limits::default()).await;
    assert_eq!(applied.expect("applied"), ["m1_pupils", "m2_marks"]);
    starting.await.expect("as it needs it");
}

async fn the_command_plans_and_applies(scratch: Scratch) {
    let schema = Schema::of::<Whole>();
    let run = async |config: &DatabaseConfig, plan: bool| {
        let order = Order {
            plan,
            ..Order::default()
        };
        let mut lines = Vec::new();
        let mut say = |line: &str| lines.push(line.to_owned());
        let ending = carry_out("roster", &schema, config, order, &mut say).await;
        (ending, lines.join("\n"))
    };
    let (ending, said) = run(&scratch, true).await;
    assert_eq!(ending, Ending::Pending);
    assert!(
        said.starts_with("roster: 2 of 2 migrations to apply\n  m1_pupils  in"),
        "{said}"
    );
    assert!(!has(&open(&scratch).await, "pupils").await);
    let (ending, said) = run(&scratch, false).await;
    assert_eq!(ending, Ending::UpToDate, "{said}");
    assert!(said.contains("m2_marks   applied in"), "{said}");
    let (ending, said) = run(&scratch, true).await;
    assert_eq!(ending, Ending::UpToDate);
    assert_eq!(said, "roster: up to date, 2 migrations applied");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_apart() {
    let nowhere = DatabaseConfig {
        acquire_timeout: Duration::from_millis(100),
        ..DatabaseConfig::new("postgres://nobody@127.0.0.1:1/nothing")
    };
    let schema = Schema::of::<Whole>();
    let mut say = |_: &str| {};
    let ending = carry_out("roster", &schema, &nowhere, Order::default(), &mut say).await;
    assert_eq!(ending, Ending::Unavailable);
}
