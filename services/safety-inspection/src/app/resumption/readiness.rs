//! How ready a school is: its answers, and the guards that other wings know of.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kit::clock::{civil_date, start_of};
use kit::db::Tx;
use kit::rows::Lock;
use sea_orm::ConnectionTrait;

use super::{Resumptions, found, named, one_of, path_of, policy};
use crate::app::{Site, policy_version};
use crate::domain::checklist::template::{Entry, TemplateId, entries};
use crate::domain::drill::Type;
use crate::domain::resumption::checklist::{Readiness, readiness};
use crate::domain::resumption::guards::{Facts, Guard, Kind, blocking};
use crate::domain::resumption::inspection::Decision;
use crate::domain::resumption::state::Progress;
use crate::domain::weather::state::State as WeatherState;
use crate::error::Error;
use crate::store::Store;
use crate::store::register::Rules;
use crate::store::resumption::{Kept, NEVER};

/// The checklist of what a school must have before teaching is resumed (rule 4.3).
const CHECKLIST: &str = "resumption";
/// The guards are asked again on the next civil day.
const A_DAY: TimeDelta = TimeDelta::days(1);

/// How ready a school is, and what blocks.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) kept: Kept,
    pub(crate) readiness: Readiness,
    pub(crate) guards: Vec<Guard>,
    /// A batch that goes before has not returned.
    pub(crate) order: bool,
    pub(crate) policy_version: String,
}

impl Ready {
    /// RESUMPTION_BLOCKED when something blocks.
    pub(super) fn refused(&self) -> Result<(), Error> {
        let items = self.readiness.blocks().map(|lack| {
            let kind = item_kind(lack.missing);
            named(kind, &lack.item)
        });
        let guards = self.guards.iter().map(|guard| named(guard.kind(), ""));
        refused(items.chain(guards).collect())
    }
}

/// What an item blocks by.
pub(crate) fn item_kind(missing: bool) -> Kind {
    if missing {
        Kind::ItemMissing
    } else {
        Kind::ItemUnmet
    }
}

/// RESUMPTION_BLOCKED when there are any of these.
pub(super) fn refused(blocks: Vec<String>) -> Result<(), Error> {
    if blocks.is_empty() {
        Ok(())
    } else {
        Err(Error::ResumptionBlocked(blocks))
    }
}

/// The guards of a school for a day, and the version of the policy that asks.
pub(super) async fn guards(
    db: &impl ConnectionTrait,
    kept: &Kept,
    rules: &Rules,
    (now, day): (DateTime<Utc>, NaiveDate),
) -> Result<(Vec<Guard>, String), Error> {
    let profile = rules.policy(&path_of(kept), civil_date(now));
    let id = &kept.organization;
    let people = Store::campus_people(db, &[id.as_str()]).await?;
    let pupils = people.get(id).map_or(0, |(people, _)| people.pupils);
    let terms = policy::terms(profile, pupils);
    // The latest one says enough: a later one is not yet, an earlier one is too old as well.
    let within = Days::new(terms.drill_within_days.into());
    let since = start_of(day.checked_sub_days(within).unwrap_or(day));
    let drill = Store::counted_drill(db, id, Type::EpidemicFull, since).await?;
    let rooms = Store::isolation_rooms(db, id).await?;
    let weather = Store::weather_state(db, id, Lock::No).await?;
    let weather = weather.map(|row| row.state()).transpose()?;
    let facts = Facts {
        full_drill: drill.map(|drill| civil_date(drill.signal)),
        open_major_hazards: Store::open_major_hazards(db, id).await?,
        supply_days: Store::supply_days(db, id, civil_date(now)).await?,
        isolation_rooms: u32::try_from(rooms.iter().filter(|room| room.is_suitable()).count())
            .unwrap_or(u32::MAX),
        weather: weather
            .is_some_and(|state| state == WeatherState::Suspended || state.awaits_check()),
    };
    Ok((blocking(&facts, terms, day), policy_version(profile)))
}

/// What the school checks itself by: the versions of its self-check, else those in force.
pub(super) async fn checklist(
    db: &impl ConnectionTrait,
    kept: &Kept,
    today: NaiveDate,
) -> Result<(Vec<String>, Vec<Entry>), Error> {
    let progress = &kept.progress;
    let (base, additions) = if progress.checklists.is_empty() {
        let base = Store::checklist_in_force(db, CHECKLIST).await?;
        let path = path_of(kept);
        let additions = Store::checklist_additions(db, CHECKLIST, &path).await?;
        (base, additions)
    } else {
        let ids = progress.checklists.iter().filter_map(|id| id.parse().ok());
        let ids: Vec<TemplateId> = ids.collect();
        let mut lists = Store::checklists(db, &ids).await?.into_iter();
        (lists.next(), lists.collect())
    };
    let Some(base) = base else {
        return Err(Error::ChecklistNotApplicable(format!(
            "checklistTemplates/{CHECKLIST}"
        )));
    };
    let lists = std::iter::once(&base).chain(&additions);
    let ids = lists.map(|list| list.id.to_string()).collect();
    let day = progress.started.unwrap_or(today);
    Ok((ids, entries(&base, &additions, day)))
}

