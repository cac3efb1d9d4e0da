//! Where those stand who are to be told, many at a time.

use std::collections::BTreeMap;

use kit::bulk::placeholders;
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use crate::domain::party::Party;

/// How many names one statement asks for.
const NAMES: usize = 1000;

impl Store {
    /// The places of class groups by resource name; those that the register does not know are left
    /// out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn class_group_places(
        db: &impl ConnectionTrait,
        names: &[String],
    ) -> Result<BTreeMap<String, String>, DbErr> {
        let mut places = BTreeMap::new();
        for names in names.chunks(NAMES) {
            let sql = format!(
                "SELECT name, place FROM rolls WHERE kind = 1 AND name IN ({})",
                placeholders(1, names.len())
            );
            let values = names.iter().map(|name| Value::from(name.as_str()));
            for row in &db.query_all_raw(statement(db, &sql, values)).await? {
                places.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            }
        }
        Ok(places)
    }

    /// Where parties belong; those that the register does not know are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn party_places(
        db: &impl ConnectionTrait,
        parties: &[Party],
    ) -> Result<BTreeMap<Party, String>, DbErr> {
        let (mut students, mut staff, mut organizations) = (Vec::new(), Vec::new(), Vec::new());
        for party in parties {
            match party {
                Party::Student(id) => students.push(*id),
                Party::Staff(id) => staff.push(*id),
                Party::Organization(id) => organizations.push(id.clone()),
            }
        }
        let found = Self::places_of(db, &organizations).await?.into_iter();
        let mut places: BTreeMap<Party, String> = found
            .map(|(id, place)| (Party::Organization(id), place))
            .collect();
        people(db, 1, &students, Party::Student, &mut places).await?;
        people(db, 2, &staff, Party::Staff, &mut places).await?;
        Ok(places)
    }
}

async fn people(
    db: &impl ConnectionTrait,
    kind: i16,
    ids: &[Uuid],
    party: fn(Uuid) -> Party,
    places: &mut BTreeMap<Party, String>,
) -> Result<(), DbErr> {
    for ids in ids.chunks(NAMES) {
        let sql = format!(
            "SELECT person, place FROM people WHERE kind = $1 AND person IN ({})",
            placeholders(2, ids.len())
        );
        let values = std::iter::once(kind.into()).chain(ids.iter().map(|id| Value::from(*id)));
        for row in &db.query_all_raw(statement(db, &sql, values)).await? {
            places.insert(party(row.try_get_by_index(0)?), row.try_get_by_index(1)?);
        }
    }
    Ok(())
}
