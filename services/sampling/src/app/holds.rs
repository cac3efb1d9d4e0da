//! What follows from positive tubes: holds, single swabs, and who may enter.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::feed::announce;
use kit::request::{Once, once};
use proto::sampling::{Hold, ReleaseHoldRequest};
use sea_orm::Value as SqlValue;

use super::App;
use crate::domain::hold::{Control, HoldState, Outcome, Single, decide};
use crate::domain::laboratory_result::Value;
use crate::domain::roll::{GroupKind, person};
use crate::error::Error;
use crate::grpc::{convert::person_name, tube_convert};
use crate::store::holds::{
    ClearanceRow, ControlRow, HoldEventRow, HoldRow, RecheckRow, next_versions,
};
use crate::store::tubes::{Lock, SwabRow, TubeRow, execute_in};

/// The controls of everybody touched, before and after.
#[derive(Debug, Default)]
struct Controls {
    set: Vec<ControlRow>,
    gone: Vec<(Vec<u8>, String)>,
}

fn keys(codes: &BTreeSet<String>) -> Vec<SqlValue> {
    codes.iter().map(|code| code.as_str().into()).collect()
}

fn name_of(kind: i16, id: &[u8]) -> String {
    person_name(
        GroupKind::from_code(kind).unwrap_or(GroupKind::Students),
        person(id),
    )
}

