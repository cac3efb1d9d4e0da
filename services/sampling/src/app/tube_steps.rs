//! Takes a tube one step on, with what follows from it in the same transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission, Role};
use kit::db::Tx;
use kit::feed::announce;
use kit::request::{Once, once};
use prost::Message;
use proto::sampling::Tube;

use super::App;
use crate::domain::hold::HoldState;
use crate::domain::laboratory_result::Value;
use crate::domain::tube::{State, Verb};
use crate::domain::tube_day::Course;
use crate::domain::tube_step::{Step, signed_by_two};
use crate::error::Error;
use crate::grpc::{announced, tube_convert};
use crate::store::holds::HoldRow;
use crate::store::swabs::{self, SwabRow};
use crate::store::tube_days::{self, Changes};
use crate::store::tubes::{CustodyRow, TubeRow};
use kit::rows::{Lock, Row};

impl TubeRow {
    /// Where the tube stands.
    pub(crate) fn stands(&self) -> Result<State, Error> {
        State::from_code(self.state)
            .ok_or_else(|| sea_orm::DbErr::Custom("unknown state of a tube".to_owned()).into())
    }

    /// Moves on, or is refused.
    pub(crate) fn apply(&mut self, verb: Verb) -> Result<(), Error> {
        self.state = self.stands()?.after(verb)?.code();
        Ok(())
    }

    /// Whether it holds regular swabs of people: neither a single that a hold ordered nor the
    /// sample of a point.
    pub(crate) fn is_regular(&self) -> bool {
        self.parent.is_empty() && self.point.is_empty()
    }

    /// The place of the school where it is used: that of its class group, or its own.
    fn school(&self) -> &str {
        match self.org_path.rsplit_once('/') {
            Some((school, _)) if !self.class_group.is_empty() => school,
            _ => &self.org_path,
        }
    }

    /// What it is counted by.
    fn course(&self) -> Course {
        let voided = self.state == State::Voided.code();
        Course {
            opened: self.day > 0 && !voided,
            sealed: self.seal_time > 0,
            received: self.receive_time > 0,
            late: self.late,
            gone: !self.reason.is_empty(),
            result: Value::from_code(self.result),
            version: self.result_version,
            due: self.due_time,
        }
    }
}

/// By how much the counts change when tubes are as they are instead of as they were; one that was not opened
/// before counted for nothing.
pub(super) fn counted<'a>(
    moved: impl IntoIterator<Item = (Option<&'a TubeRow>, &'a TubeRow)>,
    now: DateTime<Utc>,
) -> Changes {
    let mut changes = Changes::new();
    for (before, after) in moved {
        let before = before.map(TubeRow::course).unwrap_or_default();
        let change = before.change(after.course(), now.timestamp_millis());
        if !change.is_nothing() {
            let key = (after.day, after.school().to_owned());
            changes.entry(key).or_default().add(&change, 1);
        }
    }
    changes
}

