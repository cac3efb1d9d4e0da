//! The ledger, a page at a time.

use kit::db::{Backend, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ledger_rows::{self, GUARDIAN, recipient};
use super::message_rows::instant;
use super::{Store, below_end, unreadable};
use crate::domain::delivery::{Delivery, Failure, Key, State};

/// Where a list of deliveries goes on: after this kind, recipient and channel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LedgerKey {
    kind: i16,
    recipient: Vec<u8>,
    channel: String,
}

/// Where a list of dead letters goes on: after this channel and message, and there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeadKey {
    channel: String,
    message: Uuid,
    kind: i16,
    recipient: Vec<u8>,
}

impl From<&Key> for LedgerKey {
    fn from(key: &Key) -> Self {
        let (kind, recipient) = recipient(&key.recipient);
        Self {
            kind,
            recipient,
            channel: key.channel.clone(),
        }
    }
}

impl From<&Key> for DeadKey {
    fn from(key: &Key) -> Self {
        let (kind, recipient) = recipient(&key.recipient);
        Self {
            channel: key.channel.clone(),
            message: key.message,
            kind,
            recipient,
        }
    }
}

/// The kinds of recipients, in order.
const KINDS: [i16; 5] = [1, 2, 3, 6, GUARDIAN];

const COLUMNS: &str = "d.message, d.kind, d.recipient, d.channel, d.state, d.attempts, d.failure, \
                       d.next_attempt, d.sent_at, d.delivered_at, d.read_at";

