//! Use cases of the duty watch.

mod checks;
mod policy;
mod rosters;
mod shifts;
mod standings;
mod swaps;
mod templates;
mod watch;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::app::{Base, Site};
use crate::domain::history::{Move, Moved};
use crate::error::Error;
use crate::store::Store;
use crate::store::records::{Record, resource_name};

pub(crate) use checks::PatrolledDay;
pub(crate) use rosters::{Draft, ShownRoster};
pub(crate) use shifts::{Act, ShownShift};
pub(crate) use standings::{Now, OnDuty, OnShift, standing_of};
pub(crate) use templates::{InForce, Templates};

/// The collections of this wing.
pub(crate) const ROSTERS: &str = "dutyRosters";
pub(crate) const SHIFTS: &str = "dutyShifts";
pub(crate) const SWAPS: &str = "dutySwaps";

/// Use cases of the duty watch.
#[derive(Clone, Debug)]
pub(crate) struct Duty {
    base: Base,
    templates: Templates,
}

/// A resource with its history; none in lists.
#[derive(Debug)]
pub(crate) struct Shown<T> {
    /// The resource.
    pub(crate) record: Record<T>,
    /// Its history.
    pub(crate) history: Vec<Moved>,
}

/// Which page of a list over the tree: before this id, at most so many.
pub(crate) type Page = (Option<Uuid>, u64);

impl Duty {
    pub(crate) fn new(base: Base, templates: Templates) -> Self {
        Self { base, templates }
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

    /// The civil day of a request, which may leave it out.
    fn day(&self, day: Option<NaiveDate>) -> NaiveDate {
        day.unwrap_or_else(|| self.base.clock.today())
    }
}

impl<T> Shown<T> {
    async fn of(
        db: &impl ConnectionTrait,
        record: Record<T>,
        collection: &str,
    ) -> Result<Self, Error> {
        let history = Store::history(db, &record.name(collection)).await?;
        Ok(Self { record, history })
    }

    fn listed(record: Record<T>) -> Self {
        Self {
            record,
            history: Vec::new(),
        }
    }
}

/// What begins the history of a resource.
fn created(state: &'static str, step: &'static str) -> Move {
    Move {
        from: "",
        to: state,
        step,
    }
}

/// A resource of an organisation that is there.
fn there<T>(
    found: Option<Record<T>>,
    (organization, collection, id): (&str, &str, Uuid),
) -> Result<Record<T>, Error> {
    found.ok_or_else(|| Error::NotFound(resource_name(organization, collection, id)))
}

/// A new resource of the organisation.
fn record<T>(site: &Site, id: Uuid, value: T) -> Record<T> {
    Record {
        id,
        organization: site.organization.id.clone(),
        org_path: site.organization.org_path.clone(),
        value,
    }
}
