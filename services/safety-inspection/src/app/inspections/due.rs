//! What is due where: derived from schedules, the calendar and the register whenever it is asked, so
//! that nothing is written for the hundred thousand wants of a city's day, and a changed calendar or
//! schedule counts at once.

use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::{Inspections, season};
use crate::app::{Site, place};
use crate::domain::inspection::place::{Place, places_of};
use crate::domain::inspection::premises::Premises;
use crate::domain::inspection::schedule::{Period, Schedule};
use crate::domain::organization::{Kind, Organization};
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::{Hit, MOST_SCHEDULES};
use crate::store::register::Rules;

/// After so many wants a page ends at the next organisation.
const FULL: usize = 2000;

/// One inspection that a schedule wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// The id of the organisation.
    pub(crate) organization: String,
    /// The place within it.
    pub(crate) place: String,
    /// The schedule.
    pub(crate) schedule: Schedule,
    /// Within which days.
    pub(crate) period: Period,
    /// The name of the inspection that counts; none before.
    pub(crate) inspection: Option<String>,
}

/// The kinds of organisations at which inspections are wanted.
pub(super) fn campuses() -> Vec<Kind> {
    Kind::ALL
        .into_iter()
        .filter(|kind| kind.has_campus())
        .collect()
}

impl Inspections {
    /// What is wanted at the organisations at and below a place after `after` (a place), at most at
    /// `limit` of them, and the place after which the next page begins; none on the last.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn due(
        &self,
        site: &Site,
        days: (NaiveDate, NaiveDate),
        outstanding: bool,
        (after, limit): (&str, u64),
    ) -> Result<(Vec<Due>, Option<String>), Error> {
        let db = self.base.store.database().read();
        let root = site.path.as_str();
        let mut below = Store::organizations_below(db, root, &campuses(), after, limit + 1).await?;
        let mut more = below.len() as u64 > limit;
        below.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids: Vec<String> = below.iter().map(|one| one.id.clone()).collect();
        let rules = Store::rules(db).await?;
        let schedules = Store::inspection_schedules(db, &site.path, "", MOST_SCHEDULES).await?;
        let places = Store::inspection_places(db, &ids).await?;
        let premises = Store::premises(db, &below).await?;
        let hits = Store::hits(db, &ids, days.0).await?;
        let (mut due, mut last) = (Vec::new(), None);
        for organization in &below {
            if due.len() >= FULL {
                more = true;
                break;
            }
            let entered: Vec<Place> = places
                .iter()
                .filter(|one| one.organization == organization.id)
                .cloned()
                .collect();
            let has = premises.get(&organization.id).copied().unwrap_or_default();
            let wanted = wanted(organization, (&schedules, &rules), (&entered, has), days);
            due.extend(
                wanted
                    .into_iter()
                    .filter_map(|one| met(one, &hits, outstanding)),
            );
            last = Some(organization.org_path.clone());
        }
        Ok((due, last.filter(|_| more)))
    }
}

/// The last day of the newest period within days, over by today, in which something that is wanted of an
/// organisation was not inspected.
///
/// # Errors
/// When the database fails.
pub(crate) async fn last_missed(
    db: &impl ConnectionTrait,
    rules: &Rules,
    organization: &Organization,
    (days, today): ((NaiveDate, NaiveDate), NaiveDate),
) -> Result<Option<NaiveDate>, Error> {
    let path = place(&organization.org_path);
    let schedules = Store::inspection_schedules(db, &path, "", MOST_SCHEDULES).await?;
    let own = [organization.id.clone()];
    let places = Store::inspection_places(db, &own).await?;
    let premises = Store::premises(db, std::slice::from_ref(organization)).await?;
    let has = premises.get(&organization.id).copied().unwrap_or_default();
    let hits = Store::hits(db, &own, days.0).await?;
    let wanted = wanted(organization, (&schedules, rules), (&places, has), days);
    let over = wanted.into_iter().filter(|one| one.period.last < today);
    let missed = over.filter_map(|one| met(one, &hits, true));
    Ok(missed.map(|one| one.period.last).max())
}

/// What schedules want of an organisation within days.
fn wanted(
    organization: &Organization,
    (schedules, rules): (&[Schedule], &Rules),
    (entered, has): (&[Place], Premises),
    days: (NaiveDate, NaiveDate),
) -> Vec<Due> {
    let season = season(rules, &place(&organization.org_path), days.0);
    let binding = schedules
        .iter()
        .filter(|one| one.binds(&organization.org_path));
    let mut wanted = Vec::new();
    for schedule in binding {
        let places = places_of(schedule.place_kind, (organization.kind, has), entered);
        if places.is_empty() {
            continue;
        }
        let periods = schedule.periods(&rules.calendar, season, days);
        for (place, stock) in places {
            for period in periods.iter().filter(|period| stock.in_period(**period)) {
                wanted.push(Due {
                    organization: organization.id.clone(),
                    place: place.clone(),
                    schedule: schedule.clone(),
                    period: *period,
                    inspection: None,
                });
            }
        }
    }
    wanted.sort_by(|a, b| {
        let key = |one: &Due| (one.place.clone(), one.schedule.id.clone(), one.period);
        key(a).cmp(&key(b))
    });
    wanted
}

/// With the inspection that met it; none when only what is outstanding is wanted and it was met.
fn met(due: Due, hits: &HashMap<Hit, String>, outstanding: bool) -> Option<Due> {
    let hit = Hit {
        schedule: due.schedule.id.clone(),
        organization: due.organization.clone(),
        place: due.place.clone(),
        first: due.period.first,
    };
    let inspection = hits.get(&hit).cloned();
    if outstanding && inspection.is_some() {
        return None;
    }
    Some(Due { inspection, ..due })
}
