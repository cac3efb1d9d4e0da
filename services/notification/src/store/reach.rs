//! Whom directives have reached, and where those stand who are to be told, many at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{Store, unreadable};
use crate::domain::party::Party;

/// How many names one statement asks for.
const NAMES: usize = 1000;

impl Store {
    /// The recipients to which `upper` passed a directive on, and until when each signs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached_by(
        tx: &Tx,
        directive: Uuid,
        upper: &str,
    ) -> Result<Vec<(String, DateTime<Utc>)>, DbErr> {
        let sql = "SELECT organization, due_at FROM directive_recipients WHERE directive = $1 \
                   AND upper_organization = $2 AND due_at IS NOT NULL";
        let values = [directive.into(), upper.into()];
        let rows = tx.query_all_raw(statement(tx, sql, values)).await?;
        rows.iter()
            .map(|row| {
                let due = DateTime::from_timestamp_millis(row.try_get_by_index(1)?);
                let due = due.ok_or_else(|| unreadable("deadline"))?;
                Ok((row.try_get_by_index(0)?, due))
            })
            .collect()
    }

    /// The ids of the recipients that a directive has reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached(tx: &Tx, directive: Uuid) -> Result<Vec<String>, DbErr> {
        let sql = "SELECT organization FROM directive_recipients WHERE directive = $1 \
                   AND due_at IS NOT NULL";
        let rows = tx
            .query_all_raw(statement(tx, sql, [directive.into()]))
            .await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

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
                Party::Student(id) | Party::Family(id) | Party::Guardian(id, _) => {
                    students.push(*id);
                }
                Party::Staff(id) => staff.push(*id),
                Party::Organization(id) => organizations.push(id.clone()),
            }
        }
        let organizations = Self::places_of(db, &organizations).await?;
        let students = people(db, 1, &students).await?;
        let staff = people(db, 2, &staff).await?;
        let place = |party: &Party| match party {
            Party::Student(id) | Party::Family(id) | Party::Guardian(id, _) => students.get(id),
            Party::Staff(id) => staff.get(id),
            Party::Organization(id) => organizations.get(id),
        };
        let found = parties
            .iter()
            .filter_map(|party| Some((party.clone(), place(party)?.clone())));
        Ok(found.collect())
    }
}

/// Where people of a kind belong, by their ids.
async fn people(
    db: &impl ConnectionTrait,
    kind: i16,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, String>, DbErr> {
    let mut places = BTreeMap::new();
    for ids in ids.chunks(NAMES) {
        let sql = format!(
            "SELECT person, place FROM people WHERE kind = $1 AND person IN ({})",
            placeholders(2, ids.len())
        );
        let values = std::iter::once(kind.into()).chain(ids.iter().map(|id| Value::from(*id)));
        for row in &db.query_all_raw(statement(db, &sql, values)).await? {
            places.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(places)
}
