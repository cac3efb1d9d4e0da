//! Drills: rows in and out.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::records::{self, Kept, Record};
use super::{Store, below_end, unreadable};
use crate::domain::drill::{Drill, Missing, State, Type};
use crate::grpc::announced;

row! {
    /// A drill.
    DrillRow in "drills" by ["id"] {
        /// Sorts by when it was planned.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the type.
        drill_type: i16,
        /// The number of the state.
        state: i16,
        /// When the signal is planned, in milliseconds since 1970.
        plan_at: i64,
        /// When the signal was given, or 0.
        signal_at: i64,
        /// The drill.
        body: String,
    }
}

records::kept!(DrillRow: Drill);

/// A drill that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// `organizations/{organization}/drills/{drill}`.
    pub name: String,
    /// When its signal was given.
    pub signal: DateTime<Utc>,
}

/// How many drills of one type count at one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The id of the organisation.
    pub organization: String,
    /// The type.
    pub kind: Type,
    /// In the inner one of two periods.
    pub inner: u32,
    /// In the outer one.
    pub outer: u32,
}

/// Which drills a list has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this type.
    pub kind: Option<Type>,
}

/// The number of the state of drills that count.
const ARCHIVED: i16 = State::Archived as i16;

impl Store {
    /// Keeps a drill as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_drill(tx: &Tx, record: &Record<Drill>) -> Result<(), DbErr> {
        let drill = &record.value;
        let signal = drill.signal.as_ref();
        let row = DrillRow {
            id: record.id,
            organization: record.organization.clone(),
            org_path: record.org_path.clone(),
            drill_type: drill.plan.kind as i16,
            state: drill.state as i16,
            plan_at: drill.plan.at.timestamp_millis(),
            signal_at: signal.map_or(0, |signal| signal.at.timestamp_millis()),
            body: records::text(drill)?,
        };
        DrillRow::save(tx, &[row]).await?;
        if drill.state == State::Archived {
            Self::retell(tx, &record.organization, "drillStanding").await?;
            Self::judge_anew(tx, [&*record.organization]).await?;
        }
        Self::tell(tx, vec![announced::drill(record)]).await
    }

    /// A drill of an organisation; `lock` keeps others from changing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drill(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Record<Drill>>, DbErr> {
        records::one::<DrillRow>(db, organization, id, lock).await
    }

    /// Drills at and below `place`, the newest plan first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drills(
        db: &impl ConnectionTrait,
        place: &str,
        filter: Filter,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Record<Drill>>, DbErr> {
        let state = filter.state.map(|state| ("state", state as i16));
        let kind = filter.kind.map(|kind| ("drill_type", kind as i16));
        let only: Vec<_> = state.into_iter().chain(kind).collect();
        records::page::<DrillRow>(db, place, &only, (before, limit)).await
    }

    /// Drills of an organisation, at most `limit`, whose headcounts missed a person, the newest first: each with
    /// what it says of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drills_missing(
        db: &impl ConnectionTrait,
        organization: &str,
        person: &str,
        limit: u64,
    ) -> Result<Vec<(Record<Drill>, Missing)>, DbErr> {
        let sql = format!(
            "SELECT {} FROM drills WHERE organization = $1 AND body LIKE $2 \
             ORDER BY id DESC LIMIT {limit}",
            DrillRow::COLUMNS.join(", ")
        );
        let values = [organization.into(), format!("%\"{person}\"%").into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let mut found = Vec::new();
        for row in &rows {
            let record = DrillRow::read(row)?.record()?;
            let groups = record.value.groups.iter();
            let mut missing = groups.flat_map(|group| &group.missing);
            let missed = missing.find(|one| one.person == person).cloned();
            found.extend(missed.map(|missed| (record, missed)));
        }
        Ok(found)
    }

    /// The latest drill of a type that counts and whose signal was given at or after `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counted_drill(
        db: &impl ConnectionTrait,
        organization: &str,
        kind: Type,
        since: DateTime<Utc>,
    ) -> Result<Option<Counted>, DbErr> {
        let sql = format!(
            "SELECT id, signal_at FROM drills WHERE organization = $1 AND drill_type = $2 \
             AND state = {ARCHIVED} AND signal_at >= $3 ORDER BY signal_at DESC LIMIT 1"
        );
        let values = [
            organization.into(),
            (kind as i16).into(),
            since.timestamp_millis().into(),
        ];
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        let counted = row.map(|row| {
            Ok(Counted {
                name: records::resource_name(organization, "drills", row.try_get_by_index(0)?),
                signal: DateTime::from_timestamp_millis(row.try_get_by_index(1)?)
                    .ok_or_else(|| unreadable("instant"))?,
            })
        });
        counted.transpose()
    }

    /// The drills of an organisation that count and whose signal was given at or after `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counted_drills(
        db: &impl ConnectionTrait,
        organization: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<Drill>, DbErr> {
        let sql = format!(
            "SELECT body FROM drills WHERE organization = $1 AND state = {ARCHIVED} \
             AND signal_at >= $2 ORDER BY signal_at, id"
        );
        let values = [organization.into(), since.timestamp_millis().into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let body = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0);
        rows.iter().map(|row| records::value(&body(row)?)).collect()
    }

    /// How many drills count at and below `place` in `outer` and in `inner`, a part of it, by
    /// organisation and type. Periods begin with their first instant and end before their last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drills_done(
        db: &impl ConnectionTrait,
        place: &str,
        inner: (DateTime<Utc>, DateTime<Utc>),
        outer: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Done>, DbErr> {
        let sql = format!(
            "SELECT organization, drill_type, \
             SUM(CASE WHEN signal_at >= $4 AND signal_at < $5 THEN 1 ELSE 0 END), COUNT(*) \
             FROM drills WHERE state = {ARCHIVED} \
             AND (org_path = $1 OR (org_path > $2 AND org_path < $3)) \
             AND signal_at >= $6 AND signal_at < $7 GROUP BY organization, drill_type"
        );
        let values = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            inner.0.timestamp_millis().into(),
            inner.1.timestamp_millis().into(),
            outer.0.timestamp_millis().into(),
            outer.1.timestamp_millis().into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let done = rows.iter().map(|row| {
            let kind: i16 = row.try_get_by_index(1)?;
            let (inner, outer): (i64, i64) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            Ok(Done {
                organization: row.try_get_by_index(0)?,
                kind: Type::from_number(kind.into()).ok_or_else(|| unreadable("type"))?,
                inner: u32::try_from(inner).unwrap_or(u32::MAX),
                outer: u32::try_from(outer).unwrap_or(u32::MAX),
            })
        });
        done.collect()
    }
}
