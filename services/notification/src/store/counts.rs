//! How many recipients of directives are how far, kept in the transactions in which they move: reading it
//! costs the same for three recipients and for forty-five thousand.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kit::bulk::{Column, insert, placeholders};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Store, unreadable};
use crate::domain::chain::Level;
use crate::domain::recipient::{Recipient, State};

/// How many rows hold the counts of those of one level in one district who sign by the same instant:
/// recipients that act at the same time seldom wait for one another.
const SLOTS: u32 = 16;

/// How many recipients a directive has, and how far they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub recipients: i32,
    /// Those who signed.
    pub acknowledged: i32,
    /// Those whose report is accepted.
    pub accepted: i32,
}

/// By how much the counts of one row change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Delta {
    recipients: i32,
    acknowledged: i32,
    accepted: i32,
    late: i32,
}

impl Delta {
    /// What one recipient counts for.
    fn of(recipient: &Recipient) -> Self {
        let signed = recipient.acknowledged;
        Self {
            recipients: 1,
            acknowledged: i32::from(signed.is_some()),
            accepted: i32::from(recipient.state == State::Accepted),
            late: i32::from(signed.zip(recipient.due).is_some_and(|(at, due)| at > due)),
        }
    }

    fn plus(self, other: Self, sign: i32) -> Self {
        Self {
            recipients: self.recipients + sign * other.recipients,
            acknowledged: self.acknowledged + sign * other.acknowledged,
            accepted: self.accepted + sign * other.accepted,
            late: self.late + sign * other.late,
        }
    }
}

/// Until when those of a row sign, in milliseconds, 0 before they are reached; their level, their
/// district, and the slot of the row.
type Key = (i64, i16, String, i16);

/// The slot of whoever has this recipient id.
fn slot(recipient: &str) -> i16 {
    let mixed = |sum: u32, byte: u8| sum.wrapping_mul(31).wrapping_add(byte.into());
    i16::try_from(recipient.bytes().fold(0, mixed) % SLOTS).unwrap_or_default()
}

/// Where a recipient is counted. Class groups sign by as many instants as there are schools, so those of
/// one school share a slot.
fn key(recipient: &Recipient) -> Key {
    let by = match recipient.level {
        Level::District | Level::School => &recipient.id,
        Level::ClassGroup => &recipient.upper,
    };
    let due = recipient.due.map_or(0, |due| due.timestamp_millis());
    let district = recipient.district.clone();
    (due, recipient.level as i16, district, slot(by))
}

impl Store {
    /// Counts the recipients of a directive that is issued.
    pub(super) async fn count_issued(
        tx: &Tx,
        directive: Uuid,
        recipients: &[Recipient],
    ) -> Result<(), DbErr> {
        let mut deltas: BTreeMap<Key, Delta> = BTreeMap::new();
        for recipient in recipients {
            let sum = deltas.entry(key(recipient)).or_default();
            *sum = sum.plus(Delta::of(recipient), 1);
        }
        add(tx, directive, deltas).await
    }

    /// Counts what a recipient is instead of what it was.
    pub(super) async fn count_move(
        tx: &Tx,
        before: &Recipient,
        after: &Recipient,
    ) -> Result<(), DbErr> {
        let delta = Delta::of(after).plus(Delta::of(before), -1);
        if delta == Delta::default() {
            return Ok(());
        }
        let deltas = BTreeMap::from([(key(after), delta)]);
        add(tx, after.directive, deltas).await
    }

    /// Counts those whom `upper` has reached now, of whom only level and district are known, and who sign
    /// by `due`.
    pub(super) async fn count_reached(
        tx: &Tx,
        directive: Uuid,
        (upper, due): (&str, DateTime<Utc>),
        reached: Vec<(i16, String)>,
    ) -> Result<(), DbErr> {
        let mut deltas: BTreeMap<Key, Delta> = BTreeMap::new();
        for (level, district) in reached {
            let waiting = (0, level, district.clone(), slot(upper));
            deltas.entry(waiting).or_default().recipients -= 1;
            let reached = (due.timestamp_millis(), level, district, slot(upper));
            deltas.entry(reached).or_default().recipients += 1;
        }
        add(tx, directive, deltas).await
    }

