//! What was over long ago is removed, a few rows in each transaction.

use cap::NEVER;
use std::collections::{BTreeMap, BTreeSet};

use kit::bulk::{Column, insert, placeholders};
use kit::db::{Backend, Tx, statement};
use kit::rows::execute_in;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::ledger_rows::{picked, state};
use crate::domain::delivery::{INBOX, State};

/// How many messages or records are looked at in one transaction.
pub(super) const TOGETHER: usize = 100;
/// How many warnings are: one has up to a thousand documents.
const WARNINGS: usize = 10;

/// A warning that is over: nothing came since $1, and it was called off, has expired or (at $2) never does.
const WARNING_OVER: &str = "joined = id AND came_at < $1 \
    AND (cancelled = TRUE OR expires_at < $1 OR expires_at = $2)";
/// A written document `e` of a message that is gone, when none of the message was sent since $1.
const EXPORT_OVER: &str = "e.sent_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = e.message) \
    AND NOT EXISTS (SELECT 1 FROM warning_exports later \
    WHERE later.message = e.message AND later.sent_at >= $1)";

/// What was removed of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many deliveries by their last state. What was never read in an inbox counts as expired: its
    /// message was over.
    pub deliveries: BTreeMap<State, u64>,
    /// How many messages.
    pub messages: u64,
}

