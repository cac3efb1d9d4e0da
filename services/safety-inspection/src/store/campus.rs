//! How many people campuses have, by what the register told.

use std::collections::BTreeMap;

use kit::bulk::placeholders;
use kit::db::statement;
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::register::StaffRollRow;
use crate::domain::protection::guards::People;
use crate::domain::supply::item::Heads;

/// The post of a guard, as the register spells it.
const GUARD: &str = "GUARD";
/// How many campuses one statement counts.
const COUNTED: usize = 1000;

fn natural(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

impl Store {
    /// The people of campuses, and their heads as supplies count them, by the ids of those of which
    /// the register told anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campus_people(
        db: &impl ConnectionTrait,
        organizations: &[&str],
    ) -> Result<BTreeMap<String, (People, Heads)>, DbErr> {
        let mut found: BTreeMap<String, (People, Heads)> = BTreeMap::new();
        for part in organizations.chunks(COUNTED) {
            let sql = format!(
                "SELECT organization, COUNT(*), CAST(SUM(expected) AS BIGINT), \
                 CAST(SUM(boarders) AS BIGINT) FROM class_groups WHERE organization IN ({}) \
                 GROUP BY organization",
                placeholders(1, part.len())
            );
            let values: Vec<Value> = part.iter().map(|id| (*id).into()).collect();
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                let (people, heads) = found.entry(row.try_get_by_index(0)?).or_default();
                heads.classes = natural(row.try_get_by_index(1)?);
                people.pupils = natural(row.try_get_by_index(2)?);
                people.boarders = natural(row.try_get_by_index(3)?);
            }
        }
        let keys = organizations.iter().map(|id| (*id).into()).collect();
        for row in StaffRollRow::find(db, "organization", keys, Lock::No).await? {
            let posts = row.posts()?;
            let (people, _) = found.entry(row.organization).or_default();
            people.staff = natural(row.expected.into());
            people.guards = posts.get(GUARD).copied().unwrap_or_default();
        }
        for (people, heads) in found.values_mut() {
            heads.persons = people.pupils.saturating_add(people.staff);
        }
        Ok(found)
    }
}
