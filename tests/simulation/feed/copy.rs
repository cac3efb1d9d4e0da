//! Another service that keeps a copy of what the feed tells, in several replicas on one database of its own.

use std::sync::Arc;

use kit::auth::{AuthConfig, Credentials};
use kit::channel::Channel;
use kit::db::{Database, Tx, statement};
use kit::drain::Drain;
use kit::projection::{Projection, follow};
use kit::upstream::RosterUpstream;
use proto::roster::RosterEvent;
use sea_orm::{ConnectionTrait, DbErr};

use super::clients::event;
use crate::world::VirtualClock;

/// The copy, and each change that was applied to it in a generation: once, or it is refused.
pub(super) const TABLES: [&str; 2] = [
    "CREATE TABLE copies (entity TEXT PRIMARY KEY, version BIGINT NOT NULL, removed BOOLEAN NOT NULL,
        mark TEXT NOT NULL, generation BIGINT NOT NULL)",
    "CREATE TABLE effects (generation BIGINT NOT NULL, entity TEXT NOT NULL, version BIGINT NOT NULL,
        PRIMARY KEY (generation, entity, version))",
];

/// Runs a replica until it dies.
pub(super) async fn replica(db: Database, channel: Channel) -> turmoil::Result {
    let credentials = Credentials::new(
        &AuthConfig::development(),
        "simulation",
        Arc::new(VirtualClock),
    );
    let upstream = RosterUpstream::new(channel, credentials);
    follow(db, upstream, Arc::new(Copies), None, Drain::new()).await?;
    Ok(())
}

/// Keeps the copy.
#[derive(Debug)]
struct Copies;

#[async_trait::async_trait]
impl Projection for Copies {
    type Event = RosterEvent;

    fn name(&self) -> &'static str {
        "copies"
    }

    async fn apply(&self, tx: &Tx, events: &[RosterEvent], generation: i64) -> Result<(), DbErr> {
        for told in events {
            let select = statement(
                tx,
                "SELECT version FROM copies WHERE entity = $1",
                [told.entity.clone().into()],
            );
            let row = tx.query_one_raw(select).await?;
            let known: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
            if known.is_some_and(|known| known >= told.version) {
                let update = statement(
                    tx,
                    "UPDATE copies SET generation = $2 WHERE entity = $1",
                    [told.entity.clone().into(), generation.into()],
                );
                tx.execute_raw(update).await?;
                continue;
            }
            let upsert = statement(
                tx,
                "INSERT INTO copies (entity, version, removed, mark, generation) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (entity) DO UPDATE SET \
                 version = excluded.version, removed = excluded.removed, mark = excluded.mark, \
                 generation = excluded.generation",
                [
                    told.entity.clone().into(),
                    told.version.into(),
                    told.removed.into(),
                    event(told).mark.into(),
                    generation.into(),
                ],
            );
            tx.execute_raw(upsert).await?;
            let effect = statement(
                tx,
                "INSERT INTO effects (generation, entity, version) VALUES ($1, $2, $3)",
                [
                    generation.into(),
                    told.entity.clone().into(),
                    told.version.into(),
                ],
            );
            tx.execute_raw(effect).await?;
        }
        Ok(())
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        let delete = statement(
            tx,
            "DELETE FROM copies WHERE generation < $1",
            [generation.into()],
        );
        tx.execute_raw(delete).await?;
        Ok(())
    }
}
