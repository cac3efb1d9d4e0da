//! Devices of protection and whether they are online.

use std::collections::HashMap;

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;

row! {
    /// A device of a campus.
    DeviceRow in "protection_devices" by ["organization", "code"] {
        /// The id of the organisation.
        organization: String,
        /// Unique within it.
        code: String,
        /// The place of the organisation.
        org_path: String,
        /// The number of the kind.
        kind: i16,
        /// Where it is.
        place: String,
        /// It answered when it was asked last.
        online: bool,
        /// Milliseconds since 1970.
        reported_at: i64,
        /// Since when it is online or not.
        since: i64,
    }
}

impl Store {
    /// Keeps devices as they were reported; since when a device is as it is stays when it did not
    /// change. Tells how many are new and how many of the others went online or offline.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_devices(tx: &Tx, mut rows: Vec<DeviceRow>) -> Result<(u32, u32), DbErr> {
        let Some(organization) = rows.first().map(|row| row.organization.clone()) else {
            return Ok((0, 0));
        };
        let keys = vec![
            (
                "organization",
                kit::bulk::Column::Text(vec![organization; rows.len()]),
            ),
            (
                "code",
                kit::bulk::Column::Text(rows.iter().map(|row| row.code.clone()).collect()),
            ),
        ];
        let known = DeviceRow::among(tx, keys).await?;
        let (mut new, mut changed) = (0, 0);
        for row in &mut rows {
            match known.iter().find(|known| known.code == row.code) {
                None => new += 1,
                Some(before) if before.online == row.online => row.since = before.since,
                Some(_) => changed += 1,
            }
        }
        DeviceRow::save(tx, &rows).await?;
        if new + changed > 0 {
            Self::retell(tx, &rows[0].organization, "protectionStanding").await?;
        }
        Ok((new, changed))
    }

    /// How many devices of each of these campuses are offline; a campus without one is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offline_devices(
        db: &impl ConnectionTrait,
        organizations: &[&str],
    ) -> Result<HashMap<String, u32>, DbErr> {
        if organizations.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT organization, COUNT(*) FROM protection_devices WHERE online = FALSE \
             AND organization IN ({}) GROUP BY organization",
            placeholders(1, organizations.len())
        );
        let values = organizations.iter().map(|id| Value::from(*id));
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let counts = rows.iter().map(|row| {
            let count: i64 = row.try_get_by_index(1)?;
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            Ok((row.try_get_by_index(0)?, count))
        });
        counts.collect()
    }

    /// The devices of a campus after the code `after`, only those that are not online when asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn devices(
        db: &impl ConnectionTrait,
        organization: &str,
        offline: bool,
        after: &str,
        limit: u64,
    ) -> Result<Vec<DeviceRow>, DbErr> {
        let only = if offline { " AND online = FALSE" } else { "" };
        let wheres = format!("organization = $1 AND code > $2{only}");
        let values: Vec<Value> = vec![organization.into(), after.into()];
        DeviceRow::page(db, &wheres, values, limit).await
    }
}
