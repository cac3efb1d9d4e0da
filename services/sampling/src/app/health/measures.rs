//! Controls that are decided outside of the schools: placed, lifted, over.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use proto::sampling::{
    ControlMeasure, LiftControlRequest, PlaceControlsRequest, PlaceControlsResponse,
};

use super::case_files::school_of;
use super::contacts::end_of;
use super::deadlines::{self, Deadline};
use crate::app::App;
use crate::app::controls::Controls;
use crate::domain::measure::{MeasureState, MeasureVerb, Terms};
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::control_convert::measure;
use crate::grpc::tube_convert::member;
use crate::store::controls::ControlRow;
use crate::store::measures::{self, MeasureRow};
use crate::store::people;
use kit::rows::{Lock, Row};

/// The rule of controls from outside.
const RULE: &str = "2.21";

/// What is placed on whom.
#[derive(Clone, Debug)]
pub(crate) struct Placing {
    pub(crate) people: Vec<(PersonId, GroupKind)>,
    pub(crate) terms: Terms,
    pub(crate) document: String,
    pub(crate) reason: String,
}

impl App {
    /// Places the same control on people, all or none, in the order asked.
    pub(crate) async fn place_controls(
        &self,
        caller: &Caller,
        placing: Placing,
        request: &PlaceControlsRequest,
    ) -> Result<PlaceControlsResponse, Error> {
        caller.allowed(Permission::ControlWrite)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let paths = placed_at(&tx, caller, &placing.people).await?;
        let schools: Vec<&str> = paths.iter().map(|path| school_of(path)).collect();
        self.lock_health(&tx, &schools).await?;
        let id = request.request_id.as_str();
        let ticket = match once(&tx, caller, "PlaceControls", id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let facts = self.facts.get(&tx).await?;
        let rows: Vec<MeasureRow> = placing
            .people
            .iter()
            .zip(&paths)
            .map(|((person, kind), path)| MeasureRow {
                id: self.identifier(now),
                person: person.0.to_vec(),
                kind: kind.code(),
                org_path: path.clone(),
                control: placing.terms.control.code(),
                setting: placing.terms.setting,
                state: MeasureState::Placed.code(),
                first_day: i32::from(placing.terms.first.number()),
                last_day: i32::from(placing.terms.last.number()),
                document: placing.document.clone(),
                reason: placing.reason.clone(),
                place_time: now.timestamp_millis(),
                placed_by: caller.subject.clone(),
                policy_version: facts
                    .policy(path, self.today())
                    .map_or_else(String::new, |policy| policy.version.clone()),
                ..MeasureRow::default()
            })
            .collect();
        self.put_in_force(&tx, caller, &placing.terms, &rows, now)
            .await?;
        let answer = PlaceControlsResponse {
            control_measures: rows.iter().map(measure).collect(),
        };
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Stores controls that are placed now, in place of those of the same kind.
    async fn put_in_force(
        &self,
        tx: &Tx,
        caller: &Caller,
        terms: &Terms,
        rows: &[MeasureRow],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut controls = Controls::default();
        let keys = rows.iter().map(|row| row.person.clone().into()).collect();
        let mut before = MeasureRow::find(tx, "person", keys, Lock::No).await?;
        before.retain(|row| {
            row.state == MeasureState::Placed.code() && row.control == terms.control.code()
        });
        let new: HashMap<&[u8], &MeasureRow> = rows
            .iter()
            .map(|row| (row.person.as_slice(), row))
            .collect();
        for old in &mut before {
            let Some(new) = new.get(old.person.as_slice()) else {
                continue;
            };
            end(old, MeasureVerb::Replace, now)?;
            old.ended_by.clone_from(&caller.subject);
            old.end_reason = new.name();
            deadlines::settle(tx, Deadline::MeasureEnds, &old.id).await?;
            let name = member(old.kind, &old.person);
            controls.lift(name, old.person.clone(), old.name());
        }
        MeasureRow::save(tx, &before).await?;
        MeasureRow::save(tx, rows).await?;
        let until = if terms.last.is_never() {
            0
        } else {
            end_of(terms.last)
        };
        for row in rows {
            let control = ControlRow {
                person: row.person.clone(),
                basis: row.name(),
                control: row.control,
                since: now.timestamp_millis(),
                org_path: row.org_path.clone(),
                policy_version: row.policy_version.clone(),
                rule: RULE.to_owned(),
                until,
            };
            controls.set(member(row.kind, &row.person), control);
            if until != 0 {
                deadlines::wait(tx, Deadline::MeasureEnds, &row.id, until).await?;
            }
        }
        self.move_controls(tx, controls, now).await
    }

    /// Lifts a control before its day.
    pub(crate) async fn lift_control(
        &self,
        caller: &Caller,
        id: &str,
        request: &LiftControlRequest,
    ) -> Result<ControlMeasure, Error> {
        let permission = Permission::ControlWrite;
        caller.allowed(permission)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let row = self.locked_measure(&tx, id).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        let mut row = row.ok_or_else(|| not_found(id))?;
        let request_id = request.request_id.as_str();
        let ticket = match once(&tx, caller, "LiftControl", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        end(&mut row, MeasureVerb::Lift, now)?;
        row.ended_by.clone_from(&caller.subject);
        row.end_reason.clone_from(&request.reason);
        deadlines::settle(&tx, Deadline::MeasureEnds, id).await?;
        self.take_off(&tx, &row, now).await?;
        let answer = measure(&row);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Stores a control that came to its end: it bears on nobody any more.
    async fn take_off(&self, tx: &Tx, row: &MeasureRow, now: DateTime<Utc>) -> Result<(), Error> {
        MeasureRow::save(tx, std::slice::from_ref(row)).await?;
        let mut controls = Controls::default();
        let name = member(row.kind, &row.person);
        controls.lift(name, row.person.clone(), row.name());
        self.move_controls(tx, controls, now).await
    }

    /// A control whose school is locked; none when there is none.
    pub(super) async fn locked_measure(
        &self,
        tx: &Tx,
        id: &str,
    ) -> Result<Option<MeasureRow>, Error> {
        let Some(row) = MeasureRow::get(tx, id, Lock::No).await? else {
            return Ok(None);
        };
        self.lock_health(tx, &[school_of(&row.org_path)]).await?;
        Ok(MeasureRow::get(tx, id, Lock::Yes).await?)
    }

    /// The last day of a control is over. The school is locked.
    pub(super) async fn measure_ends(
        &self,
        tx: &Tx,
        mut row: MeasureRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if row.stands()?.after(MeasureVerb::End).is_none() {
            return Ok(());
        }
        end(&mut row, MeasureVerb::End, now)?;
        self.take_off(tx, &row, now).await
    }

    /// One control.
    pub(crate) async fn get_measure(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<ControlMeasure, Error> {
        let permission = Permission::CaseRead;
        let row = self.readable_measure(caller, permission, id).await?;
        Ok(measure(&row))
    }

    /// A control with which the caller may do `permission`.
    pub(crate) async fn readable_measure(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<MeasureRow, Error> {
        caller.allowed(permission)?;
        let row = MeasureRow::get(self.db.read(), id, Lock::No).await?;
        let path = row.as_ref().map_or("", |row| &row.org_path);
        Self::check_path(caller, permission, path)?;
        row.ok_or_else(|| not_found(id))
    }

    /// Controls of people below an organisation, by identifier after `after`.
    pub(crate) async fn list_measures(
        &self,
        caller: &Caller,
        organization: &str,
        state: i16,
        after: &str,
        limit: u64,
    ) -> Result<Vec<MeasureRow>, Error> {
        let place = self
            .place(caller, Permission::CaseRead, organization)
            .await?;
        Ok(measures::list(self.db.read(), &place, state, after, limit).await?)
    }
}

/// The places of people on whom the caller may place a control, in their order.
async fn placed_at(
    tx: &Tx,
    caller: &Caller,
    people: &[(PersonId, GroupKind)],
) -> Result<Vec<String>, Error> {
    let ids: Vec<PersonId> = people.iter().map(|(person, _)| *person).collect();
    let located = people::locate_all(tx, &ids).await?;
    let mut paths = Vec::with_capacity(people.len());
    for (person, kind) in people {
        let found = located.get(person);
        let found = found.filter(|found| found.group.kind == *kind);
        let path = found.map_or("", |found| &found.group.path);
        App::check_path(caller, Permission::ControlWrite, path)?;
        if found.is_none() {
            return Err(Error::NotFound(person_name(*kind, *person)));
        }
        paths.push(path.to_owned());
    }
    Ok(paths)
}

fn not_found(id: &str) -> Error {
    Error::NotFound(format!("controlMeasures/{id}"))
}

/// Brings a control to its end.
fn end(row: &mut MeasureRow, verb: MeasureVerb, now: DateTime<Utc>) -> Result<(), Error> {
    let state = row.stands()?;
    row.state = state.after(verb).ok_or(Error::ControlState(state))?.code();
    row.end_time = now.timestamp_millis();
    Ok(())
}
