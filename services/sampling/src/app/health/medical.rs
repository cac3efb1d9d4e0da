//! The part of the medical axis that moves by itself, and its history.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::Value;

use super::Touched;
use crate::app::App;
use crate::app::axes::{lock_people, move_axes};
use crate::domain::health::medical::{Medical, MedicalVerb, by_itself};
use crate::domain::health::person::Refusal;
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::store::health::medical::{HealthEventRow, MedicalRow, last_ill};
use kit::rows::{Lock, Row};

/// The rule that moves people without a human.
const RULE: &str = "rule 1.24";

impl App {
    /// Settles the medical state of people of whom something else is said now: whoever no human
    /// moved is symptomatic exactly while a sign stands that was seen after the last clearing.
    pub(super) async fn settle_medical(
        &self,
        tx: &Tx,
        touched: &Touched,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let names: BTreeMap<Vec<u8>, String> = touched
            .people
            .iter()
            .map(|(person, kind)| (person.0.to_vec(), person_name(*kind, *person)))
            .collect();
        let mut people = lock_people(tx, names).await?;
        let keys: Vec<Vec<u8>> = people.keys().cloned().collect();
        let ill = last_ill(tx, &keys).await?;
        let keys: Vec<Value> = keys.into_iter().map(Value::from).collect();
        let rows = MedicalRow::find(tx, "person", keys, Lock::No).await?;
        let mut rows: HashMap<Vec<u8>, MedicalRow> = rows
            .into_iter()
            .map(|row| (row.person.clone(), row))
            .collect();
        let facts = self.facts.get(tx).await?;
        let (mut moved, mut lines) = (Vec::new(), Vec::new());
        for (person, kind) in &touched.people {
            let key = person.0.to_vec();
            let row = rows.remove(&key);
            let mut row = row.unwrap_or_else(|| unknown(key.clone(), kind.code(), ""));
            let (seen, place) = ill.get(&key).cloned().unwrap_or_default();
            let Some(verb) = by_itself(row.stands()?, row.cleared, seen) else {
                people.remove(&key);
                continue;
            };
            if !place.is_empty() {
                row.org_path = place;
            }
            let policy = facts.policy(&row.org_path, self.today());
            row.policy_version = policy.map_or_else(String::new, |policy| policy.version.clone());
            let mut health = row.health()?;
            health
                .move_by_itself(verb, now.timestamp_millis())
                .map_err(|err| Error::Health(Refusal::Move(err), false))?;
            let state = health.state;
            row.take(health);
            lines.push(line(&mut row, verb, state, (RULE, ""), now));
            moved.push(row);
        }
        MedicalRow::save(tx, &moved).await?;
        HealthEventRow::add(tx, &lines).await?;
        move_axes(tx, &people, now).await
    }
}

/// Somebody of whom nothing is known: normal.
pub(super) fn unknown(person: Vec<u8>, kind: i16, path: &str) -> MedicalRow {
    MedicalRow {
        person,
        kind,
        org_path: path.to_owned(),
        state: Medical::Normal.code(),
        ..MedicalRow::default()
    }
}

/// The next line of a person's history.
pub(super) fn line(
    row: &mut MedicalRow,
    verb: MedicalVerb,
    state: Medical,
    (actor, note): (&str, &str),
    now: DateTime<Utc>,
) -> HealthEventRow {
    row.version += 1;
    HealthEventRow {
        person: row.person.clone(),
        sequence: row.version,
        time: now.timestamp_millis(),
        verb: verb.name().to_owned(),
        state: state.code(),
        actor: actor.to_owned(),
        note: note.to_owned(),
        rule: verb.rule().to_owned(),
        policy_version: row.policy_version.clone(),
    }
}
