//! Histories: added to, never changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Store, unreadable};
use crate::domain::history::{Move, Moved};

row! {
    /// One entry of a history.
    MoveRow in "state_moves" by ["resource", "seq"] {
        /// The name of the resource.
        resource: String,
        /// 1, 2, 3 and so on.
        seq: i32,
        /// The state before.
        from_state: String,
        /// The state after.
        to_state: String,
        /// What was done.
        step: String,
        /// Who did it.
        actor: String,
        /// Milliseconds since 1970.
        moved_at: i64,
        /// Why.
        note: String,
    }
}

impl Store {
    /// Adds to the history of a resource that the transaction holds: who did it, and why.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_move(
        tx: &Tx,
        resource: &str,
        moved: &Move,
        (actor, note): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO state_moves \
             (resource, seq, from_state, to_state, step, actor, moved_at, note) \
             SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6, $7 \
             FROM state_moves WHERE resource = $1";
        let values = [
            resource.into(),
            moved.from.into(),
            moved.to.into(),
            moved.step.into(),
            actor.into(),
            now.timestamp_millis().into(),
            note.into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Begins the histories of new resources in the same way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_histories(
        tx: &Tx,
        resources: impl Iterator<Item = String>,
        moved: &Move,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let rows = resources.map(|resource| MoveRow {
            resource,
            seq: 1,
            from_state: moved.from.to_owned(),
            to_state: moved.to.to_owned(),
            step: moved.step.to_owned(),
            actor: actor.to_owned(),
            moved_at: now.timestamp_millis(),
            note: String::new(),
        });
        MoveRow::save(tx, &rows.collect::<Vec<_>>()).await
    }

    /// Adds one entry each to the histories of many resources that the transaction holds: the name, the
    /// place in the history, and what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_moves(
        tx: &Tx,
        entries: impl Iterator<Item = (String, i32, &Move)>,
        (actor, note): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let rows = entries.map(|(resource, seq, moved)| MoveRow {
            resource,
            seq,
            from_state: moved.from.to_owned(),
            to_state: moved.to.to_owned(),
            step: moved.step.to_owned(),
            actor: actor.to_owned(),
            moved_at: now.timestamp_millis(),
            note: note.to_owned(),
        });
        MoveRow::save(tx, &rows.collect::<Vec<_>>()).await
    }

    /// The history of a resource, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn history(db: &impl ConnectionTrait, resource: &str) -> Result<Vec<Moved>, DbErr> {
        let histories = Self::histories(db, std::iter::once(resource)).await?;
        Ok(histories.into_values().next().unwrap_or_default())
    }

    /// The histories of resources by their names, each oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn histories(
        db: &impl ConnectionTrait,
        resources: impl Iterator<Item = &str> + Send,
    ) -> Result<BTreeMap<String, Vec<Moved>>, DbErr> {
        let keys = resources.map(Into::into).collect();
        let mut histories: BTreeMap<String, Vec<Moved>> = BTreeMap::new();
        for row in MoveRow::find(db, "resource", keys, Lock::No).await? {
            let moved = Moved {
                from: row.from_state,
                to: row.to_state,
                step: row.step,
                actor: row.actor,
                at: DateTime::from_timestamp_millis(row.moved_at)
                    .ok_or_else(|| unreadable("instant"))?,
                note: row.note,
            };
            histories.entry(row.resource).or_default().push(moved);
        }
        Ok(histories)
    }
}
