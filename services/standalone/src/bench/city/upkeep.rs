//! What PostgreSQL does by itself for its tables once a minute, done once a minute of a day that goes faster:
//! dead rows are cleared away, and how many rows there are is learned, on which plans of statements rest.

use std::time::Duration;

use chrono::TimeDelta;
use kit::clock::{Clock, ManualClock};
use kit::db::{Backend, Database, DatabaseConfig, statement};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How often the tables are looked at, by the clock of the services.
const EVERY: TimeDelta = TimeDelta::minutes(1);
/// How often that clock is.
const LOOK: Duration = Duration::from_millis(200);

/// The tables that have changed enough by the server's own measure, and whether they are to be cleared as well.
const CHANGED: &str = "SELECT relname, dead FROM (SELECT s.relname, \
     s.n_mod_since_analyze > 50 + 0.1 * GREATEST(c.reltuples, 0) AS other, \
     s.n_dead_tup > 50 + 0.2 * GREATEST(c.reltuples, 0) AS dead \
     FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid) t WHERE other OR dead ORDER BY relname";

/// Goes on until it is dropped.
pub(super) struct Upkeep {
    _tasks: JoinSet<()>,
}

impl Upkeep {
    /// Looks after these databases while `clock` goes on. SQLite keeps no such counts.
    pub(super) async fn begin(
        databases: [&DatabaseConfig; 3],
        clock: &ManualClock,
    ) -> Result<Self, DbErr> {
        let mut tasks = JoinSet::new();
        for config in databases {
            let db = Database::connect(config).await?;
            if db.backend() == Backend::Postgres {
                tasks.spawn(look_after(db, clock.clone()));
            }
        }
        Ok(Self { _tasks: tasks })
    }
}

async fn look_after(db: Database, clock: ManualClock) {
    let mut next = clock.now();
    loop {
        if clock.now() >= next {
            next = clock.now() + EVERY;
            if let Err(err) = once(&db).await {
                tracing::warn!(error = %err, "the tables cannot be looked after, trying again");
            }
        }
        sleep(LOOK).await;
    }
}

async fn once(db: &Database) -> Result<(), DbErr> {
    let changed = db.read().query_all_raw(statement(db.read(), CHANGED, []));
    for row in changed.await? {
        let (table, dead): (String, bool) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let clear = if dead { "VACUUM (ANALYZE)" } else { "ANALYZE" };
        db.read()
            .execute_unprepared(&format!("{clear} {table}"))
            .await?;
    }
    Ok(())
}
