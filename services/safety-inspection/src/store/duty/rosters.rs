//! Rosters: rows in and out.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::domain::duty::{Roster, RosterState, Span};
use crate::store::records::{self, Record};
use crate::store::register::OrganizationRow;
use crate::store::{Store, unreadable};

row! {
    /// A roster.
    RosterRow in "duty_rosters" by ["id"] {
        /// Sorts by when it was made.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// Its begin, in milliseconds since 1970.
        start_at: i64,
        /// Its end.
        end_at: i64,
        /// The roster.
        body: String,
    }
}

records::kept!(RosterRow: Roster);

impl Store {
    /// Keeps a roster as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_roster(tx: &Tx, record: &Record<Roster>) -> Result<(), DbErr> {
        let roster = &record.value;
        let row = RosterRow {
            id: record.id,
            organization: record.organization.clone(),
            org_path: record.org_path.clone(),
            state: roster.state as i16,
            start_at: roster.span.start.timestamp_millis(),
            end_at: roster.span.end.timestamp_millis(),
            body: records::text(roster)?,
        };
        RosterRow::save(tx, &[row]).await?;
        if roster.state == RosterState::Published {
            Self::retell(tx, &record.organization, "dutyStanding").await?;
        }
        Ok(())
    }

    /// A roster of an organisation; `lock` keeps others from changing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roster(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Record<Roster>>, DbErr> {
        records::one::<RosterRow>(db, organization, id, lock).await
    }

    /// Rosters at and below `place`, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rosters(
        db: &impl ConnectionTrait,
        place: &str,
        state: Option<RosterState>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Record<Roster>>, DbErr> {
        let only: Vec<_> = state
            .map(|state| ("state", state as i16))
            .into_iter()
            .collect();
        records::page::<RosterRow>(db, place, &only, (before, limit)).await
    }

    /// Keeps others from changing who is on duty at an organisation until the end of the
    /// transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_duty(tx: &Tx, organization: &str) -> Result<(), DbErr> {
        OrganizationRow::get(tx, organization, Lock::Yes).await?;
        Ok(())
    }

    /// Whether an organisation ever published a roster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publishes_rosters(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<bool, DbErr> {
        let sql = "SELECT 1 FROM duty_rosters WHERE organization = $1 AND state = $2 LIMIT 1";
        let values = [organization.into(), (RosterState::Published as i16).into()];
        let found = db.query_one_raw(statement(db, sql, values)).await?;
        Ok(found.is_some())
    }

    /// When the last published roster of an organisation ended at or before `span`, and when the first one
    /// begins at or after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn neighbouring_rosters(
        db: &impl ConnectionTrait,
        organization: &str,
        span: Span,
    ) -> Result<(Option<DateTime<Utc>>, Option<DateTime<Utc>>), DbErr> {
        let sql = "SELECT MAX(CASE WHEN end_at <= $3 THEN end_at END), \
             MIN(CASE WHEN start_at >= $4 THEN start_at END) \
             FROM duty_rosters WHERE organization = $1 AND state = $2";
        let values = [
            organization.into(),
            (RosterState::Published as i16).into(),
            span.start.timestamp_millis().into(),
            span.end.timestamp_millis().into(),
        ];
        let row = db.query_one_raw(statement(db, sql, values)).await?;
        let row = row.ok_or_else(|| unreadable("rosters"))?;
        let at = |place| {
            let millis: Option<i64> = row.try_get_by_index(place)?;
            Ok::<_, DbErr>(millis.and_then(DateTime::from_timestamp_millis))
        };
        Ok((at(0)?, at(1)?))
    }

    /// The times of the published rosters of an organisation that end after `now`, in the order of their
    /// begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn coming_rosters(
        db: &impl ConnectionTrait,
        organization: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Span>, DbErr> {
        let sql = "SELECT start_at, end_at FROM duty_rosters \
             WHERE organization = $1 AND state = $2 AND end_at > $3 ORDER BY start_at, id";
        let values = [
            organization.into(),
            (RosterState::Published as i16).into(),
            now.timestamp_millis().into(),
        ];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        let spans = rows.iter().map(|row| {
            let at = |place| {
                let millis: i64 = row.try_get_by_index(place)?;
                DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
            };
            Ok(Span {
                start: at(0)?,
                end: at(1)?,
            })
        });
        spans.collect()
    }

    /// The name of a published roster of an organisation that has a time in common with `span`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published_roster(
        db: &impl ConnectionTrait,
        organization: &str,
        span: Span,
    ) -> Result<Option<String>, DbErr> {
        let sql = "SELECT id FROM duty_rosters WHERE organization = $1 AND state = $2 \
             AND end_at > $3 AND start_at < $4 ORDER BY end_at LIMIT 1";
        let values = [
            organization.into(),
            (RosterState::Published as i16).into(),
            span.start.timestamp_millis().into(),
            span.end.timestamp_millis().into(),
        ];
        let row = db.query_one_raw(statement(db, sql, values)).await?;
        let id: Option<Uuid> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(id.map(|id| records::resource_name(organization, "dutyRosters", id)))
    }
}
