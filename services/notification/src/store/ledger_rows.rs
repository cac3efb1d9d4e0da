//! Rows of the ledger: read and locked by their keys, changed many at a time.

use std::collections::BTreeMap;

use kit::bulk::{Column, listed};
use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

use super::messages::Figures;
use super::{Store, unreadable};
use crate::domain::delivery::{Key, State};
use crate::domain::party::Party;

/// The kind of one guardian in the tables.
pub(super) const GUARDIAN: i16 = 7;

/// The kind and the bytes of a recipient, as the ledger has them: of a guardian the id of the pupil and then
/// their own. Kinds 4 and 5 are no recipients but stand for many in `message_targets`.
pub(super) fn recipient(party: &Party) -> (i16, Vec<u8>) {
    match party {
        Party::Family(id) => (1, id.as_bytes().to_vec()),
        Party::Staff(id) => (2, id.as_bytes().to_vec()),
        Party::Organization(id) => (3, id.as_bytes().to_vec()),
        Party::Student(id) => (6, id.as_bytes().to_vec()),
        Party::Guardian(student, id) => (GUARDIAN, [*student.as_bytes(), *id.as_bytes()].concat()),
    }
}

/// The recipient of a row.
pub(super) fn party(kind: i16, bytes: Vec<u8>) -> Result<Party, DbErr> {
    let person = |bytes: &[u8]| Uuid::from_slice(bytes).map_err(|_| unreadable("recipient"));
    match kind {
        1 => person(&bytes).map(Party::Family),
        2 => person(&bytes).map(Party::Staff),
        3 => String::from_utf8(bytes)
            .map(Party::Organization)
            .map_err(|_| unreadable("recipient")),
        6 => person(&bytes).map(Party::Student),
        GUARDIAN => {
            let (student, id) = bytes.split_at_checked(16).unwrap_or_default();
            Ok(Party::Guardian(person(student)?, person(id)?))
        }
        _ => Err(unreadable("kind of recipient")),
    }
}

/// The key of a row that was selected with message, kind, recipient and channel first.
pub(super) fn key(row: &QueryResult) -> Result<Key, DbErr> {
    Ok(Key {
        message: row.try_get_by_index(0)?,
        recipient: party(row.try_get_by_index(1)?, row.try_get_by_index(2)?)?,
        channel: row.try_get_by_index(3)?,
    })
}

/// The state of a row.
pub(super) fn state(number: i16) -> Result<State, DbErr> {
    State::from_number(number).ok_or_else(|| unreadable("state"))
}

/// What stands before the rows that `from`, the rest of a query over `deliveries d`, picks: those that
/// somebody else is at are passed over.
pub(super) fn picked(tx: &Tx, from: &str) -> String {
    match tx.backend() {
        Backend::Postgres => {
            format!("ctid = ANY(ARRAY(SELECT d.ctid {from} FOR UPDATE OF d SKIP LOCKED))")
        }
        Backend::Sqlite => format!(
            "(message, kind, recipient, channel) IN \
             (SELECT d.message, d.kind, d.recipient, d.channel {from})"
        ),
    }
}

/// What is kept of a delivery that changes.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) state: State,
    pub(super) attempts: i16,
    /// The number of the failure; 0 for none.
    pub(super) failure: i16,
    /// When the next attempt is made; 0 when none is.
    pub(super) next_attempt: i64,
    /// When it was taken, arrived and was read; 0 where that stays as it is.
    pub(super) sent_at: i64,
    pub(super) delivered_at: i64,
    pub(super) read_at: i64,
}

/// A delivery as it stands before a change.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) key: Key,
    pub(super) state: State,
    pub(super) attempts: i16,
    pub(super) failure: i16,
}

impl Standing {
    /// The change that only moves it to another state.
    pub(super) fn to(self, state: State) -> Change {
        Change {
            key: self.key,
            state,
            attempts: self.attempts,
            failure: self.failure,
            next_attempt: 0,
            sent_at: 0,
            delivered_at: 0,
            read_at: 0,
        }
    }
}

