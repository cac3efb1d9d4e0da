//! What the sender asks of the ledger besides taking and settling.

use kit::bulk::{Column, listed, placeholders};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::deliveries::{Due, Hold, TAKEN};
use super::ledger_rows::{SAME, key_columns, picked, recipient};
use crate::domain::party::Party;

impl Store {
    /// Whether anything is due by a channel at `now`, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_any_due(&self, channel: &str, now: i64) -> Result<bool, DbErr> {
        let db = self.db.read();
        let sql = "SELECT 1 FROM deliveries WHERE channel = $1 AND state = 1 \
                   AND next_attempt <= $2 ORDER BY next_attempt LIMIT 1";
        let select = statement(db, sql, [channel.into(), now.into()]);
        Ok(db.query_one_raw(select).await?.is_some())
    }

    /// Takes what waits by a channel until exactly `at`, in milliseconds since 1970, for one recipient and
    /// was not gathered before, as [`Store::claim`] does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_of(
        tx: &Tx,
        channel: &str,
        party: &Party,
        (at, hold): (i64, Hold),
        limit: u32,
    ) -> Result<Vec<Due>, DbErr> {
        let (kind, party) = recipient(party);
        let due = picked(
            tx,
            &format!(
                "FROM deliveries d JOIN messages m ON m.id = d.message \
                 WHERE d.channel = $1 AND d.state = 1 AND d.next_attempt = $2 AND m.ends_at > $3 \
                 AND d.kind = $4 AND d.recipient = $5 AND d.parcel IS NULL LIMIT {limit}"
            ),
        );
        let sql = format!("UPDATE deliveries SET next_attempt = $6 WHERE {due} RETURNING {TAKEN}");
        let values = [
            channel.into(),
            at.into(),
            hold.now.into(),
            kind.into(),
            party.into(),
            hold.until.into(),
        ];
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        Self::taken(tx, &rows).await
    }

    /// Takes all that still waits of the parcels `keys`, whenever it is due. Whoever changes one of them
    /// meanwhile is waited for: no part is left behind to leave under the same key later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_parcels(
        tx: &Tx,
        channel: &str,
        keys: impl ExactSizeIterator<Item = String>,
        hold: Hold,
    ) -> Result<Vec<Due>, DbErr> {
        let places = placeholders(4, keys.len());
        let sql = format!(
            "UPDATE deliveries SET next_attempt = $2 WHERE channel = $1 AND state = 1 \
             AND parcel IN ({places}) AND EXISTS (SELECT 1 FROM messages m \
             WHERE m.id = deliveries.message AND m.ends_at > $3) RETURNING {TAKEN}"
        );
        let mut values: Vec<Value> = vec![channel.into(), hold.until.into(), hold.now.into()];
        values.extend(keys.map(Value::from));
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        Self::taken(tx, &rows).await
    }

    /// Keeps into which parcels deliveries were gathered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gather(tx: &Tx, gathered: &[Vec<Due>]) -> Result<(), DbErr> {
        let mut columns = key_columns(gathered.iter().flatten().map(|due| &due.key));
        let parcels = gathered.iter().flatten().map(|due| due.parcel.clone());
        let parcels = parcels.map(Option::unwrap_or_default).collect();
        columns.push(("parcel", Column::Text(parcels)));
        for (list, values) in listed(tx, columns) {
            let sql = format!(
                "WITH w (message, kind, recipient, channel, parcel) AS ({list}) \
                 UPDATE deliveries AS d SET parcel = NULLIF(w.parcel, '') FROM w WHERE {SAME}"
            );
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Ok(())
    }
}
