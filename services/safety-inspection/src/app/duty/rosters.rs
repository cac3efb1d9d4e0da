//! Rosters: drafted, changed, published.

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{Duty, Page, ROSTERS, SHIFTS, Shown, created, policy, record, there};
use crate::app::{Site, identity, new_id};
use crate::domain::duty::{
    Planned, Roster, RosterState, Shift, ShiftState, Span, Team, generate, holes_around,
};
use crate::error::Error;
use crate::store::Store;
use crate::store::records::Record;
use crate::store::register::Rules;

/// What a draft is made of.
#[derive(Debug)]
pub(crate) enum Draft {
    /// These shifts.
    Shifts(Span, Vec<Planned>),
    /// Teams in turn, by the templates of these days.
    Teams((NaiveDate, NaiveDate), Vec<Team>),
}

/// A roster with all that is told of it.
#[derive(Debug)]
pub(crate) struct ShownRoster {
    /// The roster with its history.
    pub(crate) shown: Shown<Roster>,
    /// The times without anybody between it and its neighbours.
    pub(crate) gaps: Vec<Span>,
}

impl ShownRoster {
    async fn of(db: &impl ConnectionTrait, record: Record<Roster>) -> Result<Self, Error> {
        let span = record.value.span;
        let around = Store::neighbouring_rosters(db, &record.organization, span).await?;
        Ok(Self {
            gaps: holes_around(span, around),
            shown: Shown::of(db, record, ROSTERS).await?,
        })
    }
}

impl Duty {
    /// Drafts a roster.
    pub(crate) async fn draft<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        draft: Draft,
        (method, request): (&'static str, (&str, &impl Message)),
        render: impl FnOnce(ShownRoster) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let (step, (span, shifts)) = match draft {
                Draft::Shifts(span, shifts) => ("CREATE", (span, shifts)),
                Draft::Teams(days, teams) => {
                    let rules = Store::rules(tx).await?;
                    let template = |day| self.templates.on(&rules, site, day);
                    ("GENERATE", generate(days, &teams, template))
                }
            };
            let roster = record(site, new_id(now), Roster::draft(span, shifts));
            let moved = created(roster.value.state.as_str(), step);
            let name = roster.name(ROSTERS);
            Store::save_roster(tx, &roster).await?;
            Store::note_move(tx, &name, &moved, (&identity(caller), ""), now).await?;
            Ok(render(ShownRoster::of(tx, roster).await?))
        };
        self.base.act(caller, method, request, work).await
    }

    /// Replaces span and shifts of a draft.
    pub(crate) async fn update<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        (span, shifts): (Span, Vec<Planned>),
        request: (&str, &impl Message),
        render: impl FnOnce(ShownRoster) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let roster = self.locked(tx, site, id).await?;
            let (value, moved) = roster.value.clone().update(span, shifts)?;
            let roster = roster.with(value);
            Store::save_roster(tx, &roster).await?;
            let name = roster.name(ROSTERS);
            Store::note_move(tx, &name, &moved, (&identity(caller), ""), now).await?;
            Ok(render(ShownRoster::of(tx, roster).await?))
        };
        self.base
            .act(caller, "UpdateDutyRoster", request, work)
            .await
    }

    /// Puts a roster in force: its shifts begin to exist.
    pub(crate) async fn publish<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        request: (&str, &impl Message),
        render: impl FnOnce(ShownRoster) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            Store::hold_duty(tx, &site.organization.id).await?;
            let roster = self.locked(tx, site, id).await?;
            self.base.people.require(roster.value.members()).await?;
            let rules = Store::rules(tx).await?;
            let first = civil_date(roster.value.span.start);
            let profile = rules.policy(&site.path, first);
            let demands = policy::demands(profile, &site.organization);
            let own = (&*roster.organization, roster.value.members());
            let busy = Store::busy_elsewhere(tx, own.0, &own.1, roster.value.span).await?;
            let (value, moved) = roster.value.clone().publish(&demands, &busy)?;
            let other = Store::published_roster(tx, &roster.organization, value.span).await?;
            if let Some(name) = other {
                return Err(Error::DutyRosterOverlap(name));
            }
            let roster = roster.with(value);
            Store::save_roster(tx, &roster).await?;
            let (name, actor) = (roster.name(ROSTERS), identity(caller));
            let shifts = scheduled(site, &roster, &rules);
            Store::save_shifts(tx, &shifts).await?;
            let names = shifts.iter().map(|shift| shift.name(SHIFTS));
            let begun = created(ShiftState::Scheduled.as_str(), moved.step);
            Store::begin_histories(tx, names, &begun, &actor, now).await?;
            Store::note_move(tx, &name, &moved, (&actor, ""), now).await?;
            Ok(render(ShownRoster::of(tx, roster).await?))
        };
        self.base
            .act(caller, "PublishDutyRoster", request, work)
            .await
    }

    /// One roster.
    pub(crate) async fn roster(&self, site: &Site, id: Uuid) -> Result<ShownRoster, Error> {
        let db = self.base.store.database().read();
        let organization = &*site.organization.id;
        let found = Store::roster(db, organization, id, Lock::No).await?;
        ShownRoster::of(db, there(found, (organization, ROSTERS, id))?).await
    }

    /// Rosters at and below an organisation.
    pub(crate) async fn rosters(
        &self,
        site: &Site,
        state: Option<RosterState>,
        (before, limit): Page,
    ) -> Result<Vec<Shown<Roster>>, Error> {
        let (db, place) = (
            self.base.store.database().read(),
            &site.organization.org_path,
        );
        let found = Store::rosters(db, place, state, before, limit).await?;
        Ok(found.into_iter().map(Shown::listed).collect())
    }

    async fn locked(&self, tx: &Tx, site: &Site, id: Uuid) -> Result<Record<Roster>, Error> {
        let organization = &*site.organization.id;
        let found = Store::roster(tx, organization, id, Lock::Yes).await?;
        there(found, (organization, ROSTERS, id))
    }
}

/// The shifts of a roster; each has the grace of the policy of its own day.
fn scheduled(site: &Site, roster: &Record<Roster>, rules: &Rules) -> Vec<Record<Shift>> {
    let name = roster.name(ROSTERS);
    let shifts = roster.value.shifts.iter().map(|planned| {
        let start: DateTime<Utc> = planned.span.start;
        let grace = policy::grace(rules.policy(&site.path, civil_date(start)));
        let shift = Shift::scheduled(planned.clone(), &name, grace);
        record(site, new_id(start), shift)
    });
    shifts.collect()
}
