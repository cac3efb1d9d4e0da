//! What begins and ends to bear on people's control axis.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::{ConnectionTrait, Value as SqlValue};

use super::App;
use super::axes::{lock_people, move_axes};
use crate::domain::day::Day;
use crate::domain::roll::PersonId;
use crate::error::Error;
use crate::store::clearance;
use crate::store::controls::{self, ControlRow};
use crate::store::policy::Facts;
use kit::rows::Row;

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
        let people = lock_people(tx, names).await?;
        for (basis, people) in lifted {
            controls::lift(tx, &basis, people).await?;
        }
        ControlRow::save(tx, &set).await?;
        move_axes(tx, &people, now).await
    }

    /// Who in the schools from `first` to `last` is not drawn on a day: everybody who is not clear,
    /// except those under health monitoring whom the policy lets in (rule 1.24).
    pub(super) async fn not_drawn<C: ConnectionTrait + Sync>(
        &self,
        connection: &C,
        facts: &Facts,
        (first, last): (&str, &str),
        day: Day,
    ) -> Result<HashSet<PersonId>, Error> {
        let mut people = clearance::not_clear(connection, first, last).await?;
        for (person, place) in clearance::monitored(connection, first, last).await? {
            let policy = facts.policy(&place, day);
            if policy.is_some_and(|policy| policy.health.admit_health_monitoring) {
                people.remove(&person);
            }
        }
        Ok(people)
    }
}
