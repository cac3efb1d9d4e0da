//! Where organisations stand, and what a civil day was or is like there (rules 5.25 to 5.30).

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::{civil_date, start_of};
use kit::rows::Lock;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::views::DayView;
use super::{StateView, Weather};
use crate::app::Site;
use crate::domain::weather::day::gravest;
use crate::domain::weather::level::Level;
use crate::domain::weather::state::State;
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::states::{States, state_name};

/// Which organisations are listed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StatesAsked {
    pub(crate) state: Option<State>,
    pub(crate) overdue: bool,
}

impl Weather {
    /// Where an organisation stands, and what `date` (today when none) was or is like there.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn state(
        &self,
        site: &Site,
        date: Option<NaiveDate>,
    ) -> Result<StateView, Error> {
        let db = self.base.store.database().read();
        self.state_in(db, site, date, self.base.clock.now()).await
    }

    pub(super) async fn state_in(
        &self,
        db: &impl ConnectionTrait,
        site: &Site,
        date: Option<NaiveDate>,
        now: DateTime<Utc>,
    ) -> Result<StateView, Error> {
        let id = &site.organization.id;
        let row = Store::weather_state(db, id, Lock::No).await?;
        let suspended = Store::weather_suspended(db, std::slice::from_ref(id)).await?;
        let teaching = Store::weather_teaching(db, std::slice::from_ref(id), Lock::No).await?;
        let today = civil_date(now);
        let date = date.unwrap_or(today);
        let rules = Store::rules(db).await?;
        let rules = super::policy::at(&rules, &site.path, date);
        let level = row.as_ref().and_then(|row| row.level());
        let own = (&*site.organization.org_path, &*site.organization.division);
        let alarms = Store::weather_alarms_at(db, own).await?;
        let ids: Vec<Uuid> = suspended
            .iter()
            .map(|(_, suspension, _)| *suspension)
            .collect();
        let mut suspensions = Vec::with_capacity(ids.len());
        for suspension in ids {
            let found = Store::weather_suspension(db, suspension, Lock::No).await?;
            suspensions.extend(found.map(|one| one.name()));
        }
        let day = DayView {
            date,
            arrival_delayed: delayed(db, id, date, today).await?,
            dismissal_delayed: date == today && level.is_some_and(Level::delays),
            flood_season: rules
                .as_ref()
                .is_some_and(|rules| rules.policy.in_flood_season(date)),
            policy_version: rules.map(|rules| rules.version).unwrap_or_default(),
            causes: alarms.iter().map(|alarm| alarm.name()).collect(),
            suspensions,
            history: Store::weather_history(db, &state_name(id)).await?,
        };
        Ok(StateView {
            organization: id.clone(),
            row,
            buses_stopped: suspended.iter().any(|(_, _, buses)| *buses),
            teaching: teaching.into_iter().next(),
            day: Some(day),
            now: now.timestamp_millis(),
        })
    }

    /// The organisations at and below one that were ever warned, after the place `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn states(
        &self,
        site: &Site,
        asked: StatesAsked,
        after: &str,
        limit: u64,
    ) -> Result<Vec<StateView>, Error> {
        let now = self.base.clock.now().timestamp_millis();
        let wanted = States {
            place: site.organization.org_path.clone(),
            state: asked.state,
            overdue: asked.overdue.then_some(now),
        };
        let db = self.base.store.database().read();
        let rows = Store::weather_states(db, &wanted, after, limit).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.organization.clone()).collect();
        let suspended = Store::weather_suspended(db, &ids).await?;
        let still = suspended.into_iter().filter(|(_, _, buses)| *buses);
        let still: BTreeSet<String> = still.map(|(id, _, _)| id).collect();
        let mut teaching = Store::weather_teaching(db, &ids, Lock::No).await?;
        teaching.sort_unstable_by(|one, other| one.organization.cmp(&other.organization));
        let views = rows.into_iter().map(|row| {
            let told = teaching
                .binary_search_by(|one| one.organization.cmp(&row.organization))
                .ok();
            StateView {
                organization: row.organization.clone(),
                buses_stopped: still.contains(&row.organization),
                teaching: told.and_then(|at| teaching.get(at)).cloned(),
                row: Some(row),
                day: None,
                now,
            }
        });
        Ok(views.collect())
    }
}

/// Whether orange or red stood at an organisation at some time of a day; of a day to come nobody
/// knows.
pub(crate) async fn delayed(
    db: &impl ConnectionTrait,
    organization: &str,
    date: NaiveDate,
    today: NaiveDate,
) -> Result<bool, Error> {
    let Some(next) = date.succ_opt().filter(|_| date <= today) else {
        return Ok(false);
    };
    let (begin, end) = (start_of(date), start_of(next));
    let span = (begin.timestamp_millis(), end.timestamp_millis());
    let rows = Store::weather_history_of(db, &state_name(organization), span).await?;
    let changes: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let at = DateTime::from_timestamp_millis(row.changed_at)?;
            Some((at, Level::from_number(row.level.into())))
        })
        .collect();
    Ok(gravest(&changes, begin, end).is_some_and(Level::delays))
}
