//! Who was told what about hazards, and when they saw it.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::rows::instant;
use super::{WITHIN, within};
use crate::domain::hazard::accountability::Act;
use crate::domain::hazard::entry::Home;
use crate::store::{Store, unreadable};

row! {
    /// Somebody was told something.
    RecordRow in "accountability_records" by ["id"] {
        /// Sorts by when.
        id: Uuid,
        /// The hazard; nil when it is about something else.
        hazard: Uuid,
        /// The id of its organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// The number of the act.
        act: i16,
        /// Who was told, or empty.
        staff_member: String,
        /// The id of the organisation at which they answer, or empty.
        answers_at: String,
        /// Milliseconds since 1970.
        told_at: i64,
        /// Milliseconds since 1970, or 0.
        seen_at: i64,
        /// The resource name of what was not done; empty for a hazard.
        resource: String,
    }
}

/// Somebody was told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Sorts by when.
    pub id: Uuid,
    /// The hazard; nil when it is about something else.
    pub hazard: Uuid,
    /// The resource name of what was not done; empty for a hazard.
    pub resource: String,
    /// Where it is.
    pub home: Home,
    /// What was told.
    pub act: Act,
    /// Who was told; empty when nobody answers.
    pub staff_member: String,
    /// The id of the organisation at which they answer; may be empty.
    pub answers_at: String,
    /// When it was told.
    pub told: DateTime<Utc>,
    /// When it was seen.
    pub seen: Option<DateTime<Utc>>,
}

/// Which records are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trail<'a> {
    /// Only of this hazard.
    pub hazard: Option<Uuid>,
    /// Only what this person was told.
    pub staff_member: &'a str,
    /// Only what was not seen.
    pub unseen: bool,
    /// Only older ones.
    pub before: Option<Uuid>,
}

/// What somebody has seen.
#[derive(Clone, Copy, Debug)]
pub enum Heeded {
    /// All that they were told of this hazard.
    Hazard(Uuid),
    /// One record.
    Record(Uuid),
}

impl Store {
    /// Writes down who was told what.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_accountability(tx: &Tx, records: Vec<Record>) -> Result<(), DbErr> {
        let rows = records.into_iter().map(|record| RecordRow {
            id: record.id,
            hazard: record.hazard,
            organization: record.home.organization,
            org_path: record.home.org_path,
            act: record.act as i16,
            staff_member: record.staff_member,
            answers_at: record.answers_at,
            told_at: record.told.timestamp_millis(),
            seen_at: record.seen.map_or(0, |seen| seen.timestamp_millis()),
            resource: record.resource,
        });
        RecordRow::add(tx, &rows.collect::<Vec<_>>()).await
    }

    /// Whether somebody of an organisation was told at or after `since` that this resource was not done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_told_not_done(
        tx: &Tx,
        (organization, resource): (&str, &str),
        since: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql = "SELECT 1 FROM accountability_records \
             WHERE resource = $1 AND told_at >= $2 AND resource <> '' AND organization = $3 LIMIT 1";
        let values = [
            resource.into(),
            since.timestamp_millis().into(),
            organization.into(),
        ];
        Ok(tx
            .query_one_raw(statement(tx, sql, values))
            .await?
            .is_some())
    }

    /// One record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accountability_record(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Record>, DbErr> {
        let mut rows = RecordRow::find(db, "id", vec![id.into()], Lock::No).await?;
        let found = rows.pop().filter(|row| row.organization == organization);
        found.map(record).transpose()
    }

    /// What people were told of hazards at and below `place`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accountability(
        db: &impl ConnectionTrait,
        place: &str,
        trail: Trail<'_>,
        limit: u64,
    ) -> Result<Vec<Record>, DbErr> {
        let mut values: Vec<Value> = within(place);
        let mut wheres = vec![WITHIN.to_owned()];
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            wheres.push(format!("{condition} ${}", values.len()));
        };
        if let Some(hazard) = trail.hazard {
            add("hazard =", hazard.into());
        }
        if !trail.staff_member.is_empty() {
            add("staff_member =", trail.staff_member.into());
        }
        if let Some(before) = trail.before {
            add("id <", before.into());
        }
        if trail.unseen {
            wheres.push("seen_at = 0".to_owned());
        }
        let sql = format!(
            "SELECT {} FROM accountability_records WHERE {} ORDER BY id DESC LIMIT {limit}",
            RecordRow::COLUMNS.join(", "),
            wheres.join(" AND "),
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| record(RecordRow::read(row)?))
            .collect()
    }

    /// Writes down that a person has seen what they were told; the first time counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_seen(
        tx: &Tx,
        heeded: Heeded,
        staff_member: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let (column, id) = match heeded {
            Heeded::Hazard(id) => ("hazard", id),
            Heeded::Record(id) => ("id", id),
        };
        let sql = format!(
            "UPDATE accountability_records SET seen_at = $1 \
             WHERE {column} = $2 AND staff_member = $3 AND seen_at = 0"
        );
        let values = [
            now.timestamp_millis().into(),
            id.into(),
            staff_member.into(),
        ];
        tx.execute_raw(statement(tx, &sql, values)).await?;
        Ok(())
    }
}

fn record(row: RecordRow) -> Result<Record, DbErr> {
    let act = Act::ALL.into_iter().find(|act| *act as i16 == row.act);
    Ok(Record {
        id: row.id,
        hazard: row.hazard,
        resource: row.resource,
        home: Home {
            organization: row.organization,
            org_path: row.org_path,
        },
        act: act.ok_or_else(|| unreadable("act"))?,
        staff_member: row.staff_member,
        answers_at: row.answers_at,
        told: instant(row.told_at)?.ok_or_else(|| unreadable("instant"))?,
        seen: instant(row.seen_at)?,
    })
}
