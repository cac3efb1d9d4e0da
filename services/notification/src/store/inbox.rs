//! Inboxes: what is unread, and what came after. Each transaction that writes rows has a revision in
//! the order of commits, which inboxes are read on from.

use kit::db::statement;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};
use uuid::Uuid;

use super::ledger_rows::recipient;
use super::{Store, unreadable};
use crate::domain::party::Party;

/// A message in an inbox, and the revision at which it came.
pub type Arrival = (Uuid, i64);

impl Store {
    /// The revision of the latest transaction that wrote rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_revision(&self) -> Result<i64, DbErr> {
        let db = self.database().read();
        let select = statement(db, "SELECT value FROM messages_revision WHERE id = 1", []);
        let row = db.query_one_raw(select).await?;
        row.ok_or_else(|| unreadable("revision"))?
            .try_get_by_index(0)
    }

    /// What is unread in an inbox and came no later than at the revision `until`, after the message
    /// `after`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unread(
        &self,
        party: &Party,
        until: i64,
        after: Uuid,
        limit: u64,
    ) -> Result<Vec<Arrival>, DbErr> {
        let db = self.database().read();
        let sql = format!(
            "SELECT d.message, p.revision FROM deliveries d JOIN message_parts p \
             ON p.message = d.message AND p.part = d.part \
             WHERE d.kind = $1 AND d.recipient = $2 AND d.channel = 'inbox' AND d.state IN (2, 3) \
             AND d.message > $3 AND p.revision <= $4 ORDER BY d.message LIMIT {limit}"
        );
        let (kind, bytes) = recipient(party);
        let values = [kind.into(), bytes.into(), after.into(), until.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(arrival).collect()
    }

    /// What is unread in an inbox and came after the revision `after` and no later than at `until`, in
    /// the order in which it came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn arrivals(
        &self,
        party: &Party,
        (after, until): (i64, i64),
        limit: u64,
    ) -> Result<Vec<Arrival>, DbErr> {
        let db = self.database().read();
        let found = "d.message = p.message AND d.kind = $1 AND d.recipient = $2 \
                     AND d.channel = 'inbox' AND d.part = p.part AND d.state IN (2, 3)";
        // Each part is looked up by itself, whatever the statistics say.
        let (join, and) = match db.get_database_backend() {
            DbBackend::Postgres => (
                format!("LATERAL (SELECT 1 FROM deliveries d WHERE {found} OFFSET 0) d"),
                String::new(),
            ),
            _ => ("deliveries d".to_owned(), format!("{found} AND ")),
        };
        let sql = format!(
            "SELECT p.message, p.revision FROM message_parts p CROSS JOIN {join} \
             WHERE {and}p.revision > $3 AND p.revision <= $4 ORDER BY p.revision LIMIT {limit}"
        );
        let (kind, bytes) = recipient(party);
        let values = [kind.into(), bytes.into(), after.into(), until.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(arrival).collect()
    }
}

fn arrival(row: &QueryResult) -> Result<Arrival, DbErr> {
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}
