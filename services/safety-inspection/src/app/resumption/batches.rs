//! Batches: planned by a bureau in the order of the policy, and given their day.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;

use super::readiness::guards;
use super::{Resumptions, Standing, figures, keeps_order, moved, note_all, own_plans, policy};
use crate::app::{Site, policy_version};
use crate::domain::history::Move;
use crate::domain::resumption::guards::Kind;
use crate::domain::resumption::order::Order;
use crate::domain::resumption::state::{Progress, State, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::register::Rules;
use crate::store::resumption::{BatchRow, Kept, resumption_name};

/// How many schools are looked at together.
const PAGE: u64 = 500;
/// How many of those that are left out are told.
const TOLD: usize = 1000;

/// A batch, and how many schools are how far.
#[derive(Clone, Debug)]
pub(crate) struct BatchView {
    pub(crate) row: BatchRow,
    pub(crate) planned: NaiveDate,
    pub(crate) counts: BTreeMap<State, u32>,
}

/// What was scheduled, and who was left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scheduled {
    pub(crate) scheduled: usize,
    pub(crate) left_out: usize,
    pub(crate) told: Vec<Standing>,
}

/// Refuses a day on which nobody comes to school.
pub(super) fn school_day(
    rules: &Rules,
    field: &'static str,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if day < civil_date(now) {
        return Err(Error::Unfit {
            field,
            zh: "不能早于今天",
            en: "must not be before today",
        });
    }
    if !rules.calendar.is_school_day(day) {
        return Err(Error::Unfit {
            field,
            zh: "不是上课日",
            en: "no day of school",
        });
    }
    Ok(())
}

/// The days of batches for a place: of each the nearest bureau that planned it.
async fn days(
    tx: &Tx,
    site: &Site,
    own: Option<(usize, NaiveDate)>,
) -> Result<BTreeMap<usize, NaiveDate>, Error> {
    let bureaus: Vec<&str> = site.path.ids().collect();
    let mut rows = Store::resumption_batches(tx, &bureaus, Lock::Yes).await?;
    rows.sort_by_key(|row| row.org_path.len());
    let mut days = BTreeMap::new();
    for row in rows {
        days.insert(
            usize::try_from(row.position).unwrap_or_default(),
            row.planned()?,
        );
    }
    days.extend(own);
    Ok(days)
}

impl Resumptions {
    /// Plans a batch of a bureau for a day, and opens a resumption at each of its schools. Whoever has
    /// an earlier day gets this one.
    ///
    /// # Errors
    /// INVALID_FIELD, RESUMPTION_ORDER, RESUMPTION_NOBODY, or when the database
    /// fails.
    pub(crate) async fn plan<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        (position, day): (i16, NaiveDate),
        once: (&str, &impl Message),
        render: impl FnOnce(BatchView) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            if !site.organization.kind.is_bureau() {
                return Err(Error::Unfit {
                    field: "parent",
                    zh: "只有教育行政部门可以安排返校批次",
                    en: "only a bureau plans batches",
                });
            }
            let rules = Store::rules(tx).await?;
            let profile = rules.policy(&site.path, civil_date(now));
            let order = policy::order(profile);
            let place = usize::try_from(position).unwrap_or_default();
            let members = order.members(place).ok_or(Error::ResumptionNobody)?;
            school_day(&rules, "planned_date", day, now)?;
            let days = days(tx, site, Some((place, day))).await?;
            let in_order = order.check(place, day, |_| true, |other| days.get(&other).copied());
            in_order?;
            let row = BatchRow {
                organization: site.organization.id.clone(),
                position,
                org_path: site.organization.org_path.clone(),
                grades: BatchRow::grades_text(&members.0),
                kindergarten: members.1,
                planned_on: BatchRow::day(day),
                policy_version: policy_version(profile),
                planned_at: now.timestamp_millis(),
            };
            open(tx, site, &row, (&caller.subject, now)).await?;
            Store::save_resumption_batch(tx, row.clone()).await?;
            Ok(render(batch_view(tx, row).await?))
        };
        let answer = self.base.act(caller, "PlanResumptionBatch", once, work);
        let answer = answer.await?;
        self.wake.notify_one();
        Ok(answer)
    }

    /// One batch of a bureau.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn batch(&self, site: &Site, position: i16) -> Result<BatchView, Error> {
        let db = self.base.store.database().read();
        batch_view(db, batch(db, site, position).await?).await
    }

    /// The batches of a bureau in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn batches(&self, site: &Site) -> Result<Vec<BatchView>, Error> {
        let db = self.base.store.database().read();
        let bureau = [site.organization.id.as_str()];
        let mut views = Vec::new();
        for row in Store::resumption_batches(db, &bureau, Lock::No).await? {
            views.push(batch_view(db, row).await?);
        }
        Ok(views)
    }

    /// Gives every approved school of a batch its day, by what was kept of its answers and what guards it
    /// on that day; the others are left out.
    ///
    /// # Errors
    /// NOT_FOUND, INVALID_FIELD, RESUMPTION_DAY, or when the database fails.
    pub(crate) async fn schedule_batch<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, position): (&Site, i16),
        day: Option<NaiveDate>,
        once: (&str, &impl Message),
        render: impl FnOnce(Scheduled) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let row = batch(tx, site, position).await?;
            let planned = row.planned()?;
            let day = day.unwrap_or(planned);
            let rules = Store::rules(tx).await?;
            school_day(&rules, "date", day, now)?;
            if day < planned {
                return Err(Error::ResumptionDay(planned));
            }
            let order = policy::order(rules.policy(&site.path, civil_date(now)));
            let mut scheduled = Scheduled::default();
            let mut after = String::new();
            loop {
                let batch = (&*row.organization, position);
                let page = Store::resumptions_of_batch(tx, batch, &after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.org_path);
                let by = (caller.subject.as_str(), now);
                schedule_page(tx, page, (&order, &rules, day), by, &mut scheduled).await?;
            }
            scheduled.told = figures::with_names(tx, std::mem::take(&mut scheduled.told)).await?;
            Ok(render(scheduled))
        };
        let method = "ScheduleResumptionBatch";
        let answer = self.base.act(caller, method, once, work).await?;
        self.wake.notify_one();
        Ok(answer)
    }
}