impl App {
    /// Makes holds, controls and clearance of these tubes what their results say, whatever came
    /// before. `singles` are single tubes whose result changed.
    pub(crate) async fn settle(
        &self,
        tx: &Tx,
        caller: &Caller,
        tubes: &mut BTreeMap<String, TubeRow>,
        codes: &BTreeSet<String>,
        singles: &[TubeRow],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if codes.is_empty() {
            return Ok(());
        }
        let mut members: BTreeMap<String, Vec<SwabRow>> = BTreeMap::new();
        for swab in SwabRow::find(tx, "tube", keys(codes), Lock::No).await? {
            members.entry(swab.tube.clone()).or_default().push(swab);
        }
        let mut holds: HashMap<String, HoldRow> = HoldRow::find(tx, "tube", keys(codes), Lock::Yes)
            .await?
            .into_iter()
            .map(|hold| (hold.tube.clone(), hold))
            .collect();
        let mut orders: HashMap<(String, Vec<u8>), RecheckRow> =
            RecheckRow::find(tx, "hold", keys(codes), Lock::No)
                .await?
                .into_iter()
                .map(|order| ((order.hold.clone(), order.person.clone()), order))
                .collect();
        self.note_singles(tx, singles, &mut orders).await?;
        let mut had: HashMap<String, HashMap<Vec<u8>, i16>> = HashMap::new();
        let bases = codes
            .iter()
            .map(|code| format!("holds/{code}").into())
            .collect();
        for row in ControlRow::find(tx, "basis", bases, Lock::No).await? {
            had.entry(row.basis)
                .or_default()
                .insert(row.person, row.control);
        }
        let mut controls = Controls::default();
        let (mut saved, mut events, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for code in codes {
            let Some(tube) = tubes.get_mut(code) else {
                continue;
            };
            let swabs = members.remove(code).unwrap_or_default();
            let policy = self.policy_at(tx, &tube.org_path).await?;
            let after = |span: std::time::Duration| {
                now.timestamp_millis() + i64::try_from(span.as_millis()).unwrap_or(0)
            };
            let positive = Value::from_code(tube.result).is_some_and(Value::holds);
            let mut hold = match holds.remove(code) {
                Some(hold) => hold,
                None if !positive => continue,
                None => HoldRow {
                    tube: code.clone(),
                    org_path: tube.org_path.clone(),
                    class_group: tube.class_group.clone(),
                    ..HoldRow::default()
                },
            };
            let begins = positive
                && (hold.state == 0
                    || (hold.end_time != 0 && !hold.by_hand && hold.end_reason == CORRECTED));
            if begins {
                hold.start_time = now.timestamp_millis();
                hold.notify_due = after(policy.positive_notify);
                hold.recheck_due = after(policy.positive_resample);
                hold.policy_version.clone_from(&policy.version);
            }
            for swab in swabs.iter().filter(|_| positive) {
                let key = (code.clone(), swab.person.clone());
                orders.entry(key).or_insert_with(|| RecheckRow {
                    hold: code.clone(),
                    person: swab.person.clone(),
                    kind: swab.kind,
                    due_time: hold.recheck_due,
                    ..RecheckRow::default()
                });
            }
            let single = |swab: &SwabRow| {
                let order = orders.get(&(code.clone(), swab.person.clone()));
                match order.map(|order| (order.tube.is_empty(), Value::from_code(order.result))) {
                    None | Some((true, _)) => Single::Ordered,
                    Some((false, None | Some(Value::Invalid))) => Single::Pending,
                    Some((false, Some(value))) => Single::Found(value),
                }
            };
            let outcome = if positive {
                let found: Vec<Single> = swabs.iter().map(single).collect();
                let outcome = decide(&found, hold.by_hand, policy.auto_release);
                tube.state = match (tube.stands()?, outcome.tube) {
                    // The first single is open already, though nothing of it is known.
                    (
                        crate::domain::tube::State::Recheck,
                        crate::domain::tube::State::HoldActive,
                    ) => tube.state,
                    (_, state) => state.code(),
                };
                tube.positives = i32::try_from(outcome.positives).unwrap_or(i32::MAX);
                outcome
            } else {
                tube.positives = 0;
                Outcome {
                    hold: HoldState::Released,
                    tube: tube.stands()?,
                    controls: vec![None; swabs.len()],
                    positives: 0,
                }
            };
            let (actor, reason) = if positive {
                ("rule 2.22", "")
            } else {
                (caller.subject.as_str(), CORRECTED)
            };
            hold.positives = tube.positives;
            end(&mut hold, outcome.hold, reason, now);
            let basis = format!("holds/{code}");
            let had = had.remove(&basis).unwrap_or_default();
            let mut sequence = hold.version * 1000;
            for (swab, control) in swabs.iter().zip(&outcome.controls) {
                let code = control.map(Control::code);
                if had.get(&swab.person).copied() == code {
                    continue;
                }
                sequence += 1;
                events.push(HoldEventRow {
                    hold: hold.tube.clone(),
                    sequence,
                    time: now.timestamp_millis(),
                    kind: kind_of(*control).to_owned(),
                    person: name_of(swab.kind, &swab.person),
                    actor: actor.to_owned(),
                    reason: if reason.is_empty() {
                        hold.end_reason.clone()
                    } else {
                        reason.to_owned()
                    },
                });
                match code {
                    Some(control) => controls.set.push(ControlRow {
                        person: swab.person.clone(),
                        basis: basis.clone(),
                        control,
                        since: now.timestamp_millis(),
                        org_path: swab.org_path.clone(),
                        policy_version: hold.policy_version.clone(),
                    }),
                    None => controls.gone.push((swab.person.clone(), basis.clone())),
                }
            }
            hold.version += 1;
            told.push(tube_convert::hold_change(&hold, &swabs));
            saved.push(hold);
        }
        HoldRow::save(tx, &saved).await?;
        let orders: Vec<RecheckRow> = orders.into_values().collect();
        RecheckRow::save(tx, &orders).await?;
        HoldEventRow::add(tx, &events).await?;
        announce(tx, told).await?;
        self.move_controls(tx, controls, names_of(&events), now)
            .await
    }

    /// Notes what singles found in their orders.
    async fn note_singles(
        &self,
        tx: &Tx,
        singles: &[TubeRow],
        orders: &mut HashMap<(String, Vec<u8>), RecheckRow>,
    ) -> Result<(), Error> {
        let by_code: HashMap<&str, &TubeRow> = singles
            .iter()
            .map(|tube| (tube.code.as_str(), tube))
            .collect();
        let codes = by_code.keys().map(|code| (*code).into()).collect();
        for swab in SwabRow::find(tx, "tube", codes, Lock::No).await? {
            let tube = by_code[swab.tube.as_str()];
            if let Some(order) = orders.get_mut(&(tube.parent.clone(), swab.person)) {
                order.tube.clone_from(&tube.code);
                order.result = tube.result;
            }
        }
        Ok(())
    }

    /// Stores controls, and tells whose clearance changed.
    async fn move_controls(
        &self,
        tx: &Tx,
        controls: Controls,
        names: HashMap<Vec<u8>, String>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Controls { set, gone } = controls;
        let mut people: BTreeSet<Vec<u8>> = set.iter().map(|row| row.person.clone()).collect();
        people.extend(gone.iter().map(|(person, _)| person.clone()));
        let people: Vec<Vec<u8>> = people.into_iter().collect();
        if people.is_empty() {
            return Ok(());
        }
        let versions = next_versions(tx, &people).await?;
        let mut bases = BTreeMap::<String, Vec<SqlValue>>::new();
        for (person, basis) in gone {
            bases.entry(basis).or_default().push(person.into());
        }
        for (basis, people) in bases {
            let sql = format!(
                "DELETE FROM control_states WHERE basis = '{}' AND person",
                basis.replace('\'', "")
            );
            execute_in(tx, &sql, people).await?;
        }
        ControlRow::save(tx, &set).await?;
        let all = people.iter().map(|person| person.clone().into()).collect();
        let mut strongest: HashMap<Vec<u8>, ControlRow> = HashMap::new();
        for row in ControlRow::find(tx, "person", all, Lock::No).await? {
            let known = strongest
                .entry(row.person.clone())
                .or_insert_with(|| row.clone());
            if Control::from_code(row.control) > Control::from_code(known.control) {
                *known = row;
            }
        }
        let all: Vec<SqlValue> = people.iter().map(|person| person.clone().into()).collect();
        let before = ClearanceRow::find(tx, "person", all.clone(), Lock::No).await?;
        let places: HashMap<Vec<u8>, String> = before
            .into_iter()
            .map(|row| (row.person, row.org_path))
            .collect();
        let (mut rows, mut changes, mut clear) = (Vec::new(), Vec::new(), Vec::new());
        for (id, version) in people.iter().zip(versions) {
            let name = names.get(id).cloned().unwrap_or_default();
            match strongest.remove(id) {
                Some(control) => {
                    let row = ClearanceRow {
                        person: id.clone(),
                        org_path: control.org_path,
                        control: control.control,
                        medical: 1,
                        effective_time: now.timestamp_millis(),
                        rule: "2.19".to_owned(),
                        policy_version: control.policy_version,
                        basis: control.basis,
                        version,
                    };
                    changes.push(tube_convert::clearance_change(&name, &row, false));
                    rows.push(row);
                }
                None => {
                    let org_path = places.get(id).cloned().unwrap_or_default();
                    let row = ClearanceRow {
                        person: id.clone(),
                        org_path,
                        version,
                        ..ClearanceRow::default()
                    };
                    changes.push(tube_convert::clearance_change(&name, &row, true));
                    clear.push(id.clone().into());
                }
            }
        }
        ClearanceRow::save(tx, &rows).await?;
        execute_in(tx, "DELETE FROM clearances WHERE person", clear).await?;
        announce(tx, changes).await?;
        Ok(())
    }

    /// Releases a hold by the decision of a human.
    pub(crate) async fn release_hold(
        &self,
        caller: &Caller,
        code: &str,
        request: &ReleaseHoldRequest,
    ) -> Result<Hold, Error> {
        caller.allowed(Permission::HoldRelease)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        // The tube first: that is the order of all writers.
        let tube = TubeRow::find(&tx, "code", vec![code.into()], Lock::Yes)
            .await?
            .pop();
        let hold = HoldRow::find(&tx, "tube", vec![code.into()], Lock::Yes)
            .await?
            .pop();
        let path = hold.as_ref().map_or("", |hold| &hold.org_path);
        Self::check_path(caller, Permission::HoldRelease, path)?;
        let (Some(tube), Some(mut hold)) = (tube, hold) else {
            return Err(Error::NotFound(format!("holds/{code}")));
        };
        let request_id = &request.request_id;
        let ticket = match once(&tx, caller, "ReleaseHold", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        if hold.state != HoldState::Active.code() {
            let state = proto::sampling::hold::State::try_from(i32::from(hold.state));
            let state = state
                .unwrap_or_default()
                .as_str_name()
                .trim_start_matches("STATE_");
            return Err(Error::HoldState(state.to_owned()));
        }
        hold.by_hand = true;
        hold.end_reason = format!("{}: {}", request.decided_by, request.reason);
        HoldRow::save(&tx, std::slice::from_ref(&hold)).await?;
        let mut tubes = BTreeMap::from([(code.to_owned(), tube)]);
        let codes = BTreeSet::from([code.to_owned()]);
        self.settle(&tx, caller, &mut tubes, &codes, &[], now)
            .await?;
        let hold = HoldRow::find(&tx, "tube", vec![code.into()], Lock::No)
            .await?
            .pop();
        let swabs = SwabRow::find(&tx, "tube", vec![code.into()], Lock::No).await?;
        let answer = hold
            .map(|hold| tube_convert::hold(&hold, &swabs))
            .unwrap_or_default();
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

const CORRECTED: &str = "the result was corrected";

/// Ends a hold, or begins it again.
fn end(hold: &mut HoldRow, state: HoldState, reason: &str, now: DateTime<Utc>) {
    if hold.state == state.code() {
        return;
    }
    hold.state = state.code();
    if state == HoldState::Active {
        (hold.end_time, hold.end_reason) = (0, String::new());
        return;
    }
    hold.end_time = now.timestamp_millis();
    if !reason.is_empty() {
        hold.end_reason = reason.to_owned();
    } else if !hold.by_hand {
        hold.end_reason = if state == HoldState::ResolvedNegative {
            "all singles are negative"
        } else {
            "some singles are positive"
        }
        .to_owned();
    }
}

fn kind_of(control: Option<Control>) -> &'static str {
    match control {
        None => "RELEASED",
        Some(Control::PoolHold) => "HELD",
        Some(Control::CloseContact) => "CONTACT",
        Some(Control::Isolated) => "ISOLATED",
    }
}

/// The names of the people of audit lines, by their ids.
fn names_of(events: &[HoldEventRow]) -> HashMap<Vec<u8>, String> {
    let id = |name: &str| {
        let id = name.rsplit('/').next().unwrap_or_default();
        uuid::Uuid::parse_str(id)
            .map(|id| id.as_bytes().to_vec())
            .unwrap_or_default()
    };
    events
        .iter()
        .map(|event| (id(&event.person), event.person.clone()))
        .collect()
}