    /// Counts the recipients of a directive anew. Whoever holds the directive to change it does so alone.
    pub(super) async fn recount(tx: &Tx, directive: Uuid) -> Result<(), DbErr> {
        let sql = "DELETE FROM directive_counts WHERE directive = $1";
        tx.execute_raw(statement(tx, sql, [directive.into()]))
            .await?;
        let sql = "INSERT INTO directive_counts (directive, due_at, level, district, slot, recipients, \
             acknowledged, accepted, late) SELECT directive, COALESCE(due_at, 0), level, district, 0, \
             COUNT(*), COUNT(acknowledged_at), COUNT(CASE WHEN state = $2 THEN 1 END), \
             COUNT(CASE WHEN acknowledged_at > due_at THEN 1 END) FROM directive_recipients \
             WHERE directive = $1 GROUP BY directive, COALESCE(due_at, 0), level, district";
        let values = [directive.into(), (State::Accepted as i16).into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// How far the recipients of a directive are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tally(db: &impl ConnectionTrait, id: Uuid) -> Result<Tally, DbErr> {
        let tallies = Self::tallies(db, &[id]).await?;
        Ok(tallies.get(&id).copied().unwrap_or_default())
    }

    /// How far the recipients of each directive are; one without recipients is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tallies(
        db: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Tally>, DbErr> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT directive, SUM(recipients), SUM(acknowledged), SUM(accepted) \
             FROM directive_counts WHERE directive IN ({}) GROUP BY directive",
            placeholders(1, ids.len()),
        );
        let select = statement(db, &sql, ids.iter().map(|id| (*id).into()));
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| {
                let count = |index: usize| {
                    let count: i64 = row.try_get_by_index(index)?;
                    i32::try_from(count).map_err(|_| unreadable("tally"))
                };
                let tally = Tally {
                    recipients: count(1)?,
                    acknowledged: count(2)?,
                    accepted: count(3)?,
                };
                Ok((row.try_get_by_index(0)?, tally))
            })
            .collect()
    }
}

async fn add(tx: &Tx, directive: Uuid, deltas: BTreeMap<Key, Delta>) -> Result<(), DbErr> {
    let (mut dues, mut levels) = (Vec::new(), Vec::new());
    let (mut districts, mut slots) = (Vec::new(), Vec::new());
    let mut changes: [Vec<i32>; 4] = Default::default();
    for ((due, level, district, slot), delta) in deltas {
        dues.push(due);
        levels.push(level);
        districts.push(district);
        slots.push(slot);
        let Delta {
            recipients,
            acknowledged,
            accepted,
            late,
        } = delta;
        let parts = [recipients, acknowledged, accepted, late];
        for (column, part) in changes.iter_mut().zip(parts) {
            column.push(part);
        }
    }
    let [recipients, acknowledged, accepted, late] = changes;
    let columns = vec![
        ("directive", Column::Uuid(vec![directive; levels.len()])),
        ("due_at", Column::Big(dues)),
        ("level", Column::Small(levels)),
        ("district", Column::Text(districts)),
        ("slot", Column::Small(slots)),
        ("recipients", Column::Int(recipients)),
        ("acknowledged", Column::Int(acknowledged)),
        ("accepted", Column::Int(accepted)),
        ("late", Column::Int(late)),
    ];
    let conflict = "ON CONFLICT (directive, due_at, level, district, slot) DO UPDATE SET \
         recipients = directive_counts.recipients + excluded.recipients, \
         acknowledged = directive_counts.acknowledged + excluded.acknowledged, \
         accepted = directive_counts.accepted + excluded.accepted, \
         late = directive_counts.late + excluded.late";
    insert(tx, "directive_counts", columns, conflict).await
}
