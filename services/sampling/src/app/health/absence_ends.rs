//! Absences that end by what a check says: whoever a complete check of their group does not name any
//! more is back. Found when the time of a check is over, for many schools at once, so that only a check
//! that comes later has to ask for it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;

use super::absence_book::Changed;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::absence::returned;
use crate::domain::health::check::Unit;
use crate::domain::health::medical::Medical;
use crate::domain::health::rules::Slot;
use crate::error::Error;
use crate::store::health::absences;
use crate::store::health::checks::{self, Key};
use crate::store::health::medical::MedicalRow;
use kit::rows::{Lock, Row};

impl App {
    /// Ends the absences at schools of those who are back by the checks of a slot. Whoever is not
    /// cleared by the school doctor is not back, whatever a check says (rule 1.13). The schools are
    /// locked.
    pub(super) async fn end_by_checks(
        &self,
        tx: &Tx,
        (day, slot): (Day, Slot),
        schools: &[&str],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut open = absences::going_on(tx, schools).await?;
        open.retain(|row| row.start_day <= i32::from(day.number()));
        let places: BTreeSet<&str> = open.iter().map(|row| row.org_path.as_str()).collect();
        let keys: Vec<Key> = places
            .into_iter()
            .map(|place| (day, slot, place.to_owned()))
            .collect();
        let mut held = BTreeMap::new();
        for check in checks::standing(tx, keys.iter()).await? {
            if check.unit()? != Unit::Room {
                held.insert(check.place.clone(), (check.capture_time, check.content()?));
            }
        }
        let mut back = Vec::new();
        for row in open {
            let Some((capture, content)) = held.get(&row.org_path) else {
                continue;
            };
            let known = [
                row.create_time,
                row.leave_time,
                row.illness_time,
                row.trace_time,
            ];
            let known = known.into_iter().max().unwrap_or_default();
            if returned(content, &row.person, *capture, known) {
                back.push((row, *capture));
            }
        }
        let people = back.iter().map(|(row, _)| row.person.clone().into());
        let mut kept = HashSet::new();
        for medical in MedicalRow::find(tx, "person", people.collect(), Lock::No).await? {
            if medical.stands()? != Medical::Normal {
                kept.insert(medical.person);
            }
        }
        let back = back
            .into_iter()
            .filter(|(row, _)| !kept.contains(&row.person));
        let ended = back.map(|(row, capture)| -> Changed {
            let mut ended = row.clone();
            ended.return_time = capture;
            (Some(row), ended)
        });
        self.keep_absences(tx, ended.collect(), now).await
    }
}
