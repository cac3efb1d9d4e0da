//! Use cases of the weather.

mod checks;
mod evidence;
mod groups;
mod policy;
mod responses;
mod shipped;
mod signals;
mod states;
mod suspensions;
mod tasks;
mod telling;
mod views;
mod worker;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::org::OrgPath;
use kit::teaching::Teaching;
use tokio::sync::Notify;

use super::{Base, Site, place, unknown};
use crate::domain::weather::catalogue::Catalogue;
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::Turn;

pub(crate) use checks::{Disinfected, Found, check_name, shown_by};
pub(crate) use evidence::Evidence;
pub(crate) use groups::GroupChange;
pub(crate) use policy::WeatherRules;
pub(crate) use responses::Declaration;
pub(crate) use shipped::shipped;
pub(crate) use states::{StatesAsked, delayed};
pub(crate) use suspensions::Decision;
pub(crate) use tasks::TasksAsked;
pub(crate) use views::{CheckView, ResponseView, SignalView, StateView, SuspensionView, TaskView};

/// Who acts when a time has come.
const SERVICE: &str = "service";

/// The use cases of the weather.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    base: Base,
    teaching: Teaching,
    catalogue: Arc<Catalogue>,
    /// Told when the register has something to hear.
    wake: Arc<Notify>,
}

impl Weather {
    pub(crate) fn new(base: Base, teaching: Teaching, catalogue: Catalogue) -> Self {
        Self {
            base,
            teaching,
            catalogue: Arc::new(catalogue),
            wake: Arc::default(),
        }
    }

    /// What ships about the weather.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
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

    /// The organisation whose decision is read: the caller's own, one below it, or one above it, whose
    /// decisions reach the caller.
    ///
    /// # Errors
    /// As [`Base::site`].
    pub(crate) async fn above(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        let Some(organization) = Store::organization(db, id).await? else {
            return Err(unknown(permission, scope, format!("organizations/{id}")));
        };
        let path = place(&organization.org_path);
        caller.require(permission, caller.reached(&path))?;
        Ok(Site { organization, path })
    }

    /// Begins a change of many organisations, caused by the resource `cause`.
    async fn turn(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        actor: &str,
        cause: String,
    ) -> Result<Turn, Error> {
        Ok(Store::weather_turn(tx, now.timestamp_millis(), actor, cause).await?)
    }

    /// After alarms changed: moves organisations and their tasks by the policies of the day, and lets
    /// the suspensions in force reach whoever is warned now.
    async fn settle(&self, tx: &Tx, turn: &Turn, now: DateTime<Utc>) -> Result<(), Error> {
        let rules = Store::rules(tx).await?;
        let plan = policy::plan(&rules, &self.catalogue, civil_date(now));
        Store::settle_weather(tx, &plan, turn).await?;
        if Store::widen_weather_suspensions(tx, turn).await? > 0 {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Organisations that came to be where a warning holds, such as one that the register opened
    /// meanwhile, are warned.
    async fn warn_newcomers(&self, tx: &Tx, now: DateTime<Utc>) -> Result<(), Error> {
        if !Store::weather_has_newcomers(tx).await? {
            return Ok(());
        }
        let turn = self.turn(tx, now, SERVICE, String::new()).await?;
        self.settle(tx, &turn, now).await
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }

    /// What the policy in force at an organisation says of the weather today.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn rules(&self, site: &Site) -> Result<Option<WeatherRules>, Error> {
        let db = self.base.store.database().read();
        self.rules_at(db, &site.path, self.now()).await
    }

    /// What the policy in force at a place says of the weather; none before the first policy.
    async fn rules_at(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        path: &OrgPath,
        now: DateTime<Utc>,
    ) -> Result<Option<WeatherRules>, Error> {
        let rules = Store::rules(db).await?;
        Ok(policy::at(&rules, path, civil_date(now)))
    }
}
