//! The clearances that people had before the present one: what a gate without a network decided is judged
//! by the clearance of that time.

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::clock::civil_date;
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::facts::{Body, Fact, Kind};
use super::packing;
use crate::domain::gate::clearance::{Clearance, Control};
use crate::domain::person::PersonName;
use crate::store::Store;

/// How long the clearance of before is kept: longer than decisions without a network are taken.
const KEPT: Duration = Duration::days(8);
/// How many people one statement is about.
const PEOPLE: usize = 500;

/// The clearances that people had until an instant, in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before(HashMap<PersonName, Vec<(i64, Clearance)>>);

impl Before {
    /// The clearance that somebody had at `time`, when it has changed since.
    pub(crate) fn at(&self, person: PersonName, time: DateTime<Utc>) -> Option<Clearance> {
        let time = time.timestamp_millis();
        let mut all = self.0.get(&person)?.iter();
        all.find(|(until, _)| *until > time)
            .map(|(_, clearance)| *clearance)
    }
}

impl Store {
    /// Remembers the clearances of those for whom `facts` bring another one, and forgets those that are
    /// of no use any more. To be called before the facts are written, in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn keep_clearances(
        tx: &Tx,
        facts: &[Fact],
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let mut newest: HashMap<&str, &Fact> = HashMap::new();
        for fact in facts.iter().filter(|fact| fact.kind == Kind::Clearance) {
            let kept = newest.entry(&*fact.entity).or_insert(fact);
            if kept.version < fact.version {
                *kept = fact;
            }
        }
        if newest.is_empty() {
            return Ok(());
        }
        // Nobody else writes facts until the end of the transaction.
        Self::next_revision(tx).await?;
        let facts = newest;
        let people: Vec<&str> = facts.keys().copied().collect();
        let mut before: Vec<(&str, Vec<u8>)> = Vec::new();
        for people in people.chunks(PEOPLE) {
            let mut known = HashMap::new();
            let sql = format!(
                "SELECT entity, version, generation, removed, body FROM facts \
                 WHERE kind = {} AND entity IN ({})",
                Kind::Clearance as i16,
                places(people.len(), 1)
            );
            let values = people.iter().map(|person| Value::from(*person));
            for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
                let entity: String = row.try_get_by_index(0)?;
                let (version, of): (i64, i64) =
                    (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                let removed: bool = row.try_get_by_index(3)?;
                let body: Vec<u8> = row.try_get_by_index(4)?;
                let body = if removed { Vec::new() } else { body };
                known.insert(entity, (version, of, body));
            }
            for person in people {
                let fact = facts[person];
                let (version, of, body) = known.remove(*person).unwrap_or((i64::MIN, 0, vec![]));
                let newer = fact.version > version || generation > of;
                if newer && body != packed(&fact.body) {
                    before.push((person, body));
                }
            }
        }
        for rows in before.chunks(PEOPLE) {
            let mut sql = "INSERT INTO clearances_before (person, until, body) VALUES ".to_owned();
            let mut values: Vec<Value> = vec![now.timestamp_millis().into()];
            for (place, (person, body)) in rows.iter().enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                let first = values.len() + 1;
                sql.push_str(&format!("{comma}(${first}, $1, ${})", first + 1));
                values.extend([(*person).into(), body.clone().into()]);
            }
            sql.push_str(" ON CONFLICT (person, until) DO NOTHING");
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        let delete = statement(
            tx,
            "DELETE FROM clearances_before WHERE until < $1",
            [(now - KEPT).timestamp_millis().into()],
        );
        tx.execute_raw(delete).await?;
        Ok(())
    }

    /// Remembers the clearances of those whom a snapshot of `generation` did not mention. To be called
    /// before they are removed, in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn keep_swept_clearances(
        tx: &Tx,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        Self::next_revision(tx).await?;
        let sql = format!(
            "INSERT INTO clearances_before (person, until, body) SELECT entity, $1, body FROM facts \
             WHERE kind = {} AND generation < $2 AND removed = FALSE \
             ON CONFLICT (person, until) DO NOTHING",
            Kind::Clearance as i16
        );
        let values = [now.timestamp_millis().into(), generation.into()];
        tx.execute_raw(statement(tx, &sql, values)).await?;
        Ok(())
    }

    /// What these people had before clearances that came after `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn clearances_before(
        &self,
        people: &[PersonName],
        since: DateTime<Utc>,
    ) -> Result<Before, DbErr> {
        let db = self.db.read();
        let mut before = Before::default();
        for people in people.chunks(PEOPLE) {
            let sql = format!(
                "SELECT person, until, body FROM clearances_before \
                 WHERE until > $1 AND person IN ({}) ORDER BY until",
                places(people.len(), 2)
            );
            let mut values: Vec<Value> = vec![since.timestamp_millis().into()];
            values.extend(people.iter().map(|person| person.to_string().into()));
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                let (person, until): (String, i64) =
                    (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let body: Vec<u8> = row.try_get_by_index(2)?;
                let Ok(person) = person.parse() else { continue };
                let clearance = if body.is_empty() {
                    Clearance::default()
                } else {
                    packing::read_clearance(&body)
                };
                before.0.entry(person).or_default().push((until, clearance));
            }
        }
        Ok(before)
    }

    /// The civil days on which restricted regions were lifted for these people last, as far as that is
    /// kept.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn regions_lifted(
        &self,
        people: &[PersonName],
    ) -> Result<Vec<(PersonName, NaiveDate)>, DbErr> {
        let before = self.clearances_before(people, DateTime::UNIX_EPOCH).await?;
        let lifted = before.0.into_iter().filter_map(|(person, all)| {
            let mut latest = all.into_iter().rev();
            let restricted = |(_, one): &(i64, Clearance)| one.control == Control::RegionRestricted;
            let (until, _) = latest.find(restricted)?;
            let until = DateTime::from_timestamp_millis(until)?;
            Some((person, civil_date(until)))
        });
        Ok(lifted.collect())
    }
}

/// As it stands in the table; empty for whoever is clear.
fn packed(body: &Body) -> Vec<u8> {
    match body {
        Body::Clearance(clearance) => packing::pack_clearance(*clearance),
        _ => Vec::new(),
    }
}

/// Placeholders for `count` values from `$first` on.
fn places(count: usize, first: usize) -> String {
    let places: Vec<_> = (first..first + count).map(|n| format!("${n}")).collect();
    places.join(", ")
}
