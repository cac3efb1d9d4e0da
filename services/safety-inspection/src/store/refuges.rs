//! Shelters and isolation rooms: rows in and out.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Store, records, unreadable};
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
        records::value(&self.body)
    }

    /// What is said of it, as it is stored.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn text(body: &impl Serialize) -> Result<String, DbErr> {
        records::text(body)
    }

    /// What turns a lost update into an error.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Its state is one that this version does not know.
    pub fn unreadable(&self) -> DbErr {
        unreadable("state")
    }
}

impl Store {
    /// A shelter or an isolation room of an organisation; locked when it is about to change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuge(
        db: &impl ConnectionTrait,
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

    /// Keeps a shelter or an isolation room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_refuge(tx: &Tx, row: RefugeRow) -> Result<(), DbErr> {
        Self::retell(tx, &row.organization, "shelterStanding").await?;
        Self::judge_anew(tx, [&*row.organization]).await?;
        RefugeRow::save(tx, &[row]).await
    }

    /// Shelters or isolation rooms at and below a place, in one state when there is one, newest
    /// first, before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuges_below(
        db: &impl ConnectionTrait,
        (kind, state): (RefugeKind, Option<i16>),
        place: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<RefugeRow>, DbErr> {
        let state = state.map(|state| ("state", state));
        let only: Vec<_> = [("kind", kind as i16)].into_iter().chain(state).collect();
        records::below(db, place, &only, before, limit).await
    }

    /// Everything that a campus recorded, whatever became of it, at most a thousand of each kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuges_of(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<Vec<RefugeRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM refuges WHERE organization = $1 ORDER BY id LIMIT 2000",
            RefugeRow::COLUMNS.join(", ")
        );
        let rows = db.query_all_raw(statement(db, &sql, [organization.into()]));
        rows.await?.iter().map(RefugeRow::read).collect()
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
                records::value(&body)
            })
            .collect()
    }
}
