//! What the sender asks of the ledger besides taking and settling.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use super::deliveries::{Due, VISIBILITY};
use super::ledger_rows::{picked, recipient};
use crate::domain::party::Party;

impl Store {
    /// Whether anything is due by a channel at `now`, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_any_due(&self, channel: &str, now: i64) -> Result<bool, DbErr> {
        let db = self.db.read();
        let sql = "SELECT 1 FROM deliveries WHERE channel = $1 AND state = 1 \
                   AND next_attempt <= $2 LIMIT 1";
        let select = statement(db, sql, [channel.into(), now.into()]);
        Ok(db.query_one_raw(select).await?.is_some())
    }

    /// Takes at `now` what waits by a channel until exactly `at` for one recipient, as
    /// [`Store::claim`] does; both in milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_of(
        tx: &Tx,
        channel: &str,
        party: &Party,
        (at, now): (i64, i64),
        limit: u32,
    ) -> Result<Vec<Due>, DbErr> {
        let (kind, party) = recipient(party);
        let due = picked(
            tx,
            &format!(
                "FROM deliveries d JOIN messages m ON m.id = d.message \
                 WHERE d.channel = $1 AND d.state = 1 AND d.next_attempt = $2 AND m.ends_at > $3 \
                 AND d.kind = $4 AND d.recipient = $5 LIMIT {limit}"
            ),
        );
        let sql = format!(
            "UPDATE deliveries SET next_attempt = $6 WHERE {due} \
             RETURNING message, kind, recipient, channel, attempts"
        );
        let values = [
            channel.into(),
            at.into(),
            now.into(),
            kind.into(),
            party.into(),
            (now + VISIBILITY).into(),
        ];
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        Self::taken(tx, &rows).await
    }
}
