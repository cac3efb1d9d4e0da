//! Use cases of checklists, places, schedules, inspections and campaigns.

mod campaigns;
mod checklists;
mod coverage;
mod due;
mod places;
mod planning;
mod reading;
mod recording;
mod schedules;
mod submitting;

pub(crate) use campaigns::{Call, Standing};
pub(crate) use checklists::{Draft, unchanged};
pub(crate) use coverage::{Covered, tally};
pub(crate) use due::{Due, last_missed};
pub(crate) use places::Wish;
pub(crate) use planning::Plan;
pub(crate) use reading::{Found, Looked};
pub(crate) use recording::Verdict;
pub(crate) use schedules::Timetable;

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use sea_orm::DbErr;

use crate::app::{Base, Site, place, unknown};
use crate::domain::checklist::template::Template;
use crate::domain::inspection::schedule::{Schedule, Season};
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::Change;
use crate::store::register::Rules;

/// The use cases.
#[derive(Clone, Debug)]
pub(crate) struct Inspections {
    base: Base,
}

impl Inspections {
    pub(crate) fn new(base: Base) -> Self {
        Self { base }
    }

    /// Puts what ships beside what stands there.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn ship(
        &self,
        lists: Vec<Template>,
        schedules: &[Schedule],
    ) -> Result<(), DbErr> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        for id in Store::ship_checklists(&tx, lists, now).await? {
            let published = crate::domain::checklist::template::State::Published as i32;
            note(&tx, &checklists::name(&id), (0, published), ("", ""), now).await?;
        }
        Store::ship_schedules(&tx, schedules).await?;
        tx.commit().await
    }

    /// The organisation of a request, when the caller may do `permission` there.
    ///
    /// # Errors
    /// As [`Base::site`].
    pub(crate) async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        self.base.site(caller, permission, id).await
    }

    /// Lets those through who may read what a bureau called: at it, above it, and below it.
    ///
    /// # Errors
    /// SCOPE_DENIED, or not found.
    pub(crate) async fn within_reach(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        let permission = Permission::InspectionRead;
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        let Some(owner) = Store::organization(db, id).await? else {
            return Err(unknown(permission, scope, format!("organizations/{id}")));
        };
        let owner = place(&owner.org_path);
        Ok(caller.require(permission, caller.reached(&owner))?)
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }

    /// The present civil day.
    pub(crate) fn today(&self) -> NaiveDate {
        self.base.clock.today()
    }
}

/// Who a caller is to the register, where the token says so.
fn actor(caller: &Caller) -> &str {
    caller.person.as_deref().unwrap_or(&caller.subject)
}

/// Adds a step (states before and after; who and why) to the history of a resource.
async fn note(
    tx: &Tx,
    resource: &str,
    (from, to): (i32, i32),
    (actor, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let change = Change {
        from,
        to,
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        at: now,
    };
    Store::add_inspection_change(tx, resource, change).await
}

/// The flood season of the policy in force at a place on a day (rule 5.30).
fn season(rules: &Rules, place: &OrgPath, day: NaiveDate) -> Option<Season> {
    let weather = rules.policy(place, day)?.weather.as_ref()?;
    Some(Season {
        first: u32::try_from(weather.flood_season_start).ok()?,
        last: u32::try_from(weather.flood_season_end).ok()?,
    })
}
