//! Receipts of deliveries, and dead letters that are sent again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::bulk::{keys, listed};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::ledger_rows::{Change, SAME, key_columns, moved};
use crate::domain::delivery::{Event, Failure, Fate, Key, Receipt, State};

/// The sender of a message: organisation id and place.
pub type Sender = (String, String);

impl Store {
    /// Stores receipts; says of each whether it changed something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_receipts(tx: &Tx, receipts: &[&Receipt]) -> Result<Vec<bool>, DbErr> {
        let mut told: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
        for (index, receipt) in receipts.iter().enumerate() {
            told.entry(&receipt.key).or_default().push(index);
        }
        let keys: Vec<Key> = told.keys().map(|key| (*key).clone()).collect();
        let mut changed = vec![false; receipts.len()];
        let (mut changes, mut figures) = (Vec::new(), BTreeMap::new());
        for standing in Self::locked_deliveries(tx, &keys).await? {
            let before = standing.state;
            let told = told.get(&standing.key).map_or(&[][..], Vec::as_slice);
            let mut change = standing.to(before);
            for index in told {
                let receipt = receipts[*index];
                let Ok(state) = change.state.after(receipt.event()) else {
                    continue;
                };
                let millis = receipt.time.timestamp_millis();
                match receipt.fate {
                    Fate::Delivered => change.delivered_at = millis,
                    Fate::Read => change.read_at = millis,
                    Fate::Failed(failure) => change.failure = failure as i16,
                }
                change.state = state;
                changed[*index] = true;
            }
            if change.state != before {
                moved(&mut figures, change.key.message, before, change.state);
                changes.push(change);
            }
        }
        Self::change_deliveries(tx, &changes, figures).await?;
        Ok(changed)
    }

    /// Queues dead letters once more, with a new budget of attempts; says how many. Those of messages
    /// that are over or were stopped stay where they are. An address at which nobody was said to be gets
    /// another chance.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resend(tx: &Tx, keys: BTreeSet<Key>, now: DateTime<Utc>) -> Result<u64, DbErr> {
        let keys: Vec<Key> = keys.into_iter().collect();
        let millis = now.timestamp_millis();
        let open = Self::open_messages(tx, keys.iter().map(|key| key.message), millis).await?;
        let again = keys.iter().filter(|key| open.contains(&key.message));
        let again: Vec<Key> = again.cloned().collect();
        clear_unreachable(tx, &again).await?;
        let (mut changes, mut figures) = (Vec::new(), BTreeMap::new());
        for standing in Self::locked_deliveries(tx, &keys).await? {
            let before = standing.state;
            let Ok(state) = before.after(Event::Resend) else {
                continue;
            };
            if !open.contains(&standing.key.message) {
                continue;
            }
            moved(&mut figures, standing.key.message, before, state);
            changes.push(Change {
                attempts: 0,
                failure: 0,
                next_attempt: millis,
                ..standing.to(state)
            });
        }
        Self::change_deliveries(tx, &changes, figures).await?;
        Ok(changes.len() as u64)
    }

    /// Those of the messages that are not over. They stay so until the end of the transaction.
    async fn open_messages(
        tx: &Tx,
        ids: impl Iterator<Item = Uuid>,
        now: i64,
    ) -> Result<BTreeSet<Uuid>, DbErr> {
        let ids: BTreeSet<Uuid> = ids.collect();
        let share = match tx.backend() {
            kit::db::Backend::Postgres => " FOR SHARE",
            kit::db::Backend::Sqlite => "",
        };
        let mut open = BTreeSet::new();
        for (list, part) in keys(2, ids.into_iter().map(Value::from).collect()) {
            let sql = format!(
                "SELECT id FROM messages WHERE ends_at > $1 AND id IN ({list}) ORDER BY id{share}"
            );
            let values = std::iter::once(now.into()).chain(part);
            for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
                open.insert(row.try_get_by_index(0)?);
            }
        }
        Ok(open)
    }

    /// Who sent messages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn senders(
        db: &impl ConnectionTrait,
        ids: BTreeSet<Uuid>,
    ) -> Result<BTreeMap<Uuid, Sender>, DbErr> {
        let mut senders = BTreeMap::new();
        for (list, part) in keys(1, ids.into_iter().map(Value::from).collect()) {
            let sql =
                format!("SELECT id, organization, org_path FROM messages WHERE id IN ({list})");
            for row in &db.query_all_raw(statement(db, &sql, part)).await? {
                let sender = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                senders.insert(row.try_get_by_index(0)?, sender);
            }
        }
        Ok(senders)
    }
}

/// Lets go of what a provider said of the addresses of dead letters. Contact points are locked before
/// deliveries, as where attempts are settled.
async fn clear_unreachable(tx: &Tx, keys: &[Key]) -> Result<(), DbErr> {
    for (list, values) in listed(tx, key_columns(keys.iter())) {
        let sql = format!(
            "WITH w (message, kind, recipient, channel) AS ({list}) \
             UPDATE contact_points SET unreachable = FALSE WHERE unreachable = TRUE \
             AND (party_kind, party, channel) IN (SELECT d.kind, d.recipient, d.channel \
             FROM w JOIN deliveries d ON {SAME} WHERE d.state = {} AND d.failure = {})",
            State::Failed as i16,
            Failure::NoRecipient as i16,
        );
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}