/// How ready a school is by its answers alone.
pub(super) async fn answered(
    db: &impl ConnectionTrait,
    kept: &Kept,
    today: NaiveDate,
) -> Result<Readiness, Error> {
    if kept.progress.own {
        return Ok(own_plan(&kept.progress));
    }
    let (_, entries) = checklist(db, kept, today).await?;
    // Before a self-check begins, nothing that was said before counts.
    let answers = if kept.progress.checklists.is_empty() {
        BTreeMap::new()
    } else {
        Store::resumption_said(db, (&kept.organization, kept.position)).await?
    };
    Ok(readiness(&entries, &answers))
}

/// How ready a university is: silent until it reports, and ready once its plan is approved.
fn own_plan(progress: &Progress) -> Readiness {
    let ruling = progress.plan.as_ref().map(|plan| plan.ruling.as_ref());
    let ruling = ruling.flatten().map(|ruling| ruling.decision);
    let approved = ruling == Some(Decision::Approve);
    Readiness {
        answered: u32::from(progress.plan.is_some()),
        thousandths: Some(if approved { 1000 } else { 0 }),
        ..Readiness::default()
    }
}

/// How ready a school is, and what blocks it on a day.
pub(super) async fn ready(
    db: &impl ConnectionTrait,
    kept: Kept,
    order: bool,
    rules: &Rules,
    (now, day): (DateTime<Utc>, NaiveDate),
) -> Result<Ready, Error> {
    let readiness = answered(db, &kept, civil_date(now)).await?;
    let (mut guards, policy_version) = guards(db, &kept, rules, (now, day)).await?;
    if kept.progress.own {
        // The headquarters judged the plan; what endangers people now blocks all the same.
        guards.retain(|guard| matches!(guard, Guard::MajorHazard(_) | Guard::Weather));
    }
    Ok(Ready {
        kept,
        readiness,
        guards,
        order,
        policy_version,
    })
}

/// Keeps beside a resumption what was found of it at an instant.
pub(super) fn noted(
    kept: Kept,
    readiness: &Readiness,
    guards: &[Guard],
    order: bool,
    now: DateTime<Utc>,
) -> Kept {
    let kinds = guards.iter().map(|guard| guard.kind());
    let order = order.then_some(Kind::Order);
    Kept {
        summary: readiness.summary(),
        guards: kinds.chain(order).collect(),
        checked: Some(now),
        check_at: start_of(civil_date(now + A_DAY)).timestamp_millis(),
        ..kept
    }
}

impl Resumptions {
    /// How ready a school is now.
    ///
    /// # Errors
    /// NOT_FOUND, CHECKLIST_NOT_APPLICABLE, or when the database fails.
    pub(crate) async fn readiness(&self, site: &Site, position: i16) -> Result<Ready, Error> {
        let db = self.base.store.database().read();
        let school = found(db, &site.organization.id, position, Lock::No).await?;
        let order = super::waits_for(&school.all, position).next().is_some();
        let kept = one_of(school, &site.organization.id, position)?;
        let (rules, now) = (Store::rules(db).await?, self.now());
        ready(db, kept, order, &rules, (now, civil_date(now))).await
    }

    /// Asks the guards of a resumption again and keeps the answer.
    pub(super) async fn look_at(
        tx: &Tx,
        kept: Kept,
        rules: &Rules,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let id = kept.organization.clone();
        let school = found(tx, &id, kept.position, Lock::Yes).await?;
        let order = super::waits_for(&school.all, kept.position)
            .next()
            .is_some();
        let due = kept.check_at;
        let kept = one_of(school, &id, kept.position)?;
        // Somebody may have looked, or all may be back, since it was found.
        if kept.check_at.min(due) > now.timestamp_millis() || kept.check_at == NEVER {
            return Ok(());
        }
        let Ready {
            kept,
            readiness,
            guards,
            ..
        } = ready(tx, kept, order, rules, (now, civil_date(now))).await?;
        let kept = noted(kept, &readiness, &guards, order, now);
        Ok(Store::save_resumptions(tx, &[kept]).await?)
    }
}
