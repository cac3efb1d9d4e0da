//! How far the audit logs were read for broken glasses, and where the tree begins.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;

impl Store {
    /// The record up to which the log of `service` was read; 0 at first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn glass_read(&self, service: &str) -> Result<i64, DbErr> {
        let sql = "SELECT sequence FROM break_glass_read WHERE service = $1";
        let db = self.db.read();
        match db
            .query_one_raw(statement(db, sql, [service.into()]))
            .await?
        {
            Some(row) => row.try_get_by_index(0),
            None => Ok(0),
        }
    }

    /// Notes that the log of `service` was read on from one record to another; false when another replica
    /// did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_glass_read(
        tx: &Tx,
        service: &str,
        (from, to): (i64, i64),
    ) -> Result<bool, DbErr> {
        let sql = "INSERT INTO break_glass_read (service, sequence) VALUES ($1, 0) \
                   ON CONFLICT DO NOTHING";
        tx.execute_raw(statement(tx, sql, [service.into()])).await?;
        let sql = "UPDATE break_glass_read SET sequence = $3 WHERE service = $1 AND sequence = $2";
        let values = [service.into(), from.into(), to.into()];
        let moved = tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(moved.rows_affected() == 1)
    }

    /// The place of the organisation at the root of the tree; none before the register told it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn root_place(tx: &Tx) -> Result<Option<String>, DbErr> {
        let sql = "SELECT org_path FROM organizations \
                   WHERE addressable = TRUE AND org_path NOT LIKE '%/%' ORDER BY org_path LIMIT 1";
        match tx.query_one_raw(statement(tx, sql, [])).await? {
            Some(row) => row.try_get_by_index(0),
            None => Ok(None),
        }
    }
}
