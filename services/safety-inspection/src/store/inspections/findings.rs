//! Failed items and the hazards that they opened or met.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use crate::domain::inspection::state::Inspection;
use crate::store::Store;

row! {
    /// A failed item.
    FindingRow in "inspection_findings" by ["inspection", "item"] {
        /// The inspection.
        inspection: Uuid,
        /// The id of the entry.
        item: String,
        /// The id of the organisation.
        organization: String,
        /// The place within it.
        place: String,
        /// The same for every version of the list.
        item_key: String,
        /// The name of the hazard.
        hazard: String,
        /// An earlier inspection opened it.
        stood: bool,
        /// Milliseconds since 1970.
        found_at: i64,
    }
}

/// A failed item and its hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The id of the entry.
    pub item: String,
    /// The same for every version of the list.
    pub key: String,
    /// The name of the hazard.
    pub hazard: String,
    /// An earlier inspection opened it.
    pub stood: bool,
}

impl Store {
    /// Keeps what an inspection found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_findings(
        tx: &Tx,
        inspection: &Inspection,
        findings: &[Finding],
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let rows = findings.iter().map(|finding| FindingRow {
            inspection: inspection.id,
            item: finding.item.clone(),
            organization: inspection.organization.clone(),
            place: inspection.place.clone(),
            item_key: finding.key.clone(),
            hazard: finding.hazard.clone(),
            stood: finding.stood,
            found_at: now.timestamp_millis(),
        });
        let rows: Vec<FindingRow> = rows.collect();
        FindingRow::add(tx, &rows).await
    }

    /// What an inspection found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn findings(
        db: &impl ConnectionTrait,
        inspection: Uuid,
    ) -> Result<Vec<Finding>, DbErr> {
        let keys = vec![inspection.into()];
        let rows = FindingRow::find(db, "inspection", keys, Lock::No).await?;
        let findings = rows.into_iter().map(|row| Finding {
            item: row.item,
            key: row.item_key,
            hazard: row.hazard,
            stood: row.stood,
        });
        Ok(findings.collect())
    }

    /// The hazards that failed items (their keys) opened last at a place of an organisation, whatever
    /// became of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_hazards(
        db: &impl ConnectionTrait,
        (organization, place): (&str, &str),
        keys: &[String],
    ) -> Result<HashMap<String, String>, DbErr> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT item_key, hazard FROM inspection_findings WHERE organization = $1 \
             AND place = $2 AND item_key IN ({}) ORDER BY found_at",
            placeholders(3, keys.len())
        );
        let mut values: Vec<Value> = vec![organization.into(), place.into()];
        values.extend(keys.iter().map(|key| Value::from(key.as_str())));
        let mut last: HashMap<String, String> = HashMap::new();
        for row in db.query_all_raw(statement(db, &sql, values)).await? {
            last.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
        Ok(last)
    }
}
