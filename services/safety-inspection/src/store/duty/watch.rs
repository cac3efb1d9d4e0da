//! Patrols and spot checks: rows in and out.

use chrono::DateTime;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::domain::duty::{Passing, Span};
use crate::grpc::announced;
use crate::store::{Store, records};

row! {
    /// A point that was passed.
    PatrolRow in "patrols" by ["id"] {
        /// Sorts by when it was passed.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The id of the shift.
        shift: Uuid,
        /// The point.
        point: String,
        /// `staff/{staff_member}`.
        staff_member: String,
        /// Milliseconds since 1970.
        passed_at: i64,
    }
}

row! {
    /// A spot check.
    SpotCheckRow in "spot_checks" by ["id"] {
        /// Sorts by when it was made.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The id of the shift.
        shift: Uuid,
        /// The number of the result.
        result: i16,
        /// Milliseconds since 1970.
        checked_at: i64,
    }
}

impl PatrolRow {
    /// Which point was passed, and when.
    pub fn passed(&self) -> Option<Passing<'_>> {
        let at = DateTime::from_timestamp_millis(self.passed_at)?;
        let point = &self.point;
        Some(Passing { at, point })
    }
}

/// How many points of one shift or day are read at most.
const POINTS: u32 = 5000;

impl Store {
    /// Keeps a point that was passed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_patrol(tx: &Tx, row: PatrolRow) -> Result<(), DbErr> {
        PatrolRow::save(tx, &[row]).await
    }

    /// Keeps a spot check.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_spot_check(tx: &Tx, row: SpotCheckRow) -> Result<(), DbErr> {
        let telling = announced::spot_check(&row, row.checked_at);
        SpotCheckRow::save(tx, &[row]).await?;
        Self::tell(tx, vec![telling]).await
    }

    /// One spot check.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn spot_check(
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Option<SpotCheckRow>, DbErr> {
        let mut rows = SpotCheckRow::find(db, "id", vec![id.into()], Lock::No).await?;
        Ok(rows.pop())
    }

    /// Spot checks at and below `place`, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spot_checks(
        db: &impl ConnectionTrait,
        place: &str,
        result: Option<i16>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<SpotCheckRow>, DbErr> {
        let only: Vec<_> = result
            .map(|result| ("result", result))
            .into_iter()
            .collect();
        records::below(db, place, &only, before, limit).await
    }

    /// The points of a shift, in the order of time, at most 5000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn patrols_of(
        db: &impl ConnectionTrait,
        shift: Uuid,
    ) -> Result<Vec<PatrolRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM patrols WHERE shift = $1 ORDER BY passed_at LIMIT {POINTS}",
            PatrolRow::COLUMNS.join(", ")
        );
        let rows = db
            .query_all_raw(statement(db, &sql, [shift.into()]))
            .await?;
        rows.iter().map(PatrolRow::read).collect()
    }

    /// The points that were passed at an organisation within `span`, in the order of time, at most
    /// 5000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn patrols_within(
        db: &impl ConnectionTrait,
        organization: &str,
        span: Span,
    ) -> Result<Vec<PatrolRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM patrols WHERE organization = $1 AND passed_at >= $2 \
             AND passed_at < $3 ORDER BY passed_at LIMIT {POINTS}",
            PatrolRow::COLUMNS.join(", ")
        );
        let values = [
            organization.into(),
            span.start.timestamp_millis().into(),
            span.end.timestamp_millis().into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(PatrolRow::read).collect()
    }
}
