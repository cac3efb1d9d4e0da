//! Use cases of resumption: batches, self-check, joint inspection, a day, suspension again.

mod batches;
mod figures;
mod inspecting;
mod late;
mod own_plans;
mod policy;
mod preparing;
mod readiness;
mod scheduling;
mod suspending;
mod telling;
mod worker;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::{civil_date, start_of};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::Lock;
use kit::teaching::Teaching;
use prost::Message;
use tokio::sync::Notify;

use super::{Base, Site, place};
use crate::domain::history::{Move, Moved};
use crate::domain::resumption::away::Away;
use crate::domain::resumption::checklist::Summary;
use crate::domain::resumption::guards::Kind;
use crate::domain::resumption::state::{State, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::resumption::{Filter, Kept, NEVER, resumption_name};

pub(crate) use batches::{BatchView, Scheduled};
pub(crate) use figures::{Figures, Standing};
pub(crate) use inspecting::Opinion;
pub(crate) use own_plans::Reported;
pub(crate) use preparing::{AnswerView, Given};
pub(crate) use readiness::Ready;
pub(crate) use suspending::{Suspend, Suspended, Whom};

/// Who acts when time does something.
const SERVICE: &str = "service";

/// Use cases of resumption. Clones share all of it.
#[derive(Clone, Debug)]
pub(crate) struct Resumptions {
    base: Base,
    teaching: Teaching,
    /// There may be something to do.
    wake: Arc<Notify>,
}

/// A resumption with its history, which lists leave out.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) kept: Kept,
    pub(crate) history: Vec<Moved>,
}

/// The resumptions of a school, held until the end of the transaction, and the one in question.
struct School {
    all: Vec<Kept>,
    which: usize,
}

impl Resumptions {
    pub(crate) fn new(base: Base, teaching: Teaching) -> Self {
        Self {
            base,
            teaching,
            wake: Arc::new(Notify::new()),
        }
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }

    /// The organisation of a request, when the caller may do `permission` there.
    pub(crate) async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        self.base.site(caller, permission, id).await
    }

    /// The same for what nobody does for their own school: the caller looks after more than it.
    ///
    /// # Errors
    /// SCOPE_DENIED, NOT_FOUND, or RESUMPTION_OWN_SCHOOL.
    pub(crate) async fn site_from_above(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        let site = self.base.site(caller, permission, id).await?;
        if caller.scope == site.path && !site.organization.kind.is_bureau() {
            return Err(Error::ResumptionOwnSchool);
        }
        Ok(site)
    }

    /// One resumption of a school.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn get(&self, site: &Site, position: i16) -> Result<View, Error> {
        let db = self.base.store.database().read();
        let school = found(db, &site.organization.id, position, Lock::No).await?;
        let kept = one_of(school, &site.organization.id, position)?;
        view(db, kept).await
    }

    /// Resumptions at and below an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn list(
        &self,
        site: &Site,
        filter: Filter,
        after: Option<(String, i16)>,
        limit: u64,
    ) -> Result<Vec<Kept>, Error> {
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        Ok(Store::resumptions(db, place, filter, after, limit).await?)
    }

    /// Does something with one resumption, once for each request id, and wakes whoever waits for it.
    async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, position): (&Site, i16),
        (method, request): (&'static str, (&str, &impl Message)),
        work: impl AsyncFnOnce(&Tx, Held) -> Result<Kept, Error>,
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let id = &site.organization.id;
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let School { all, which } = found(tx, id, position, Lock::Yes).await?;
            let held = Held {
                kept: all
                    .get(which)
                    .cloned()
                    .ok_or_else(|| unknown(id, position))?,
                school: all,
                actor: caller.subject.clone(),
                now,
            };
            let kept = work(tx, held).await?;
            Ok(render(view(tx, kept).await?))
        };
        let answer = self.base.act(caller, method, request, work).await?;
        self.wake.notify_one();
        Ok(answer)
    }
}

/// A resumption that a transaction holds, with all of its school, and who acts when.
struct Held {
    kept: Kept,
    school: Vec<Kept>,
    actor: String,
    now: DateTime<Utc>,
}

