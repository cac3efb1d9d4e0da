//! Each person's control axis and the clearance that follows from it: the strongest counts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::feed::announce;
use sea_orm::Value as SqlValue;

use super::App;
use crate::domain::hold::Control;
use crate::error::Error;
use crate::grpc::announced::clearance_change;
use crate::store::clearance::{self, ClearanceRow};
use crate::store::controls::{self, ControlRow, next_versions};
use crate::store::rows::{Lock, Row};

/// What begins and ends to bear on people.
#[derive(Debug, Default)]
pub(super) struct Controls {
    set: Vec<ControlRow>,
    lifted: BTreeMap<String, Vec<SqlValue>>,
    /// The resource name of everybody concerned; in the order in which all writers lock people.
    names: BTreeMap<Vec<u8>, String>,
}

impl Controls {
    /// This bears on the person from now on, in place of what the same basis said before.
    pub(super) fn set(&mut self, name: String, control: ControlRow) {
        self.names.insert(control.person.clone(), name);
        self.set.push(control);
    }

    /// This basis bears on the person no more.
    pub(super) fn lift(&mut self, name: String, person: Vec<u8>, basis: String) {
        self.names.insert(person.clone(), name);
        self.lifted.entry(basis).or_default().push(person.into());
    }
}

impl App {
    /// Stores controls, and tells whose clearance changed.
    pub(super) async fn move_controls(
        &self,
        tx: &Tx,
        controls: Controls,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Controls { set, lifted, names } = controls;
        if names.is_empty() {
            return Ok(());
        }
        let people: Vec<Vec<u8>> = names.keys().cloned().collect();
        let versions = next_versions(tx, &people).await?;
        for (basis, people) in lifted {
            controls::lift(tx, &basis, people).await?;
        }
        ControlRow::save(tx, &set).await?;
        let keys: Vec<SqlValue> = people.iter().map(|person| person.clone().into()).collect();
        let mut strongest = strongest(tx, keys.clone()).await?;
        let before = ClearanceRow::find(tx, "person", keys, Lock::No).await?;
        let mut before: HashMap<Vec<u8>, ClearanceRow> = before
            .into_iter()
            .map(|row| (row.person.clone(), row))
            .collect();
        let (mut held, mut clear, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for ((person, name), version) in names.iter().zip(versions) {
            match strongest.remove(person) {
                Some(control) => {
                    let row = not_clear(control, version, now);
                    changes.push(clearance_change(name, &row, false));
                    held.push(row);
                }
                None => {
                    let row = ClearanceRow {
                        version,
                        ..before.remove(person).unwrap_or_default()
                    };
                    changes.push(clearance_change(name, &row, true));
                    clear.push(person.clone().into());
                }
            }
        }
        ClearanceRow::save(tx, &held).await?;
        clearance::clear(tx, clear).await?;
        announce(tx, changes).await?;
        Ok(())
    }
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

fn not_clear(control: ControlRow, version: i64, now: DateTime<Utc>) -> ClearanceRow {
    let ControlRow {
        person,
        basis,
        control,
        since: _,
        org_path,
        policy_version,
        rule,
        until: _,
    } = control;
    ClearanceRow {
        person,
        org_path,
        control,
        medical: 1,
        effective_time: now.timestamp_millis(),
        rule,
        policy_version,
        basis,
        version,
    }
}
