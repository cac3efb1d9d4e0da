//! Use cases: authorise, load, decide, save, announce.

mod axes;
pub(crate) mod close;
mod compute;
mod controls;
mod corrections;
mod coverage;
pub(crate) mod destruction;
mod draw_day;
mod draws;
mod export;
pub(crate) mod health;
pub(crate) mod held;
pub(crate) mod hold_cases;
mod holds;
pub(crate) mod late;
mod plans;
pub(crate) mod points;
mod replace;
mod resample;
pub(crate) mod results;
pub(crate) mod retention;
pub(crate) mod swab_batch;
pub(crate) mod swabs;
mod tube_figures;
pub(crate) mod tube_reads;
mod tube_steps;
pub(crate) mod tubes;

use std::sync::Arc;

use kit::auth::{Caller, Permission};
use kit::clock::Clock;
use kit::db::{Database, Tx};
use kit::org::OrgPath;
use kit::teaching::Teaching;

use crate::domain::commitment::Signer;
use crate::domain::day::Day;
use crate::domain::policy::Policy;
use crate::error::Error;
use crate::store::policy::FactsCache;
use crate::store::rolls;

pub(crate) use coverage::Covered;
pub(crate) use draw_day::Progress;
pub(crate) use draws::{Called, CalledState, Listing};
pub(crate) use plans::{Answer, Change, Draft, Population, Question};
pub(crate) use tube_figures::Tubes;

/// What every use case needs. Clones are cheap.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) db: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) facts: FactsCache,
    /// Tells the roster how class groups are taught.
    pub(crate) teaching: Teaching,
    /// Where secrets come from.
    pub(crate) entropy: fn() -> [u8; 32],
}

impl App {
    /// Today in the city.
    pub(crate) fn today(&self) -> Day {
        self.clock.today().into()
    }

    /// The policy that holds at a place today.
    pub(crate) async fn policy_at(&self, tx: &Tx, path: &str) -> Result<Policy, Error> {
        let facts = self.facts.get(tx).await?;
        let policy = facts.policy(path, self.today()).cloned();
        policy.ok_or_else(|| Error::NoPolicy(path.to_owned()))
    }

    /// The place of an organisation at which the caller may do `permission`. Somebody who may not
    /// see all of the city is not told whether what they may not see exists.
    pub(crate) async fn place(
        &self,
        caller: &Caller,
        permission: Permission,
        organization: &str,
    ) -> Result<OrgPath, Error> {
        let scope = caller.allowed(permission)?;
        match rolls::organization_path(self.db.read(), organization).await? {
            Some(path) => {
                caller.require(permission, &path)?;
                Ok(path)
            }
            None if scope.ids().count() <= 1 => {
                Err(Error::NotFound(format!("organizations/{organization}")))
            }
            None => {
                caller.require(permission, &OrgPath::root())?;
                Err(Error::NotFound(format!("organizations/{organization}")))
            }
        }
    }

    /// Whether something at `path` may be seen; what may not be seen does not exist either.
    pub(crate) fn check_path(
        caller: &Caller,
        permission: Permission,
        path: &str,
    ) -> Result<(), Error> {
        let path: OrgPath = path.parse().unwrap_or_default();
        caller.require(permission, &path)?;
        Ok(())
    }
}