/// Opens a resumption at each school of a batch. One that is under way is kept, but for a day before
/// that of the batch; one that is not is of this batch from now on.
async fn open(
    tx: &Tx,
    site: &Site,
    batch: &BatchRow,
    (actor, now): (&str, DateTime<Utc>),
) -> Result<(), Error> {
    let (grades, place) = (batch.grades(), &site.organization.org_path);
    let members = (&*grades, batch.kindergarten);
    let schools = Store::schools_of_batch(tx, place, members).await?;
    if schools.is_empty() {
        return Err(Error::ResumptionNobody);
    }
    let ids: Vec<String> = schools.values().map(|(id, _)| id.clone()).collect();
    let known = Store::resumptions_of(tx, &ids, Lock::Yes).await?;
    let known = known
        .into_iter()
        .filter(|kept| kept.position == batch.position);
    let mut known: BTreeMap<String, Kept> = known
        .map(|kept| (kept.organization.clone(), kept))
        .collect();
    let day = batch.planned()?;
    let (mut kept, mut new, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    for (org_path, (organization, grades)) in schools {
        if let Some(mut one) = known.remove(&organization) {
            if one.progress.state.is_idle() {
                one.batch.clone_from(&batch.organization);
                one.progress.grades = grades;
                one.org_path = org_path;
                kept.push(one);
            } else if one.batch == batch.organization && is_before(&one, day) {
                moves.push(moved(one, Verb::Schedule(day), now)?);
            }
            continue;
        }
        new.push(resumption_name(&organization, batch.position));
        let progress = Progress::new(grades);
        let of = (&*batch.organization, batch.position);
        kept.push(Kept::begun((organization, org_path), of, progress, now));
    }
    let bureau = (&*site.organization.id, &**place);
    for own in own_plans::unopened(tx, bureau, now).await? {
        new.push(own.name());
        kept.push(own);
    }
    kept.extend(moves.iter().map(|(one, _)| one.clone()));
    Store::save_resumptions(tx, &kept).await?;
    let moves = moves.iter().map(|(one, moved)| (one, moved.clone()));
    note_all(tx, &moves.collect::<Vec<_>>(), (actor, now), "").await?;
    Store::judge_anew(tx, ids.iter().map(String::as_str)).await?;
    let planned = Move {
        from: "",
        to: State::Suspended.as_str(),
        step: "PLAN",
    };
    Store::begin_histories(tx, new.into_iter(), &planned, actor, now).await?;
    Ok(())
}

/// Schedules those of a page that are approved and that nothing blocks.
async fn schedule_page(
    tx: &Tx,
    page: Vec<Kept>,
    (order, rules, day): (&Order, &Rules, NaiveDate),
    by: (&str, DateTime<Utc>),
    scheduled: &mut Scheduled,
) -> Result<(), Error> {
    let mut schools: Vec<String> = page.iter().map(|kept| kept.organization.clone()).collect();
    schools.sort_unstable();
    let mut held: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for kept in Store::resumptions_of(tx, &schools, Lock::Yes).await? {
        held.entry(kept.organization.clone())
            .or_default()
            .push(kept);
    }
    let mut moves = Vec::new();
    for one in page {
        let school = held.remove(&one.organization).unwrap_or_default();
        let found = school.iter().find(|kept| kept.position == one.position);
        let mut kept = found.cloned().unwrap_or(one);
        if kept.progress.state.is_open() {
            continue;
        }
        kept.guards.remove(&Kind::Order);
        if in_order(order, &school, &kept, day).is_err() {
            kept.guards.insert(Kind::Order);
        }
        let ready = matches!(kept.progress.state, State::Approved | State::Scheduled);
        let ready = ready && kept.guards.is_empty() && kept.progress.signer != by.0;
        if ready {
            // What was kept is of the day on which somebody looked.
            let (guards, _) = guards(tx, &kept, rules, (by.1, day)).await?;
            kept.guards.extend(guards.iter().map(|guard| guard.kind()));
        }
        if ready && kept.guards.is_empty() {
            moves.push(moved(kept, Verb::Schedule(day), by.1)?);
            continue;
        }
        scheduled.left_out += 1;
        if scheduled.told.len() < TOLD {
            scheduled.told.push(Standing::of(kept));
        }
    }
    scheduled.scheduled += moves.len();
    let kept: Vec<Kept> = moves.iter().map(|(kept, _)| kept.clone()).collect();
    Store::save_resumptions(tx, &kept).await?;
    let moves = moves.iter().map(|(kept, moved)| (kept, moved.clone()));
    note_all(tx, &moves.collect::<Vec<_>>(), by, "").await
}

/// Whether a resumption may have this day beside the other batches of its school.
///
/// # Errors
/// RESUMPTION_ORDER with the first batch that stands in the way.
pub(super) fn in_order(
    order: &Order,
    school: &[Kept],
    kept: &Kept,
    day: NaiveDate,
) -> Result<(), Error> {
    let other = |position: usize| {
        let same = |one: &&Kept| usize::try_from(one.position) == Ok(position);
        school.iter().find(same)
    };
    let concerns = |position: usize| {
        let other = other(position);
        other.is_some_and(|other| other.position != kept.position && keeps_order(other))
    };
    let days = |position: usize| other(position).and_then(|other| other.progress.day);
    let position = usize::try_from(kept.position).unwrap_or_default();
    Ok(order.check(position, day, concerns, days)?)
}

async fn batch(db: &impl ConnectionTrait, site: &Site, position: i16) -> Result<BatchRow, Error> {
    let own = &site.organization.id;
    let rows = Store::resumption_batches(db, &[own.as_str()], Lock::No).await?;
    let found = rows.into_iter().find(|row| row.position == position);
    found
        .ok_or_else(|| Error::NotFound(format!("organizations/{own}/resumptionBatches/{position}")))
}

async fn batch_view(db: &impl ConnectionTrait, row: BatchRow) -> Result<BatchView, Error> {
    Ok(BatchView {
        planned: row.planned()?,
        counts: Store::resumption_counts(db, &row.organization, row.position).await?,
        row,
    })
}

/// Whether a school has its day, and it comes before this one.
pub(super) fn is_before(kept: &Kept, planned: NaiveDate) -> bool {
    let progress = &kept.progress;
    progress.state == State::Scheduled && progress.day.is_some_and(|day| day < planned)
}

/// The first day on which a school may return with its batch.
pub(super) async fn planned_day(tx: &Tx, kept: &Kept) -> Result<Option<NaiveDate>, Error> {
    let rows = Store::resumption_batches(tx, &[kept.batch.as_str()], Lock::No).await?;
    let batch = rows.into_iter().find(|row| row.position == kept.position);
    Ok(batch.map(|batch| batch.planned()).transpose()?)
}