impl Store {
    /// Whether there is any message that was over before `messages`, any warning that was before `warnings`,
    /// or any record of documents to be removed with it; both in milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_anything_old(&self, messages: i64, warnings: i64) -> Result<bool, DbErr> {
        let db = self.database().read();
        let sql = format!(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM warnings WHERE {WARNING_OVER}) \
             OR EXISTS (SELECT 1 FROM warning_exports e WHERE {EXPORT_OVER}) \
             OR EXISTS (SELECT 1 FROM messages WHERE swept = TRUE AND ends_at < $3)"
        );
        let values: [Value; 3] = [warnings.into(), NEVER.into(), messages.into()];
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        Ok(row.is_some())
    }

    /// Removes messages that were over before `before` (milliseconds since 1970), with texts, ledger and
    /// documents: at most `limit` deliveries, and a message with its last one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_messages(tx: &Tx, before: i64, limit: u32) -> Result<Removed, DbErr> {
        let sql = format!(
            "SELECT id FROM messages WHERE swept = TRUE AND ends_at < $1 \
             ORDER BY ends_at LIMIT {TOGETHER}{}",
            skip(tx)
        );
        let over = firsts(tx, &sql, vec![before.into()]).await?;
        Self::remove_of(tx, &over, limit).await
    }

    /// Removes of these messages, which are over, at most `limit` deliveries, and a message with its last
    /// one.
    pub(super) async fn remove_of(tx: &Tx, over: &[Uuid], limit: u32) -> Result<Removed, DbErr> {
        let mut removed = Removed::default();
        if over.is_empty() {
            return Ok(removed);
        }
        let marks = placeholders(1, over.len());
        let from = format!("FROM deliveries d WHERE d.message IN ({marks}) LIMIT {limit}");
        let sql = format!(
            "DELETE FROM deliveries WHERE {} RETURNING state, channel",
            picked(tx, &from)
        );
        for row in tx.query_all_raw(statement(tx, &sql, ids(over))).await? {
            let (last, channel) = (state(row.try_get_by_index(0)?)?, row.try_get_by_index(1)?);
            *removed
                .deliveries
                .entry(counted(last, channel))
                .or_default() += 1;
        }
        let sql = format!(
            "DELETE FROM messages WHERE id IN ({marks}) AND NOT EXISTS \
             (SELECT 1 FROM deliveries d WHERE d.message = messages.id) RETURNING id"
        );
        let gone = firsts(tx, &sql, ids(over)).await?;
        for (table, column) in [
            ("message_counts", "message"),
            ("message_parts", "message"),
            ("message_targets", "message"),
            ("warning_carriers", "carrier"),
        ] {
            let sql = format!("DELETE FROM {table} WHERE {column}");
            execute_in(tx, &sql, &[], ids(&gone)).await?;
        }
        removed.messages = gone.len() as u64;
        Ok(removed)
    }

    /// Removes a few warnings of other systems that came, and were over, before `before` (milliseconds since
    /// 1970), with all of their documents; one that never expires is over when nothing more came. Says how
    /// many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_warnings(tx: &Tx, before: i64) -> Result<u64, DbErr> {
        let sql = format!(
            "SELECT id, sender FROM warnings WHERE {WARNING_OVER} ORDER BY came_at LIMIT {WARNINGS}"
        );
        let limits: [Value; 2] = [before.into(), NEVER.into()];
        let (mut found, mut senders) = (Vec::new(), BTreeSet::<String>::new());
        for row in &tx
            .query_all_raw(statement(tx, &sql, limits.clone()))
            .await?
        {
            found.push(row.try_get_by_index(0)?);
            senders.insert(row.try_get_by_index(1)?);
        }
        if found.is_empty() {
            return Ok(0);
        }
        // Whoever joins a document to one of them has locked its sender: the chain is looked at again.
        let senders = vec![("sender", Column::Text(senders.into_iter().collect()))];
        let conflict = "ON CONFLICT (sender) DO UPDATE SET sender = excluded.sender";
        insert(tx, "warning_senders", senders, conflict).await?;
        let marks = placeholders(3, found.len());
        let sql =
            format!("DELETE FROM warnings WHERE {WARNING_OVER} AND id IN ({marks}) RETURNING id");
        let values = limits.into_iter().chain(ids(&found)).collect();
        let gone: Vec<Uuid> = firsts(tx, &sql, values).await?;
        let documents = "DELETE FROM warning_texts WHERE (sender, identifier, sent_at) IN \
                         (SELECT sender, identifier, sent_at FROM warning_documents WHERE warning";
        if !gone.is_empty() {
            let sql = format!("{documents} IN ({}))", placeholders(1, gone.len()));
            tx.execute_raw(statement(tx, &sql, ids(&gone))).await?;
        }
        for (table, column) in [
            ("warning_documents", "warning"),
            ("warning_divisions", "warning"),
            ("warnings", "joined"),
        ] {
            let sql = format!("DELETE FROM {table} WHERE {column}");
            execute_in(tx, &sql, &[], ids(&gone)).await?;
        }
        Ok(gone.len() as u64)
    }

    /// Removes the record of documents that this service wrote of messages which are gone, when the last of
    /// a message was sent before `before` (milliseconds since 1970): as long as the message is there, the
    /// next document must not be taken for the first. Says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_exports(tx: &Tx, before: i64) -> Result<u64, DbErr> {
        let sql = format!(
            "DELETE FROM warning_exports WHERE message IN (SELECT DISTINCT e.message \
             FROM warning_exports e WHERE {EXPORT_OVER} LIMIT {TOGETHER})"
        );
        let removed = tx.execute_raw(statement(tx, &sql, [before.into()])).await?;
        Ok(removed.rows_affected())
    }
}

/// The state by which a delivery counts whose message was over.
fn counted(last: State, channel: String) -> State {
    match last {
        State::Sent | State::Delivered if channel == INBOX => State::Expired,
        State::Queued
        | State::Sent
        | State::Delivered
        | State::Read
        | State::Failed
        | State::Expired => last,
    }
}

/// Rows that somebody else is at are passed over.
pub(super) fn skip(tx: &Tx) -> &'static str {
    match tx.backend() {
        Backend::Postgres => " FOR UPDATE SKIP LOCKED",
        Backend::Sqlite => "",
    }
}

pub(super) fn ids(ids: &[Uuid]) -> Vec<Value> {
    ids.iter().map(|id| (*id).into()).collect()
}

/// The first column of the rows of a statement.
pub(super) async fn firsts(tx: &Tx, sql: &str, values: Vec<Value>) -> Result<Vec<Uuid>, DbErr> {
    let rows = tx.query_all_raw(statement(tx, sql, values)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
