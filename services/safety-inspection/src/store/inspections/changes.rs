//! Who did what when: histories that only grow.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::{instant, small};
use crate::store::Store;

row! {
    /// One step of the history of a resource.
    ChangeRow in "inspection_changes" by ["resource", "step"] {
        /// The resource name.
        resource: String,
        /// Counts from 1.
        step: i32,
        /// The number of the state before; 0 for the first.
        from_state: i16,
        /// The number of the state after.
        to_state: i16,
        /// Who did it.
        actor: String,
        /// Why; may be empty.
        reason: String,
        /// Milliseconds since 1970.
        changed_at: i64,
    }
}

/// One step of the history of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of the state before; 0 for the first.
    pub from: i32,
    /// The number of the state after.
    pub to: i32,
    /// Who did it; empty for the service itself.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Adds a step to the history of a resource that the transaction holds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_inspection_change(
        tx: &Tx,
        resource: &str,
        change: Change,
    ) -> Result<(), DbErr> {
        let sql = "SELECT COALESCE(MAX(step), 0) FROM inspection_changes WHERE resource = $1";
        let row = tx
            .query_one_raw(statement(tx, sql, [resource.into()]))
            .await?;
        let last: i32 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        let row = ChangeRow {
            resource: resource.to_owned(),
            step: last + 1,
            from_state: small(change.from),
            to_state: small(change.to),
            actor: change.actor,
            reason: change.reason,
            changed_at: change.at.timestamp_millis(),
        };
        ChangeRow::save(tx, &[row]).await
    }

    /// The history of a resource, the first step first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection_changes(
        db: &impl ConnectionTrait,
        resource: &str,
    ) -> Result<Vec<Change>, DbErr> {
        let rows = ChangeRow::find(db, "resource", vec![resource.into()], Lock::No).await?;
        rows.into_iter()
            .map(|row| {
                Ok(Change {
                    from: row.from_state.into(),
                    to: row.to_state.into(),
                    at: instant(row.changed_at)?,
                    actor: row.actor,
                    reason: row.reason,
                })
            })
            .collect()
    }
}