impl App {
    /// One step of one tube.
    pub(crate) async fn step(
        &self,
        caller: &Caller,
        code: &str,
        step: &Step,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Tube, Error> {
        let permission = if step.is_of_laboratory() {
            Permission::TubeReceive
        } else {
            Permission::TubeHandle
        };
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let tube = TubeRow::get(&tx, code, Lock::Yes).await?;
        Self::check_tube(caller, permission, tube.as_ref(), code)?;
        let mut tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let ticket = match once(&tx, caller, step.name(), request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let before = tube.clone();
        self.take_step(&tx, caller, &mut tube, step, now).await?;
        let tubes = std::slice::from_mut(&mut tube);
        self.noted(&tx, caller, tubes, step.name(), &step.note(), now)
            .await?;
        tube_days::add(&tx, counted([(Some(&before), &tube)], now)).await?;
        let answer = tube_convert::tube(&tube, now, caller.is(Role::Laboratory));
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn take_step(
        &self,
        tx: &Tx,
        caller: &Caller,
        tube: &mut TubeRow,
        step: &Step,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let holds = matches!(tube.stands()?, State::HoldActive | State::Recheck);
        let verb = if holds && *step == Step::Close && is_released(tx, &tube.code).await? {
            Verb::CloseReleased
        } else {
            step.verb()
        };
        tube.apply(verb)?;
        match step {
            Step::Seal => self.seal(tx, caller, tube, now).await?,
            Step::HandOver { courier } => tube.courier.clone_from(courier),
            Step::Receive { courier, receiver } => {
                if !signed_by_two(&tube.courier, courier, receiver) {
                    return Err(Error::Signatures);
                }
                let policy = self.policy_at(tx, &tube.org_path).await?;
                tube.receive_time = now.timestamp_millis();
                let on_the_way = tube.receive_time - tube.seal_time;
                tube.late = on_the_way > millis(policy.max_to_laboratory);
            }
            Step::StartTesting | Step::Close => {}
            Step::Void { reason } => {
                tube.reason.clone_from(reason);
                swabs::discount(tx, vec![tube.code.as_str().into()]).await?;
            }
            Step::ReportLost { reason } => {
                tube.reason.clone_from(reason);
                self.resample(tx, std::slice::from_mut(tube), "LOST", now)
                    .await?;
            }
            Step::Reject { cause } => {
                tube.reason = (*cause).to_owned();
                self.resample(tx, std::slice::from_mut(tube), "REJECTED", now)
                    .await?;
            }
        }
        Ok(())
    }

    /// Starts the clocks, tells the rotation who was swabbed, and ends their make-up tasks.
    async fn seal(
        &self,
        tx: &Tx,
        caller: &Caller,
        tube: &mut TubeRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if tube.swab_count == 0 {
            return Err(Error::TubeEmpty);
        }
        let policy = self.policy_at(tx, &tube.org_path).await?;
        tube.seal_time = now.timestamp_millis();
        tube.due_time = tube.seal_time + millis(policy.result_sla);
        tube.sealed_by.clone_from(&caller.subject);
        if tube.is_regular() {
            self.rotate(tx, std::slice::from_ref(tube), true).await?;
        }
        let code = vec![tube.code.as_str().into()];
        let swabbed = SwabRow::find(tx, "tube", code, Lock::No).await?;
        let people = swabbed.into_iter().map(|swab| swab.person.into()).collect();
        swabs::made_up(tx, people).await?;
        Ok(())
    }

    /// Stores changed tubes, adds the custody event and announces them.
    pub(crate) async fn noted(
        &self,
        tx: &Tx,
        caller: &Caller,
        tubes: &mut [TubeRow],
        verb: &str,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for tube in tubes.iter_mut() {
            tube.version += 1;
        }
        let events: Vec<_> = tubes
            .iter()
            .map(|tube| custody(tube, verb, caller, note, now))
            .collect();
        TubeRow::save(tx, tubes).await?;
        CustodyRow::add(tx, &events).await?;
        let changes = tubes.iter().map(|tube| announced::tube_change(tube, now));
        announce(tx, changes.collect()).await?;
        Ok(())
    }
}

/// Whether a human released the hold over a tube.
async fn is_released(tx: &Tx, code: &str) -> Result<bool, Error> {
    let hold = HoldRow::get(tx, code, Lock::No).await?;
    Ok(hold.is_some_and(|hold| hold.state == HoldState::Released.code()))
}

pub(super) fn custody(
    tube: &TubeRow,
    verb: &str,
    caller: &Caller,
    note: &str,
    now: DateTime<Utc>,
) -> CustodyRow {
    CustodyRow {
        tube: tube.code.clone(),
        sequence: tube.version,
        time: now.timestamp_millis(),
        verb: verb.to_owned(),
        actor: caller.subject.clone(),
        state: tube.state,
        note: note.to_owned(),
    }
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)
}
