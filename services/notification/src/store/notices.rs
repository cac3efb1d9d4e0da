//! The queue of what people are told about concerns and care: filled in the transaction that makes
//! it necessary, emptied by whoever sends messages.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Store, unreadable};
use crate::domain::notice::{Event, Notice};
use crate::domain::party::Party;

/// How long what was told is kept.
const KEPT: Duration = Duration::days(30);

row! {
    /// Somebody to be told of something.
    NoticeRow in "notices" by ["id"] {
        /// Follows from what happened.
        id: Uuid,
        /// The number of the event.
        event: i16,
        /// The resource name.
        basis: String,
        /// Who is told.
        party: String,
        /// What those of one message have in common.
        together: String,
        /// Milliseconds since 1970.
        create_at: i64,
        /// What a template is filled with, as JSON.
        details: String,
        /// It was taken from the queue.
        done: bool,
    }
}

/// One message: who is told of how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What happened.
    pub event: Event,
    /// Who is told.
    pub party: Party,
    /// The resource names.
    pub bases: Vec<String>,
    /// What a template is filled with, besides how many there are: of the first.
    pub details: BTreeMap<String, String>,
}

impl Store {
    /// Puts notices into the queue. One that is there, or was told, is not told again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell(tx: &Tx, notices: Vec<Notice>, now: DateTime<Utc>) -> Result<(), DbErr> {
        let row = |notice: Notice| NoticeRow {
            id: notice.id,
            event: notice.event as i16,
            basis: notice.basis,
            party: notice.party.name(),
            together: notice.together,
            create_at: now.timestamp_millis(),
            details: serde_json::to_string(&notice.details).unwrap_or_default(),
            done: false,
        };
        let rows: Vec<NoticeRow> = notices.into_iter().map(row).collect();
        NoticeRow::add(tx, &rows).await
    }

    /// Takes at most `limit` messages from the queue. Whoever takes one sends it, or makes sure that
    /// it will be sent, in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_notices(tx: &Tx, limit: u64) -> Result<Vec<Message>, DbErr> {
        // Of two replicas that find the same rows, the second waits for the first and then finds
        // them done.
        let sql = format!(
            "UPDATE notices SET done = TRUE WHERE done = FALSE AND together IN (\
             SELECT together FROM notices WHERE done = FALSE GROUP BY together \
             ORDER BY MIN(create_at), together LIMIT {limit}) RETURNING {}",
            NoticeRow::COLUMNS.join(", ")
        );
        let mut messages: BTreeMap<String, Message> = BTreeMap::new();
        for row in tx.query_all_raw(statement(tx, &sql, [])).await? {
            let row = NoticeRow::read(&row)?;
            let event = Event::ALL.into_iter().find(|it| *it as i16 == row.event);
            let event = event.ok_or_else(|| unreadable("event of a notice"))?;
            let party = Party::parse(&row.party).ok_or_else(|| unreadable("party"))?;
            let details = serde_json::from_str(&row.details).map_err(|_| unreadable("details"))?;
            let message = messages.entry(row.together).or_insert_with(|| Message {
                event,
                party,
                bases: Vec::new(),
                details,
            });
            message.bases.push(row.basis);
        }
        let sorted = |mut message: Message| {
            message.bases.sort();
            message
        };
        Ok(messages.into_values().map(sorted).collect())
    }

    /// Forgets what was told long ago, `limit` rows at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_notices(tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<(), DbErr> {
        let until = (now - KEPT).timestamp_millis();
        let sql = format!(
            "DELETE FROM notices WHERE id IN (SELECT id FROM notices \
             WHERE done = TRUE AND create_at < $1 ORDER BY create_at LIMIT {limit})"
        );
        tx.execute_raw(statement(tx, &sql, [until.into()])).await?;
        Ok(())
    }
}
