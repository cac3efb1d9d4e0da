//! Shelters and isolation rooms: rows in and out.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::supply::Moved;
use super::{Store, below_end, unreadable};
use crate::domain::shelter::isolation::{IsolationRoom, State};

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefugeKind {
    /// A shelter.
    Shelter = 1,
    /// An isolation room.
    IsolationRoom = 2,
}

row! {
    /// A shelter or an isolation room.
    RefugeRow in "refuges" by ["id"] {
        /// Sorts by when it was created.
        id: Uuid,
        /// Which of the two.
        kind: i16,
        /// The id of the organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// What is said of it.
        body: String,
        /// Grows with each change.
        version: i64,
    }
}

impl RefugeRow {
    /// What is said of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, DbErr> {
        serde_json::from_str(&self.body).map_err(|_| unreadable("shelter"))
    }

    /// What is said of it, as it is stored.
    pub fn text(body: &impl Serialize) -> String {
        serde_json::to_string(body).unwrap_or_default()
    }
}

impl Store {
    /// A shelter or an isolation room of an organisation; locked when it is about to change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuge(
        db: &(impl ConnectionTrait + Sync),
        kind: RefugeKind,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<RefugeRow>, DbErr> {
        let row = RefugeRow::find(db, "id", vec![id.into()], lock)
            .await?
            .pop();
        Ok(row.filter(|row| row.kind == kind as i16 && row.organization == organization))
    }

    /// Keeps a shelter or an isolation room, and how it got there when its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_refuge(tx: &Tx, row: RefugeRow, moved: Option<&Moved>) -> Result<(), DbErr> {
        let id = row.id;
        RefugeRow::save(tx, &[row]).await?;
        match moved {
            Some(moved) => Self::add_supply_move(tx, id, moved).await,
            None => Ok(()),
        }
    }

    /// Shelters or isolation rooms at and below a place, in one state when it is not 0, oldest
    /// first, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuges_below(
        db: &(impl ConnectionTrait + Sync),
        kind: RefugeKind,
        (place, state): (&str, i16),
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<RefugeRow>, DbErr> {
        let wheres = "kind = $1 AND (org_path = $2 OR (org_path > $3 AND org_path < $4)) \
                      AND id > $5 AND (state = $6 OR $6 = 0)";
        let values: Vec<Value> = vec![
            (kind as i16).into(),
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            after.unwrap_or_default().into(),
            state.into(),
        ];
        RefugeRow::page(db, wheres, values, limit).await
    }

    /// The isolation rooms of a campus that are in use (rule 4.6).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn isolation_rooms(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<Vec<IsolationRoom>, DbErr> {
        let sql = "SELECT body FROM refuges WHERE kind = $1 AND organization = $2 AND state = $3 \
                   ORDER BY id LIMIT 1000";
        let values: [Value; 3] = [
            (RefugeKind::IsolationRoom as i16).into(),
            organization.into(),
            (State::InUse as i16).into(),
        ];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        rows.iter()
            .map(|row| {
                let body: String = row.try_get_by_index(0)?;
                serde_json::from_str(&body).map_err(|_| unreadable("isolation room"))
            })
            .collect()
    }
}
