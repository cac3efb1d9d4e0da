//! Shifts: checked in, handed over, taken over, replaced.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::checks::points;
use super::swaps::free;
use super::{Duty, Page, SHIFTS, created, policy, record, there};
use crate::app::{Site, identity, new_id};
use crate::domain::duty::{Note, Route, Shift, ShiftState, ShiftStep, Span, missed, rounds};
use crate::domain::history::Moved;
use crate::error::Error;
use crate::store::Store;
use crate::store::duty::PatrolRow;
use crate::store::records::Record;

/// What is done with a shift.
#[derive(Debug)]
pub(crate) enum Act {
    CheckIn,
    WriteHandover(Note),
    TakeOver,
    /// Leader, others, and why.
    Replace(String, Vec<String>, String),
}

/// A shift with all that is told of it.
#[derive(Debug)]
pub(crate) struct ShownShift {
    /// The shift.
    pub(crate) record: Record<Shift>,
    /// It is over and nobody has taken over.
    pub(crate) handover_overdue: bool,
    /// The points that were passed; none in lists.
    pub(crate) patrols: Vec<PatrolRow>,
    /// The rounds that nobody made; none in lists.
    pub(crate) missed: Vec<Span>,
    /// Its history; none in lists.
    pub(crate) history: Vec<Moved>,
}

impl Act {
    /// What its caller must be allowed to do.
    pub(crate) fn permission(step: ShiftStep) -> Permission {
        match step {
            ShiftStep::Replace => Permission::DutyApprove,
            ShiftStep::Swap => Permission::DutyWrite,
            ShiftStep::SpotCheck => Permission::DutyCheck,
            ShiftStep::CheckIn
            | ShiftStep::Arrive
            | ShiftStep::WriteHandover
            | ShiftStep::TakeOver
            | ShiftStep::RaiseAlert
            | ShiftStep::Patrol => Permission::DutyAttend,
        }
    }
}

impl Duty {
    /// Does something with a shift. Sending others returns the shift in its place.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        act: Act,
        (method, request): (&'static str, (&str, &impl Message)),
        render: impl FnOnce(ShownShift) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            if matches!(act, Act::Replace(..)) {
                Store::hold_duty(tx, &site.organization.id).await?;
            }
            let record = self.locked_shift(tx, site, id).await?;
            let (who, shift) = (identity(caller), record.value.clone());
            let (shift, moved, reason) = match act {
                Act::CheckIn => {
                    let (shift, moved) = shift.arrive(&who, now)?;
                    (shift, moved, String::new())
                }
                Act::WriteHandover(note) => {
                    let (shift, moved) = shift.write_handover(&who, note, now)?;
                    (shift, moved, String::new())
                }
                Act::TakeOver => {
                    let following = Store::following_shift(tx, &record).await?;
                    let following = following.as_ref().map(|following| &following.value);
                    let (shift, moved) = shift.take_over(&who, following, now)?;
                    (shift, moved, String::new())
                }
                Act::Replace(leader, staff, reason) => {
                    let by = (&*who, &*reason);
                    let people = (leader, staff);
                    let new = self.replace(tx, (site, record), people, by, now).await?;
                    return Ok(render(self.shown(tx, site, new).await?));
                }
            };
            let record = record.with(shift);
            Store::save_shifts(tx, std::slice::from_ref(&record)).await?;
            let name = record.name(SHIFTS);
            Store::note_move(tx, &name, &moved, (&who, &reason), now).await?;
            Ok(render(self.shown(tx, site, record).await?))
        };
        self.base.act(caller, method, request, work).await
    }

    async fn replace(
        &self,
        tx: &Tx,
        (site, old): (&Site, Record<Shift>),
        people: (String, Vec<String>),
        by: (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<Record<Shift>, Error> {
        let rules = Store::rules(tx).await?;
        let profile = rules.policy(&site.path, civil_date(now));
        let demands = policy::demands(profile, &site.organization);
        let new = record(site, new_id(now), ());
        let (name, new_name) = (old.name(SHIFTS), new.name(SHIFTS));
        let names = (&*name, &*new_name);
        let (shift, instead, moved) = old.value.clone().replace(people, &demands, names, now)?;
        self.base.people.require(instead.crew.members()).await?;
        let sent = std::iter::once(&instead.crew.leader).chain(&instead.crew.staff);
        free(tx, &old, instead.span, sent.map(String::as_str)).await?;
        let (old, new) = (old.with(shift), new.with(instead));
        let begun = created(new.value.state.as_str(), "STAND_IN");
        Store::save_shifts(tx, &[old, new.clone()]).await?;
        Store::note_move(tx, &name, &moved, by, now).await?;
        Store::note_move(tx, &new_name, &begun, by, now).await?;
        Ok(new)
    }

    /// One shift.
    pub(crate) async fn shift(&self, site: &Site, id: Uuid) -> Result<ShownShift, Error> {
        let db = self.base.store.database().read();
        let organization = &*site.organization.id;
        let found = Store::shift(db, organization, id, Lock::No).await?;
        self.shown(db, site, there(found, (organization, SHIFTS, id))?)
            .await
    }

    /// Shifts at and below an organisation.
    pub(crate) async fn shifts(
        &self,
        site: &Site,
        state: Option<ShiftState>,
        (before, limit): Page,
    ) -> Result<Vec<ShownShift>, Error> {
        let (db, place) = (
            self.base.store.database().read(),
            &site.organization.org_path,
        );
        let found = Store::shifts(db, place, state, before, limit).await?;
        let now = self.base.clock.now();
        let listed = found.into_iter().map(|record| ShownShift {
            handover_overdue: record.value.handover_overdue(now),
            record,
            patrols: Vec::new(),
            missed: Vec::new(),
            history: Vec::new(),
        });
        Ok(listed.collect())
    }

    pub(super) async fn locked_shift(
        &self,
        tx: &Tx,
        site: &Site,
        id: Uuid,
    ) -> Result<Record<Shift>, Error> {
        let organization = &*site.organization.id;
        let found = Store::shift(tx, organization, id, Lock::Yes).await?;
        there(found, (organization, SHIFTS, id))
    }

    async fn shown(
        &self,
        db: &impl ConnectionTrait,
        site: &Site,
        record: Record<Shift>,
    ) -> Result<ShownShift, Error> {
        let now = self.base.clock.now();
        let patrols = Store::patrols_of(db, record.id).await?;
        let rules = Store::rules(db).await?;
        // The rounds of a night begin on the day before its morning.
        let span = record.value.span;
        let days = civil_date(span.start)
            .pred_opt()
            .unwrap_or_default()
            .iter_days();
        let days = days.take_while(|day| *day <= civil_date(span.end));
        let mine = days.flat_map(|day| rounds(self.templates.on(&rules, site, day), day));
        let mine: Vec<Span> = mine.filter(|round| span.covers(*round)).collect();
        let passed: Vec<_> = patrols.iter().filter_map(PatrolRow::passed).collect();
        let points = points(db, &record.organization).await?;
        Ok(ShownShift {
            handover_overdue: record.value.handover_overdue(now),
            missed: missed(&mine, &passed, Route(&points), now),
            history: Store::history(db, &record.name(SHIFTS)).await?,
            patrols,
            record,
        })
    }
}
