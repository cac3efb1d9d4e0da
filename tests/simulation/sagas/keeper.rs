//! A service that keeps records of emergencies: it hears from the roster what has to be destroyed, destroys it
//! and reports it, all of it with the code that every such service has. Several replicas run on one database.

use std::sync::Arc;

use kit::auth::{AuthConfig, Credentials};
use kit::channel::Channel;
use kit::db::{Database, Tx, statement};
use kit::destruction::{Batch, Destroyer, Order, Reporter, Runner, hear};
use kit::drain::Drain;
use kit::projection::{Projection, follow};
use kit::upstream::RosterUpstream;
use proto::roster::RosterEvent;
use sea_orm::{ConnectionTrait, DbErr};

use crate::world::VirtualClock;

/// The records.
pub(super) const RECORDS: &str =
    "CREATE TABLE records (id BIGINT PRIMARY KEY, emergency TEXT NOT NULL,
    category TEXT NOT NULL)";
/// What they are of.
pub(super) const CATEGORIES: [&str; 2] = ["visits", "contacts"];
/// How many are destroyed in one transaction.
const TOGETHER: i64 = 3;

/// Runs a replica of `service` until it dies.
pub(super) async fn replica(
    service: &'static str,
    db: Database,
    channel: Channel,
) -> turmoil::Result {
    let (clock, drain) = (Arc::new(VirtualClock), Drain::new());
    let credentials = Credentials::new(&AuthConfig::development(), service, clock.clone());
    let upstream = RosterUpstream::new(channel.clone(), credentials.clone());
    let runner = Runner {
        db: db.clone(),
        clock,
        destroyer: Records,
        vault: None,
        reporter: Reporter::new(service, channel, credentials),
    };
    runner.start(drain.clone());
    follow(db, upstream, Arc::new(Orders(service)), None, drain).await?;
    Ok(())
}

/// Hears what has to be destroyed.
#[derive(Debug)]
struct Orders(&'static str);

#[async_trait::async_trait]
impl Projection for Orders {
    type Event = RosterEvent;

    fn name(&self) -> &'static str {
        "orders"
    }

    async fn apply(&self, tx: &Tx, events: &[RosterEvent], _: i64) -> Result<(), DbErr> {
        hear(tx, self.0, events).await
    }

    async fn sweep(&self, _: &Tx, _: i64) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Deletes records, a few at a time.
#[derive(Clone, Copy, Debug)]
struct Records;

#[async_trait::async_trait]
impl Destroyer for Records {
    fn categories(&self) -> &'static [&'static str] {
        &CATEGORIES
    }

    async fn destroy(
        &self,
        tx: &Tx,
        order: &Order,
        category: &str,
        _: &str,
    ) -> Result<Batch, DbErr> {
        if order.kept.contains(category) {
            return Ok(Batch::default());
        }
        let delete = statement(
            tx,
            "DELETE FROM records WHERE id IN (SELECT id FROM records \
             WHERE emergency = $1 AND category = $2 ORDER BY id LIMIT $3)",
            [
                order.emergency.hyphenated().to_string().into(),
                category.into(),
                TOGETHER.into(),
            ],
        );
        let deleted = tx.execute_raw(delete).await?.rows_affected();
        let destroyed = i64::try_from(deleted).unwrap_or(i64::MAX);
        Ok(Batch {
            cursor: (destroyed == TOGETHER).then(|| "more".to_owned()),
            destroyed,
            ..Batch::default()
        })
    }

    async fn remaining(&self, db: &Database, order: &Order, category: &str) -> Result<i64, DbErr> {
        let count = statement(
            db.read(),
            "SELECT count(*) FROM records WHERE emergency = $1 AND category = $2",
            [
                order.emergency.hyphenated().to_string().into(),
                category.into(),
            ],
        );
        let row = db.read().query_one_raw(count).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }
}
