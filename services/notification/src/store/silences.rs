//! Silences.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::alert_rows::{instant, kind};
use super::alerts::at_or_below;
use super::{Store, unreadable};
use crate::domain::silence::Silence;

row! {
    /// A silence.
    SilenceRow in "silences" by ["id"] {
        /// The id.
        id: Uuid,
        /// The organisation id.
        organization: String,
        /// The place.
        org_path: String,
        /// A JSON array of kinds.
        kinds: String,
        /// Why.
        reason: String,
        /// Who asked for it.
        author: String,
        /// From when on.
        create_at: i64,
        /// Until when.
        expire_at: i64,
        /// Who ended it early.
        ender: String,
        /// When it is over, whether by time or by hand.
        until_at: i64,
        /// The alerts that it kept from being told were looked at again.
        settled: bool,
    }
}

impl Store {
    /// Stores a silence, new or ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_silence(tx: &Tx, silence: Silence) -> Result<(), DbErr> {
        SilenceRow::save(tx, &[silence_row(silence)]).await
    }

    /// One silence, locked against other changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silence(
        db: &impl ConnectionTrait,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Silence>, DbErr> {
        let rows = SilenceRow::find(db, "id", vec![id.into()], lock).await?;
        rows.into_iter().next().map(silence).transpose()
    }

    /// The silences at and below `place` that are not over, newest first, after the place `before` in
    /// the list: when it was made, and its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silences(
        &self,
        place: &str,
        now: DateTime<Utc>,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Silence>, DbErr> {
        let (mut wheres, mut values) = at_or_below(place);
        values.push(now.timestamp_millis().into());
        wheres.push_str(&format!(" AND until_at > ${}", values.len()));
        if let Some((created, id)) = before {
            values.extend([created.into(), id.into()]);
            let places = kit::bulk::placeholders(values.len() - 1, 2);
            wheres.push_str(&format!(" AND (create_at, id) < ({places})"));
        }
        let order = "create_at DESC, id DESC";
        select(self.db.read(), &wheres, values, order, limit).await
    }

    /// The silences that are not over. There are few: each is for a reason and a week at most.
    pub(super) async fn silences_in_force(
        tx: &Tx,
        now: DateTime<Utc>,
    ) -> Result<Vec<Silence>, DbErr> {
        let wheres = "settled = FALSE AND until_at > $1";
        let values = vec![now.timestamp_millis().into()];
        select(tx, wheres, values, "create_at, id", MOST).await
    }

    /// Silences that are over and whose alerts were not looked at again.
    pub(super) async fn silences_to_settle(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Silence>, DbErr> {
        let wheres = "settled = FALSE AND until_at <= $1";
        let values = vec![now.timestamp_millis().into()];
        select(db, wheres, values, "until_at, id", limit).await
    }

    /// Marks a silence whose alerts were looked at again.
    pub(super) async fn settle_silence(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
        let sql = "UPDATE silences SET settled = TRUE WHERE id = $1";
        tx.execute_raw(statement(tx, sql, [id.into()])).await?;
        Ok(())
    }
}

/// How many silences are in force at most: more than any city asks for.
const MOST: u64 = 10_000;

async fn select(
    db: &impl ConnectionTrait,
    wheres: &str,
    values: Vec<Value>,
    order: &str,
    limit: u64,
) -> Result<Vec<Silence>, DbErr> {
    let columns = SilenceRow::COLUMNS.join(", ");
    let sql =
        format!("SELECT {columns} FROM silences WHERE {wheres} ORDER BY {order} LIMIT {limit}");
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter()
        .map(|row| silence(SilenceRow::read(row)?))
        .collect()
}

fn silence_row(silence: Silence) -> SilenceRow {
    let until_at = silence.until().timestamp_millis();
    let Silence {
        organization,
        id,
        org_path,
        kinds,
        reason,
        author,
        created,
        expires,
        ended,
    } = silence;
    let kinds: Vec<i16> = kinds.into_iter().map(|kind| kind as i16).collect();
    SilenceRow {
        id,
        organization,
        org_path,
        kinds: serde_json::to_string(&kinds).unwrap_or_default(),
        reason,
        author,
        create_at: created.timestamp_millis(),
        expire_at: expires.timestamp_millis(),
        ender: ended.map(|(ender, _)| ender).unwrap_or_default(),
        until_at,
        settled: false,
    }
}

fn silence(row: SilenceRow) -> Result<Silence, DbErr> {
    let kinds: Vec<i16> = serde_json::from_str(&row.kinds).map_err(|_| unreadable("kinds"))?;
    let until = instant(row.until_at)?;
    Ok(Silence {
        organization: row.organization,
        id: row.id,
        org_path: row.org_path,
        kinds: kinds.into_iter().map(kind).collect::<Result<_, _>>()?,
        reason: row.reason,
        author: row.author,
        created: instant(row.create_at)?,
        expires: instant(row.expire_at)?,
        ended: (!row.ender.is_empty()).then_some((row.ender, until)),
    })
}
