//! What is due to be sent: taken by whoever sends, settled afterwards, expired when it is too late.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kit::bulk::placeholders;
use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::Store;
use super::ledger_rows::{self, Change, moved, picked};
use crate::domain::delivery::{Attempt, Key, State};
use crate::domain::message::{Message, Urgency};

/// When deliveries are taken, and from when on others may take them again: whoever took them has settled
/// them by then, or has stopped. Both in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When they are taken.
    pub now: i64,
    /// Until when nobody else gets them.
    pub until: i64,
}

/// What is told of a delivery that is taken.
pub(super) const TAKEN: &str = "message, kind, recipient, channel, attempts, parcel";

/// How many messages end in one transaction.
const OVER: u32 = 100;

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which one.
    pub key: Key,
    /// How many attempts were made before.
    pub attempts: i16,
    /// The key of the text into which it was gathered; none of what leaves by itself.
    pub parcel: Option<String>,
    /// What is to be told.
    pub message: Arc<Message>,
}

/// What became of a delivery that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which one.
    pub key: Key,
    /// What became of it.
    pub attempt: Attempt,
}

impl Store {
    /// Takes at most `limit` deliveries of a channel that are due, those that have waited longest first, and
    /// before them emergencies that were taken before. Nothing of a message that is over or was stopped is
    /// taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(tx: &Tx, channel: &str, hold: Hold, limit: u32) -> Result<Vec<Due>, DbErr> {
        Self::claim_those(tx, channel, hold, limit, "").await
    }

    /// As [`Store::claim`], of those that `and`, the rest of a condition over `deliveries d`, lets through.
    pub(super) async fn claim_those(
        tx: &Tx,
        channel: &str,
        hold: Hold,
        limit: u32,
        and: &str,
    ) -> Result<Vec<Due>, DbErr> {
        let mut rows = Vec::new();
        for first in [" AND d.ahead = TRUE", ""] {
            let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
            if left == 0 {
                break;
            }
            let due = picked(
                tx,
                &format!(
                    "FROM deliveries d JOIN messages m ON m.id = d.message \
                     WHERE d.channel = $1 AND d.state = 1 AND d.next_attempt <= $2 \
                     AND m.ends_at > $2{first}{and} ORDER BY d.next_attempt LIMIT {left}"
                ),
            );
            let sql = format!(
                "UPDATE deliveries SET next_attempt = $3, ahead = (SELECT m.urgency = {} \
                 FROM messages m WHERE m.id = deliveries.message) WHERE {due} RETURNING {TAKEN}",
                Urgency::Emergency as i16
            );
            let values = [channel.into(), hold.now.into(), hold.until.into()];
            rows.extend(tx.query_all_raw(statement(tx, &sql, values)).await?);
        }
        Self::taken(tx, &rows).await
    }

    /// What was taken, from rows of [`TAKEN`]: what presses first, and the oldest messages before others.
    pub(super) async fn taken(tx: &Tx, rows: &[QueryResult]) -> Result<Vec<Due>, DbErr> {
        let mut taken = Vec::with_capacity(rows.len());
        for row in rows {
            let attempts: i16 = row.try_get_by_index(4)?;
            let parcel: Option<String> = row.try_get_by_index(5)?;
            taken.push((ledger_rows::key(row)?, attempts, parcel));
        }
        taken.sort_unstable();
        let ids = taken.iter().map(|(key, ..)| key.message);
        let ids: BTreeSet<_> = ids.collect();
        let messages = Self::messages(tx, ids).await?.into_iter();
        let messages: BTreeMap<_, _> = messages
            .map(|(id, message)| (id, Arc::new(message)))
            .collect();
        let due = taken.into_iter().filter_map(|(key, attempts, parcel)| {
            let message = messages.get(&key.message)?.clone();
            Some(Due {
                key,
                attempts,
                parcel,
                message,
            })
        });
        let mut due: Vec<Due> = due.collect();
        due.sort_by_key(|due| Reverse(due.message.urgency));
        Ok(due)
    }

    /// Stores what became of deliveries at `now` (milliseconds since 1970). Those that a receipt has
    /// taken further meanwhile stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(tx: &Tx, outcomes: Vec<Outcome>, now: i64) -> Result<(), DbErr> {
        let outcomes = outcomes
            .into_iter()
            .map(|outcome| (outcome.key, outcome.attempt));
        let outcomes: BTreeMap<Key, Attempt> = outcomes.collect();
        let keys: Vec<Key> = outcomes.keys().cloned().collect();
        let (mut changes, mut figures) = (Vec::new(), BTreeMap::new());
        for standing in Self::locked_deliveries(tx, &keys).await? {
            let Some(attempt) = outcomes.get(&standing.key) else {
                continue;
            };
            let Ok(state) = standing.state.after(attempt.event()) else {
                continue;
            };
            moved(&mut figures, standing.key.message, standing.state, state);
            let made = i16::from(attempt.was_made());
            let attempts = standing.attempts.saturating_add(made);
            let failure = attempt.failure().map(|failure| failure as i16);
            let failure = failure.unwrap_or(standing.failure);
            let change = standing.to(state);
            changes.push(match *attempt {
                Attempt::Sent => Change {
                    attempts,
                    sent_at: now,
                    ..change
                },
                Attempt::Wait { until: at } | Attempt::Retry { at, .. } => Change {
                    attempts,
                    failure,
                    next_attempt: at.max(1),
                    ..change
                },
                Attempt::Dead(_) => Change {
                    attempts,
                    failure,
                    ..change
                },
                Attempt::Withdrawn => change,
            });
        }
        Self::change_deliveries(tx, &changes, figures).await
    }

    /// Ends at most `limit` queued deliveries of messages that are over at `now` (milliseconds since
    /// 1970) or were stopped; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(tx: &Tx, now: i64, limit: u32) -> Result<u64, DbErr> {
        let skip = match tx.backend() {
            Backend::Postgres => " FOR UPDATE SKIP LOCKED",
            Backend::Sqlite => "",
        };
        let sql = format!(
            "SELECT id FROM messages WHERE swept = FALSE AND ends_at <= $1 AND state <> 1 \
             ORDER BY ends_at LIMIT {OVER}{skip}"
        );
        let rows = tx.query_all_raw(statement(tx, &sql, [now.into()])).await?;
        let over = rows.iter().map(|row| row.try_get_by_index(0));
        let over: Vec<Uuid> = over.collect::<Result<_, _>>()?;
        if over.is_empty() {
            return Ok(0);
        }
        let ids = || over.iter().map(|id| Value::from(*id));
        let places = placeholders(1, over.len());
        let from = format!(
            "FROM deliveries d WHERE d.message IN ({places}) AND d.state = 1 LIMIT {limit}"
        );
        let sql = format!(
            "UPDATE deliveries SET state = {}, next_attempt = NULL WHERE {} RETURNING message",
            State::Expired as i16,
            picked(tx, &from)
        );
        let ended = tx.query_all_raw(statement(tx, &sql, ids())).await?;
        let mut figures = BTreeMap::new();
        for row in &ended {
            let message = row.try_get_by_index(0)?;
            moved(&mut figures, message, State::Queued, State::Expired);
        }
        Self::count_deliveries(tx, figures).await?;
        // Whoever is settling one of them has it locked: its message is looked at again.
        let sql = format!(
            "UPDATE messages SET swept = TRUE WHERE id IN ({places}) AND NOT EXISTS \
             (SELECT 1 FROM deliveries d WHERE d.message = messages.id AND d.state = 1)"
        );
        tx.execute_raw(statement(tx, &sql, ids())).await?;
        Ok(ended.len() as u64)
    }
}