/// The columns that name deliveries, in a list named `w`.
pub(super) fn key_columns<'a>(
    keys: impl Iterator<Item = &'a Key> + Clone,
) -> Vec<(&'static str, Column)> {
    let (kinds, recipients) = keys.clone().map(|key| recipient(&key.recipient)).unzip();
    let channels = keys.clone().map(|key| key.channel.clone()).collect();
    vec![
        (
            "message",
            Column::Uuid(keys.map(|key| key.message).collect()),
        ),
        ("kind", Column::Small(kinds)),
        ("recipient", Column::Bytes(recipients)),
        ("channel", Column::Text(channels)),
    ]
}

/// Whether a delivery `d` is the one that a row of such a list names.
pub(super) const SAME: &str = "d.message = w.message AND d.kind = w.kind AND d.recipient = w.recipient \
                    AND d.channel = w.channel";

impl Store {
    /// The deliveries of `keys`, which must be in order and without repeats; nobody else changes them
    /// until the end of the transaction. Each is looked up by itself, whatever the statistics say.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn locked_deliveries(tx: &Tx, keys: &[Key]) -> Result<Vec<Standing>, DbErr> {
        debug_assert!(keys.is_sorted_by(|one, next| one < next));
        let join = match tx.backend() {
            Backend::Postgres => {
                format!("LATERAL (SELECT * FROM deliveries d WHERE {SAME} OFFSET 0 FOR UPDATE) d")
            }
            Backend::Sqlite => format!("deliveries d WHERE {SAME}"),
        };
        let mut found = Vec::with_capacity(keys.len());
        for (list, values) in listed(tx, key_columns(keys.iter())) {
            let sql = format!(
                "WITH w (message, kind, recipient, channel) AS ({list}) \
                 SELECT d.message, d.kind, d.recipient, d.channel, d.state, d.attempts, d.failure \
                 FROM w CROSS JOIN {join}"
            );
            for row in &tx.query_all_raw(statement(tx, &sql, values)).await? {
                found.push(Standing {
                    key: key(row)?,
                    state: state(row.try_get_by_index(4)?)?,
                    attempts: row.try_get_by_index(5)?,
                    failure: row.try_get_by_index(6)?,
                });
            }
        }
        Ok(found)
    }

    /// Stores changes of deliveries that are locked, and counts them.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn change_deliveries(
        tx: &Tx,
        changes: &[Change],
        figures: BTreeMap<Uuid, Figures>,
    ) -> Result<(), DbErr> {
        let small = |of: fn(&Change) -> i16| Column::Small(changes.iter().map(of).collect());
        let big = |of: fn(&Change) -> i64| Column::Big(changes.iter().map(of).collect());
        let mut columns = key_columns(changes.iter().map(|change| &change.key));
        columns.extend([
            ("state", small(|change| change.state as i16)),
            ("attempts", small(|change| change.attempts)),
            ("failure", small(|change| change.failure)),
            ("next_attempt", big(|change| change.next_attempt)),
            ("sent_at", big(|change| change.sent_at)),
            ("delivered_at", big(|change| change.delivered_at)),
            ("read_at", big(|change| change.read_at)),
        ]);
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        for (list, values) in listed(tx, columns) {
            let sql = format!(
                "WITH w ({names}) AS ({list}) UPDATE deliveries AS d SET \
                 state = w.state, attempts = w.attempts, failure = w.failure, \
                 next_attempt = NULLIF(w.next_attempt, 0), \
                 parcel = CASE WHEN w.state = 1 THEN d.parcel END, \
                 sent_at = COALESCE(NULLIF(w.sent_at, 0), d.sent_at), \
                 delivered_at = COALESCE(NULLIF(w.delivered_at, 0), d.delivered_at), \
                 read_at = COALESCE(NULLIF(w.read_at, 0), d.read_at) \
                 FROM w WHERE {SAME}"
            );
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Self::count_deliveries(tx, figures).await
    }
}

/// Notes that a delivery moves from a state to another.
pub(super) fn moved(figures: &mut BTreeMap<Uuid, Figures>, message: Uuid, from: State, to: State) {
    figures.entry(message).or_default().counts.moved(from, to);
}