impl Held {
    /// Moves it, keeps it, and notes it in its history.
    async fn step(self, tx: &Tx, verb: Verb, note: &str) -> Result<Kept, Error> {
        let by = (&*self.actor, self.now);
        let (kept, moved) = moved(self.kept, verb, by.1)?;
        Store::save_resumptions(tx, std::slice::from_ref(&kept)).await?;
        note_all(tx, &[(&kept, moved)], by, note).await?;
        Ok(kept)
    }
}

async fn found(
    db: &impl sea_orm::ConnectionTrait,
    organization: &str,
    position: i16,
    lock: Lock,
) -> Result<School, Error> {
    let ids = [organization.to_owned()];
    let all = Store::resumptions_of(db, &ids, lock).await?;
    let which = all.iter().position(|one| one.position == position);
    let which = which.ok_or_else(|| unknown(organization, position))?;
    Ok(School { all, which })
}

fn one_of(school: School, organization: &str, position: i16) -> Result<Kept, Error> {
    let School { all, which } = school;
    let one = all.into_iter().nth(which);
    one.ok_or_else(|| unknown(organization, position))
}

fn unknown(organization: &str, position: i16) -> Error {
    Error::NotFound(resumption_name(organization, position))
}

async fn view(db: &impl sea_orm::ConnectionTrait, kept: Kept) -> Result<View, Error> {
    Ok(View {
        history: Store::history(db, &kept.name()).await?,
        kept,
    })
}

/// What a resumption becomes by a verb at an instant, and when time does something to it next.
fn moved(kept: Kept, verb: Verb, now: DateTime<Utc>) -> Result<(Kept, Move), Error> {
    let (from, step) = (kept.progress.state, verb.as_str());
    let progress = kept.progress.apply(verb, (now, civil_date(now)))?;
    let state = progress.state;
    let acts_at = match state {
        State::Scheduled => progress
            .day
            .map_or(NEVER, |day| start_of(day).timestamp_millis()),
        State::Monitoring => {
            let after = progress.monitor_until.and_then(|day| day.succ_opt());
            after.map_or(NEVER, |day| start_of(day).timestamp_millis())
        }
        _ => NEVER,
    };
    let (check_at, summary) = match state {
        // Not back at school any more: the guards count again, and nothing that was shown before.
        State::ReSuspended => (now.timestamp_millis(), Summary::default()),
        _ if state.is_open() => (NEVER, kept.summary),
        _ => (kept.check_at, kept.summary),
    };
    let moved = Move {
        from: from.as_str(),
        to: state.as_str(),
        step,
    };
    let kept = Kept {
        progress,
        acts_at,
        check_at,
        changes: kept.changes.saturating_add(1),
        updated: now,
        guards: if state.is_open() {
            BTreeSet::new()
        } else {
            kept.guards
        },
        summary,
        organization: kept.organization,
        position: kept.position,
        org_path: kept.org_path,
        batch: kept.batch,
        checked: kept.checked,
    };
    Ok((kept, moved))
}

/// Notes moves of resumptions that are kept already.
async fn note_all(
    tx: &Tx,
    moves: &[(&Kept, Move)],
    (actor, now): (&str, DateTime<Utc>),
    note: &str,
) -> Result<(), Error> {
    let entries = moves
        .iter()
        .map(|(kept, moved)| (kept.name(), kept.changes, moved));
    Store::note_moves(tx, entries, (actor, note), now).await?;
    // A batch that goes before the others of its school lets them go on, or holds them up.
    let schools: BTreeSet<&str> = moves.iter().map(|(kept, _)| &*kept.organization).collect();
    Ok(Store::judge_anew(tx, schools).await?)
}

/// The batches of a school that go before the one at `position` and have not returned.
fn waits_for(others: &[Kept], position: i16) -> impl Iterator<Item = &Kept> {
    let concerns = others.iter().filter(move |other| other.position < position);
    concerns.filter(|other| keeps_order(other))
}

/// Whether a batch of a school has still to return as a whole.
fn keeps_order(kept: &Kept) -> bool {
    kept.progress.away == Away::Everybody
}

/// Blocks as errors name them: `MAJOR_HAZARD`, or `ITEM_UNMET r07-mask-days`.
fn named(kind: Kind, item: &str) -> String {
    format!("{} {item}", kind.as_str()).trim_end().to_owned()
}

/// The place of a school.
fn path_of(kept: &Kept) -> OrgPath {
    place(&kept.org_path)
}
