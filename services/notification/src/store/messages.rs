//! Messages: stored, read, stopped, and how many of their deliveries are in each state.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::bulk::{Column, insert, placeholders};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::message_rows::{MessageRow, row};
use crate::domain::delivery::{self, Counts};
use crate::domain::message::{Message, State};

/// How many recipients a message has so far, and how many deliveries are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many recipients.
    pub recipients: i64,
    /// How many deliveries.
    pub counts: Counts,
}

impl Figures {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        let Counts {
            queued,
            sent,
            delivered,
            read,
            failed,
            expired,
        } = other.counts;
        self.recipients += other.recipients;
        for (state, amount) in [
            (delivery::State::Queued, queued),
            (delivery::State::Sent, sent),
            (delivery::State::Delivered, delivered),
            (delivery::State::Read, read),
            (delivery::State::Failed, failed),
            (delivery::State::Expired, expired),
        ] {
            self.counts.add(state, amount);
        }
    }
}

impl Store {
    /// Stores a new message, to be expanded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_message(tx: &Tx, message: Message) -> Result<(), DbErr> {
        let figures = BTreeMap::from([(message.id, Figures::default())]);
        MessageRow::add(tx, &[row(message)]).await?;
        Self::count_deliveries(tx, figures).await
    }

    /// One message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Message>, DbErr> {
        let found = MessageRow::find(db, "id", vec![id.into()], Lock::No).await?;
        found.into_iter().next().map(Message::try_from).transpose()
    }

    /// One message, which nobody else changes until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message_to_change(tx: &Tx, id: Uuid) -> Result<Option<Message>, DbErr> {
        let found = MessageRow::find(tx, "id", vec![id.into()], Lock::Yes).await?;
        found.into_iter().next().map(Message::try_from).transpose()
    }

    /// Several messages by their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages(
        db: &impl ConnectionTrait,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<BTreeMap<Uuid, Message>, DbErr> {
        let ids = ids.into_iter().map(Value::from).collect();
        let found = MessageRow::find(db, "id", ids, Lock::No).await?;
        let read = found.into_iter().map(|row| Ok((row.id, row.try_into()?)));
        read.collect()
    }

    /// The messages that an organisation sent before `before`, newest first, without confidential ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_of(
        db: &impl ConnectionTrait,
        organization: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Message>, DbErr> {
        let sql = format!(
            "SELECT {} FROM messages WHERE organization = $1 AND id < $2 \
             AND confidential = FALSE ORDER BY id DESC LIMIT {limit}",
            MessageRow::COLUMNS.join(", ")
        );
        let values = [organization.into(), before.unwrap_or(Uuid::max()).into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let read = rows.iter().map(|row| MessageRow::read(row)?.try_into());
        read.collect()
    }

    /// Stores how far a message has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_progress(tx: &Tx, message: Message) -> Result<(), DbErr> {
        let MessageRow {
            id,
            state,
            expanded_at,
            phase,
            after,
            parts,
            ..
        } = row(message);
        let sql = "UPDATE messages SET state = $2, expanded_at = $3, phase = $4, after = $5, \
                   parts = $6 WHERE id = $1";
        let values = [
            id.into(),
            state.into(),
            expanded_at.into(),
            phase.into(),
            after.into(),
            parts.into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        if state != State::Expanding as i16 {
            Self::forget_targets(tx, id).await?;
        }
        Ok(())
    }

    /// Stores that a message was stopped: it ends now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_stopped(tx: &Tx, message: &Message, now: DateTime<Utc>) -> Result<(), DbErr> {
        let sql = "UPDATE messages SET state = $2, ends_at = $3 WHERE id = $1";
        let ends = now.min(message.expires).timestamp_millis();
        let values = [
            message.id.into(),
            (message.state as i16).into(),
            ends.into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Self::forget_targets(tx, message.id).await
    }

    async fn forget_targets(tx: &Tx, message: Uuid) -> Result<(), DbErr> {
        let sql = "DELETE FROM message_targets WHERE message = $1";
        tx.execute_raw(statement(tx, sql, [message.into()])).await?;
        Ok(())
    }

    /// The messages to be expanded, the most pressing and then the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expanding(&self, limit: u64) -> Result<Vec<Uuid>, DbErr> {
        let db = self.database().read();
        let sql = format!(
            "SELECT id FROM messages WHERE state = 1 ORDER BY urgency DESC, id LIMIT {limit}"
        );
        let rows = db.query_all_raw(statement(db, &sql, [])).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// Whether a message is over at `now`, or was stopped, and may have deliveries that are queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_any_over(&self, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let db = self.database().read();
        let sql = "SELECT 1 FROM messages WHERE swept = FALSE AND ends_at <= $1 AND state <> 1 \
                   ORDER BY ends_at LIMIT 1";
        let values = [now.timestamp_millis().into()];
        let row = db.query_one_raw(statement(db, sql, values)).await?;
        Ok(row.is_some())
    }

    /// Adds to the figures of messages. Rows are locked in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn count_deliveries(
        tx: &Tx,
        figures: BTreeMap<Uuid, Figures>,
    ) -> Result<(), DbErr> {
        let big = |of: fn(&Figures) -> i64| Column::Big(figures.values().map(of).collect());
        let columns = vec![
            ("message", Column::Uuid(figures.keys().copied().collect())),
            ("recipients", big(|one| one.recipients)),
            ("queued", big(|one| one.counts.queued)),
            ("sent", big(|one| one.counts.sent)),
            ("delivered", big(|one| one.counts.delivered)),
            ("read", big(|one| one.counts.read)),
            ("failed", big(|one| one.counts.failed)),
            ("expired", big(|one| one.counts.expired)),
        ];
        let added = columns[1..]
            .iter()
            .map(|(name, _)| format!("{name} = message_counts.{name} + excluded.{name}"));
        let added: Vec<String> = added.collect();
        let conflict = format!("ON CONFLICT (message) DO UPDATE SET {}", added.join(", "));
        insert(tx, "message_counts", columns, &conflict).await
    }

    /// The figures of messages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn figures(
        db: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> Result<BTreeMap<Uuid, Figures>, DbErr> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT message, recipients, queued, sent, delivered, read, failed, expired \
             FROM message_counts WHERE message IN ({})",
            placeholders(1, ids.len())
        );
        let values = ids.iter().map(|id| Value::from(*id));
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let read = rows.iter().map(|row| {
            let figures = Figures {
                recipients: row.try_get_by_index(1)?,
                counts: Counts {
                    queued: row.try_get_by_index(2)?,
                    sent: row.try_get_by_index(3)?,
                    delivered: row.try_get_by_index(4)?,
                    read: row.try_get_by_index(5)?,
                    failed: row.try_get_by_index(6)?,
                    expired: row.try_get_by_index(7)?,
                },
            };
            Ok((row.try_get_by_index(0)?, figures))
        });
        read.collect()
    }
}
