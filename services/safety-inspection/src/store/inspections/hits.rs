//! Which wants of schedules inspections met: one row for each period of each place.

use std::collections::HashMap;

use chrono::NaiveDate;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{IN_TREE, day, tree, unsigned};
use crate::domain::inspection::coverage::Done;
use crate::domain::inspection::schedule::Period;
use crate::domain::inspection::state::Inspection;
use crate::store::Store;

row! {
    /// The inspection that counts for a period of a schedule at a place.
    HitRow in "inspection_hits" by ["schedule", "organization", "place", "period_first"] {
        /// The id of the schedule.
        schedule: String,
        /// The id of the organisation.
        organization: String,
        /// The place within it.
        place: String,
        /// The first day of the period.
        period_first: String,
        /// The last day of the period.
        period_last: String,
        /// The place of the organisation in the tree.
        org_path: String,
        /// The resource name of the inspection.
        inspection: String,
    }
}

/// What an inspection met.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hit {
    /// The id of the schedule.
    pub schedule: String,
    /// The id of the organisation.
    pub organization: String,
    /// The place within it.
    pub place: String,
    /// The first day of the period.
    pub first: NaiveDate,
}

impl Store {
    /// Notes what an inspection met; what another one met before stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_hits(
        tx: &Tx,
        inspection: &Inspection,
        met: &[(String, Period)],
    ) -> Result<(), DbErr> {
        let rows = met.iter().map(|(schedule, period)| HitRow {
            schedule: schedule.clone(),
            organization: inspection.organization.clone(),
            place: inspection.place.clone(),
            period_first: period.first.to_string(),
            period_last: period.last.to_string(),
            org_path: inspection.org_path.clone(),
            inspection: inspection.name(),
        });
        let rows: Vec<HitRow> = rows.collect();
        HitRow::add(tx, &rows).await
    }

    /// What was met at these organisations in periods that end from `from` on: the inspection of each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hits(
        db: &impl ConnectionTrait,
        organizations: &[String],
        from: NaiveDate,
    ) -> Result<HashMap<Hit, String>, DbErr> {
        let mut hits = HashMap::new();
        for organization in organizations {
            let sql = "SELECT schedule, organization, place, period_first, inspection \
                       FROM inspection_hits WHERE organization = $1 AND period_last >= $2";
            let values: [Value; 2] = [organization.as_str().into(), from.to_string().into()];
            for row in db.query_all_raw(statement(db, sql, values)).await? {
                let first: String = row.try_get_by_index(3)?;
                let hit = Hit {
                    schedule: row.try_get_by_index(0)?,
                    organization: row.try_get_by_index(1)?,
                    place: row.try_get_by_index(2)?,
                    first: day(&first)?,
                };
                hits.insert(hit, row.try_get_by_index(4)?);
            }
        }
        Ok(hits)
    }

    /// How many periods that end within days were met at and below `place`, by organisation and
    /// schedule, and how many of them were over before `today`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hit_counts(
        db: &impl ConnectionTrait,
        place: &str,
        (from, to): (NaiveDate, NaiveDate),
        today: NaiveDate,
    ) -> Result<HashMap<(String, String), Done>, DbErr> {
        let sql = format!(
            "SELECT organization, schedule, COUNT(*), \
             SUM(CASE WHEN period_last < $6 THEN 1 ELSE 0 END) FROM inspection_hits \
             WHERE {IN_TREE} AND period_last >= $4 AND period_last <= $5 \
             GROUP BY organization, schedule"
        );
        let days = [from, to, today].map(|day| Value::from(day.to_string()));
        let values = tree(place).into_iter().chain(days);
        let mut counts = HashMap::new();
        for row in db.query_all_raw(statement(db, &sql, values)).await? {
            let key = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let done = Done {
                all: unsigned(row.try_get_by_index(2)?),
                over: unsigned(row.try_get_by_index(3)?),
            };
            counts.insert(key, done);
        }
        Ok(counts)
    }
}
