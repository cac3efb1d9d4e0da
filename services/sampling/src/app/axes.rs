//! Settles the clearance of people from both their axes: control, of which the strongest counts, and
//! medical (rule 1.24).

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::feed::announce;
use sea_orm::Value as SqlValue;

use crate::domain::control::Control;
use crate::domain::health::medical::Medical;
use crate::error::Error;
use crate::grpc::announced::clearance_change;
use crate::store::clearance::{self, ClearanceRow};
use crate::store::controls::{ControlRow, next_versions};
use crate::store::health::medical::MedicalRow;
use kit::rows::{Lock, Row};

/// The rule of the medical axis.
const MEDICAL_RULE: &str = "1.24";
/// Numbers of the contract: nothing bears on the person, and the person must not attend.
const FREE: i16 = 1;
const NOT_ADMITTED: i16 = 2;

/// People who are locked: the resource name of each and the next version of their clearance, in the
/// order in which all writers lock people.
pub(super) type Locked = BTreeMap<Vec<u8>, (String, i64)>;

/// Locks people, named by their identity. Taken after tubes, holds and schools.
pub(super) async fn lock_people(
    tx: &Tx,
    names: BTreeMap<Vec<u8>, String>,
) -> Result<Locked, Error> {
    let people: Vec<Vec<u8>> = names.keys().cloned().collect();
    let versions = next_versions(tx, &people).await?;
    let named = names.into_iter().zip(versions);
    Ok(named
        .map(|((person, name), version)| (person, (name, version)))
        .collect())
}

/// Stores and announces the clearance of people one of whose axes moved: whoever is clear on both
/// has none. Announced in the transaction of the move, so a gate hears of it within a second.
pub(super) async fn move_axes(tx: &Tx, people: &Locked, now: DateTime<Utc>) -> Result<(), Error> {
    if people.is_empty() {
        return Ok(());
    }
    let keys = || -> Vec<SqlValue> {
        let people = people.keys();
        people.map(|person| person.clone().into()).collect()
    };
    let mut strongest = strongest(tx, keys()).await?;
    let mut medical: HashMap<Vec<u8>, MedicalRow> = HashMap::new();
    for row in MedicalRow::find(tx, "person", keys(), Lock::No).await? {
        if row.stands()? != Medical::Normal {
            medical.insert(row.person.clone(), row);
        }
    }
    let before = ClearanceRow::find(tx, "person", keys(), Lock::No).await?;
    let mut before: HashMap<Vec<u8>, ClearanceRow> = before
        .into_iter()
        .map(|row| (row.person.clone(), row))
        .collect();
    let (mut kept_out, mut clear, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for (person, (name, version)) in people {
        let (control, medical) = (strongest.remove(person), medical.remove(person));
        match not_clear(name, control, medical) {
            Some(row) => {
                let row = ClearanceRow {
                    effective_time: now.timestamp_millis(),
                    version: *version,
                    ..row
                };
                changes.push(clearance_change(name, &row, false));
                kept_out.push(row);
            }
            None => {
                let row = ClearanceRow {
                    version: *version,
                    ..before.remove(person).unwrap_or_default()
                };
                changes.push(clearance_change(name, &row, true));
                clear.push(person.clone().into());
            }
        }
    }
    ClearanceRow::save(tx, &kept_out).await?;
    clearance::clear(tx, clear).await?;
    announce(tx, changes).await?;
    Ok(())
}

/// The strongest control of each person.
async fn strongest(tx: &Tx, people: Vec<SqlValue>) -> Result<HashMap<Vec<u8>, ControlRow>, Error> {
    let mut strongest: HashMap<Vec<u8>, ControlRow> = HashMap::new();
    for row in ControlRow::find(tx, "person", people, Lock::No).await? {
        let known = strongest
            .entry(row.person.clone())
            .or_insert_with(|| row.clone());
        if Control::from_code(row.control) > Control::from_code(known.control) {
            *known = row;
        }
    }
    Ok(strongest)
}

/// What keeps somebody out; of both axes the medical one gives the rule, for a gate refuses by it
/// first.
fn not_clear(
    name: &str,
    control: Option<ControlRow>,
    medical: Option<MedicalRow>,
) -> Option<ClearanceRow> {
    let controlled = control.map(|control| ClearanceRow {
        person: control.person,
        org_path: control.org_path,
        control: control.control,
        medical: 1,
        rule: control.rule,
        policy_version: control.policy_version,
        basis: control.basis,
        ..ClearanceRow::default()
    });
    let Some(medical) = medical else {
        return controlled;
    };
    Some(ClearanceRow {
        person: medical.person,
        org_path: medical.org_path,
        control: controlled.map_or(FREE, |row| row.control),
        medical: NOT_ADMITTED,
        rule: MEDICAL_RULE.to_owned(),
        policy_version: medical.policy_version,
        basis: format!("{name}/health"),
        ..ClearanceRow::default()
    })
}
