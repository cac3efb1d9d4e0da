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
use crate::domain::health::sign::Sign;
use crate::domain::roll::PersonId;
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::store::health::medical::{HealthEventRow, MedicalRow};
use crate::store::health::signs;
use crate::store::policy::Facts;
use kit::rows::{Lock, Row};

/// The rule that moves people without a human.
const RULE: &str = "rule 1.24";

impl App {
    /// Settles the medical state of people of whom something else is said now: whoever no human
    /// moved is symptomatic exactly while a sign stands that was seen after the last clearing, and nobody
    /// has recovered who was seen with symptoms since. Returns everything that is said of them.
    pub(super) async fn settle_medical(
        &self,
        tx: &Tx,
        facts: &Facts,
        touched: &Touched,
        now: DateTime<Utc>,
    ) -> Result<Vec<Sign>, Error> {
        let names: BTreeMap<Vec<u8>, String> = touched
            .people
            .iter()
            .map(|(person, kind)| (person.0.to_vec(), person_name(*kind, *person)))
            .collect();
        let mut people = lock_people(tx, names).await?;
        let keys: Vec<Value> = people.keys().cloned().map(Value::from).collect();
        let said = signs::of_people(tx, keys.clone()).await?;
        let (ill, symptoms) = (last_ill(&said), last_symptoms(&said));
        let rows = MedicalRow::find(tx, "person", keys, Lock::No).await?;
        let mut rows: HashMap<Vec<u8>, MedicalRow> = rows
            .into_iter()
            .map(|row| (row.person.clone(), row))
            .collect();
        let (mut moved, mut lines) = (Vec::new(), Vec::new());
        for (person, kind) in &touched.people {
            let key = person.0.to_vec();
            let row = rows.remove(&key);
            let mut row = row.unwrap_or_else(|| unknown(key.clone(), kind.code(), ""));
            let last = ill.get(person);
            let (seen, place) = last.map_or((0, ""), |sign| (sign.time, sign.group.as_str()));
            let policy = facts.policy(&row.org_path, self.today());
            let mut health = row.health()?;
            let symptoms = symptoms.get(person).copied().unwrap_or_default();
            let relapsed = policy.is_some_and(|policy| health.relapse(symptoms, &policy.health));
            if relapsed {
                row.take(health);
            }
            let Some(verb) = by_itself(row.stands()?, row.cleared, seen) else {
                people.remove(&key);
                moved.extend(relapsed.then_some(row));
                continue;
            };
            if !place.is_empty() {
                place.clone_into(&mut row.org_path);
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
        move_axes(tx, &people, now).await?;
        Ok(said)
    }
}

/// What was said last of each of these people who was ill then: with symptoms or a diagnosis.
fn last_ill(said: &[Sign]) -> HashMap<PersonId, &Sign> {
    let is_ill = |sign: &&Sign| {
        let diagnosed = sign.diagnosis.is_some_and(|(disease, _)| disease.0 != 0);
        !sign.symptoms.is_empty() || diagnosed
    };
    let mut last: HashMap<PersonId, &Sign> = HashMap::new();
    for sign in said.iter().filter(is_ill) {
        let known = last.entry(sign.person).or_insert(sign);
        if (known.time, &known.source) < (sign.time, &sign.source) {
            *known = sign;
        }
    }
    last
}

/// When each of these people was seen with symptoms last, in milliseconds since 1970; those who never
/// were are left out.
fn last_symptoms(said: &[Sign]) -> HashMap<PersonId, i64> {
    let mut last: HashMap<PersonId, i64> = HashMap::new();
    for sign in said.iter().filter(|sign| !sign.symptoms.is_empty()) {
        let known = last.entry(sign.person).or_insert(sign.time);
        *known = sign.time.max(*known);
    }
    last
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