impl Store {
    /// The deliveries of a message by recipient and channel: of everybody, or of those who belong at or
    /// below the place `within`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(
        &self,
        message: Uuid,
        within: Option<&str>,
        state: Option<State>,
        after: Option<LedgerKey>,
        limit: u64,
    ) -> Result<Vec<Delivery>, DbErr> {
        let db = self.database().read();
        let after = after.unwrap_or_default();
        let and_state = state.map_or_else(String::new, |state| {
            format!(" AND d.state = {}", state as i16)
        });
        let Some(place) = within else {
            let sql = format!(
                "SELECT {COLUMNS} FROM deliveries d WHERE d.message = $1 \
                 AND (d.kind, d.recipient, d.channel) > ($2, $3, $4){and_state} \
                 ORDER BY d.kind, d.recipient, d.channel LIMIT {limit}"
            );
            let values = [
                message.into(),
                after.kind.into(),
                after.recipient.into(),
                after.channel.into(),
            ];
            let rows = db.query_all_raw(statement(db, &sql, values)).await?;
            return rows.iter().map(delivery).collect();
        };
        let mut found = Vec::new();
        for kind in KINDS.into_iter().filter(|kind| *kind >= after.kind) {
            let left = limit - found.len() as u64;
            if left == 0 {
                break;
            }
            let (from, at) = self.belongs(kind);
            let sql = format!(
                "SELECT {COLUMNS} FROM {from} AND d.message = $1 AND d.kind = $2 \
                 AND (d.recipient, d.channel) > ($3, $4) \
                 AND ({at} = $5 OR ({at} > $6 AND {at} < $7)){and_state} \
                 ORDER BY d.recipient, d.channel LIMIT {left}"
            );
            let (recipient, channel) = if kind == after.kind {
                (after.recipient.clone(), after.channel.clone())
            } else {
                Default::default()
            };
            let values: [Value; 7] = [
                message.into(),
                kind.into(),
                recipient.into(),
                channel.into(),
                place.into(),
                format!("{place}/").into(),
                below_end(place).into(),
            ];
            for row in &db.query_all_raw(statement(db, &sql, values)).await? {
                found.push(delivery(row)?);
            }
        }
        Ok(found)
    }

    /// Deliveries of recipients of a kind beside where these belong, and the column of the place.
    fn belongs(&self, kind: i16) -> (&'static str, &'static str) {
        match (kind, self.database().backend()) {
            (3, Backend::Postgres) => (
                "organizations o JOIN deliveries d ON d.recipient = convert_to(o.id, 'UTF8')",
                "o.org_path",
            ),
            (3, Backend::Sqlite) => (
                "organizations o JOIN deliveries d ON d.recipient = CAST(o.id AS BLOB)",
                "o.org_path",
            ),
            // A range, so that it is looked up: the bytes of a guardian begin with those of the pupil.
            (GUARDIAN, Backend::Postgres) => (
                "people p JOIN deliveries d ON p.kind = 1 AND d.recipient > uuid_send(p.person) \
                 AND d.recipient < uuid_send(p.person) || '\\xffffffffffffffffffffffffffffffffff'::bytea",
                "p.place",
            ),
            (GUARDIAN, Backend::Sqlite) => (
                "people p JOIN deliveries d ON p.kind = 1 AND p.person = substr(d.recipient, 1, 16)",
                "p.place",
            ),
            (6, Backend::Postgres) => (
                "people p JOIN deliveries d ON p.kind = 1 AND d.recipient = uuid_send(p.person)",
                "p.place",
            ),
            (6, Backend::Sqlite) => (
                "people p JOIN deliveries d ON p.kind = 1 AND d.recipient = p.person",
                "p.place",
            ),
            (_, Backend::Postgres) => (
                "people p JOIN deliveries d ON p.kind = d.kind AND d.recipient = uuid_send(p.person)",
                "p.place",
            ),
            (_, Backend::Sqlite) => (
                "people p JOIN deliveries d ON p.kind = d.kind AND d.recipient = p.person",
                "p.place",
            ),
        }
    }

    /// The dead letters of messages that were sent at or below a place, without confidential ones, by
    /// channel, oldest first, each with the organisation id of the sender.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_letters(
        &self,
        place: &str,
        channel: Option<&str>,
        after: Option<DeadKey>,
        limit: u64,
    ) -> Result<Vec<(String, Delivery)>, DbErr> {
        let db = self.database().read();
        let after = after.unwrap_or_default();
        let mut values: Vec<Value> = vec![
            after.channel.into(),
            after.message.into(),
            after.kind.into(),
            after.recipient.into(),
        ];
        let mut only = String::new();
        if let Some(channel) = channel {
            values.push(channel.into());
            only = format!(" AND d.channel = ${}", values.len());
        }
        if !place.is_empty() {
            let next = values.len() + 1;
            values.extend([
                place.into(),
                format!("{place}/").into(),
                below_end(place).into(),
            ]);
            only.push_str(&format!(
                " AND (m.org_path = ${next} OR (m.org_path > ${} AND m.org_path < ${}))",
                next + 1,
                next + 2
            ));
        }
        let sql = format!(
            "SELECT {COLUMNS}, m.organization FROM deliveries d JOIN messages m ON m.id = d.message \
             AND m.confidential = FALSE \
             WHERE d.state = 5 AND (d.channel, d.message, d.kind, d.recipient) > ($1, $2, $3, $4)\
             {only} ORDER BY d.channel, d.message, d.kind, d.recipient LIMIT {limit}"
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(11)?, delivery(row)?)))
            .collect()
    }
}

fn delivery(row: &QueryResult) -> Result<Delivery, DbErr> {
    let time = |place: usize| {
        let millis: Option<i64> = row.try_get_by_index(place)?;
        let time = millis.map(|millis| instant(millis).ok_or_else(|| unreadable("instant")));
        time.transpose()
    };
    Ok(Delivery {
        key: ledger_rows::key(row)?,
        state: ledger_rows::state(row.try_get_by_index(4)?)?,
        attempts: row.try_get_by_index(5)?,
        failure: Failure::from_number(row.try_get_by_index(6)?),
        next_attempt: time(7)?,
        sent: time(8)?,
        delivered: time(9)?,
        read: time(10)?,
    })
}
