//! Hazards: rows in and out.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::Store;
use crate::domain::hazard::report::Report;

row! {
    /// A hazard.
    HazardRow in "hazards" by ["id"] {
        /// Sorts by when it was found.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The place within the organisation.
        place: String,
        /// The number of the category.
        category: i16,
        /// The number of the source.
        source: i16,
        /// What led to it.
        origin: String,
        /// What is wrong.
        description: String,
        /// Codes of the direct-major rules that hit, joined by commas.
        major_rules: String,
        /// Who found it.
        finder: String,
        /// Milliseconds since 1970.
        found_at: i64,
    }
}

impl HazardRow {
    /// A hazard that was just found at an organisation (its id and place).
    pub fn new(
        id: Uuid,
        (organization, org_path): (&str, &str),
        report: &Report,
        finder: &str,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            place: report.place.clone(),
            category: report.category as i16,
            source: report.source as i16,
            origin: report.origin.clone(),
            description: report.description.clone(),
            major_rules: report.major_rules.join(","),
            finder: finder.to_owned(),
            found_at: now.timestamp_millis(),
        }
    }
}

impl Store {
    /// Keeps a new hazard.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_hazard(tx: &Tx, row: HazardRow) -> Result<(), DbErr> {
        HazardRow::save(tx, &[row]).await
    }

    /// Which of these hazards (resource names) still stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazards_standing(
        db: &impl ConnectionTrait,
        names: &[String],
    ) -> Result<HashSet<String>, DbErr> {
        let id = |name: &String| name.rsplit('/').next().and_then(|id| id.parse().ok());
        let ids: Vec<Uuid> = names.iter().filter_map(id).collect();
        let keys = ids.into_iter().map(Into::into).collect();
        let rows = HazardRow::find(db, "id", keys, Lock::No).await?;
        let names = rows.iter().map(|row| {
            let (organization, id) = (&row.organization, row.id.hyphenated());
            format!("organizations/{organization}/hazards/{id}")
        });
        Ok(names.collect())
    }
}
