//! Who has school buses: one answer for whatever asks.

use std::collections::HashSet;

use kit::bulk::placeholders;
use kit::db::statement;
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::register::StaffRollRow;
use crate::domain::checklist::item::PlaceKind;

/// The post of those who drive school buses.
const DRIVER: &str = "DRIVER";

impl Store {
    /// Which of these organisations have school buses (rules 5.15, 5.18): they declared one, entered one as a
    /// place that is inspected, or have staff who drive one. What a bureau returned declares nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bus_owners(
        db: &impl ConnectionTrait,
        organizations: &[&str],
    ) -> Result<HashSet<String>, DbErr> {
        let mut found = HashSet::new();
        if organizations.is_empty() {
            return Ok(found);
        }
        for declared in Self::declarations(db, organizations).await? {
            let buses = declared.declaration.buses;
            if buses.is_some_and(|buses| !buses.is_empty()) {
                found.insert(declared.organization);
            }
        }
        let keys = || -> Vec<Value> { organizations.iter().map(|id| Value::from(*id)).collect() };
        for row in StaffRollRow::find(db, "organization", keys(), Lock::No).await? {
            if row.posts()?.get(DRIVER).is_some_and(|drivers| *drivers > 0) {
                found.insert(row.organization);
            }
        }
        let sql = format!(
            "SELECT DISTINCT organization FROM inspection_places \
             WHERE kind = {} AND closed_on = '' AND organization IN ({})",
            PlaceKind::Bus as i32,
            placeholders(1, organizations.len())
        );
        for row in db.query_all_raw(statement(db, &sql, keys())).await? {
            found.insert(row.try_get_by_index(0)?);
        }
        Ok(found)
    }
}
