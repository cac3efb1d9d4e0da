//! The organisation tree.

use std::collections::HashMap;

use kit::db::statement;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::organization::{Kind, Organization};
use crate::store::{Store, below_end};

row! {
    /// An organisation as the register told it.
    OrganizationRow in "organizations" by ["id"] {
        /// The id.
        id: String,
        /// The place in the tree.
        org_path: String,
        /// The number of the kind.
        kind: i16,
        /// Shown to people.
        display_name: String,
        /// One bit for each number of a stage.
        stages: i32,
        /// GB/T 2260 division; may be empty.
        division: String,
        /// It has dormitories.
        boarding: bool,
        /// It is neither closed nor merged.
        open: bool,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

impl OrganizationRow {
    /// None for a kind that this version does not know.
    fn organization(self) -> Option<Organization> {
        Some(Organization {
            kind: Kind::from_number(self.kind)?,
            id: self.id,
            org_path: self.org_path,
            display_name: self.display_name,
            stages: self.stages,
            division: self.division,
            boarding: self.boarding,
            open: self.open,
        })
    }
}

/// How many organisations one page of a sweep over the tree has at most.
pub const PAGE: u64 = 500;

impl Store {
    /// An organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organization(
        db: &impl ConnectionTrait,
        id: &str,
    ) -> Result<Option<Organization>, DbErr> {
        let row = OrganizationRow::get(db, id, Lock::No).await?;
        Ok(row.and_then(OrganizationRow::organization))
    }

    /// What organisations are called, by their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn display_names(
        db: &impl ConnectionTrait,
        ids: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, String>, DbErr> {
        let ids = ids.map(Value::from).collect();
        let rows = OrganizationRow::find(db, "id", ids, Lock::No).await?;
        let names = rows.into_iter().map(|row| (row.id, row.display_name));
        Ok(names.collect())
    }

    /// Open organisations at or below `place` of one of `kinds` (any when empty), in the order of
    /// their places, after `after` (a place; empty for the first page), at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organizations_below(
        db: &impl ConnectionTrait,
        place: &str,
        kinds: &[Kind],
        after: &str,
        limit: u64,
    ) -> Result<Vec<Organization>, DbErr> {
        let mut values: Vec<Value> = vec![
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            after.into(),
        ];
        let kinds: Vec<String> = kinds
            .iter()
            .map(|kind| (*kind as i16).to_string())
            .collect();
        let among = if kinds.is_empty() {
            String::new()
        } else {
            format!("AND kind IN ({})", kinds.join(", "))
        };
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let sql = format!(
            "SELECT {} FROM organizations WHERE open = TRUE \
             AND (org_path = $1 OR (org_path > $2 AND org_path < $3) OR $1 = '') \
             AND org_path > $4 {among} ORDER BY org_path LIMIT $5",
            OrganizationRow::COLUMNS.join(", ")
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let rows = rows
            .iter()
            .map(OrganizationRow::read)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(rows
            .into_iter()
            .filter_map(OrganizationRow::organization)
            .collect())
    }
}
