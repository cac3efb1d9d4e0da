//! Devices of protection and whether they are online.

use std::collections::HashMap;

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use crate::domain::protection::device::{DeviceKind, Devices};
use crate::store::{day_of, unreadable};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// By how many milliseconds the clocks of the city are ahead of UTC.
const AHEAD: i64 = 8 * 60 * 60 * 1000;
/// 1 January 1970, counted from the year 1.
const EPOCH: i64 = 719_163;

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

    /// The devices of each of these campuses, alike ones together; a campus without one is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn devices_of(
        db: &impl ConnectionTrait,
        organizations: &[&str],
    ) -> Result<HashMap<String, Vec<Devices>>, DbErr> {
        let mut found: HashMap<String, Vec<Devices>> = HashMap::new();
        if organizations.is_empty() {
            return Ok(found);
        }
        // Reports are grouped by civil day; instants of reports are after 1970, so the division rounds down.
        let sql = format!(
            "SELECT organization, kind, online, (reported_at + {AHEAD}) / {DAY}, COUNT(*) \
             FROM protection_devices WHERE organization IN ({}) \
             GROUP BY organization, kind, online, (reported_at + {AHEAD}) / {DAY} \
             ORDER BY organization, kind, online, 4",
            placeholders(1, organizations.len())
        );
        let values = organizations.iter().map(|id| Value::from(*id));
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        for row in &rows {
            let kind: i16 = row.try_get_by_index(1)?;
            let Some(kind) = DeviceKind::from_number(kind.into()) else {
                continue;
            };
            let day: i64 = row.try_get_by_index(3)?;
            let count: i64 = row.try_get_by_index(4)?;
            let devices = Devices {
                kind,
                online: row.try_get_by_index(2)?,
                reported: i32::try_from(day + EPOCH)
                    .map_err(|_| unreadable("day"))
                    .and_then(day_of)?,
                count: u32::try_from(count).unwrap_or(u32::MAX),
            };
            let organization: String = row.try_get_by_index(0)?;
            found.entry(organization).or_default().push(devices);
        }
        Ok(found)
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
