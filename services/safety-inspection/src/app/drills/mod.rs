//! Use cases of drills.

mod acting;
mod obligations;
mod policy;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::app::{Base, Site, identity, new_id, photos};
use crate::domain::drill::{Drill, Plan};
use crate::domain::history::{Move, Moved};
use crate::error::Error;
use crate::store::Store;
use crate::store::drills::Filter;
use crate::store::records::{Record, resource_name};

pub(crate) use acting::{Act, Assessment};
pub(crate) use obligations::{Owed, owed_by};

/// The collection of drills.
const COLLECTION: &str = "drills";

/// Use cases of drills.
#[derive(Clone, Debug)]
pub(crate) struct Drills {
    base: Base,
}

/// A drill with all that is told of it.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The drill.
    pub(crate) record: Record<Drill>,
    /// Its photos; none in lists.
    pub(crate) evidence: Vec<photos::Shown>,
    /// Its history; none in lists.
    pub(crate) history: Vec<Moved>,
}

impl Drills {
    pub(crate) fn new(base: Base) -> Self {
        Self { base }
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

    /// Plans a drill.
    pub(crate) async fn create<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        plan: Plan,
        request: (&str, &impl Message),
        render: impl FnOnce(Shown) -> R,
    ) -> Result<R, Error> {
        if !site.organization.kind.has_campus() {
            return Err(Error::Unfit {
                field: "parent",
                zh: "只有学校等有校园的单位才组织演练",
                en: "only an organisation with a campus drills",
            });
        }
        let work = async |tx: &Tx, now| {
            let drill = Drill::new(plan, now)?;
            let record = Record {
                id: new_id(now),
                organization: site.organization.id.clone(),
                org_path: site.organization.org_path.clone(),
                value: drill,
            };
            let moved = Move {
                from: "",
                to: record.value.state.as_str(),
                step: "CREATE",
            };
            let actor = identity(caller);
            Store::save_drill(tx, &record).await?;
            let name = record.name(COLLECTION);
            Store::note_move(tx, &name, &moved, (&actor, ""), now).await?;
            Ok(render(shown(tx, &caller.scope, record).await?))
        };
        self.base.act(caller, "CreateDrill", request, work).await
    }

    /// One drill.
    pub(crate) async fn get(&self, caller: &Caller, site: &Site, id: Uuid) -> Result<Shown, Error> {
        let db = self.base.store.database().read();
        let record = find(db, &site.organization.id, id, Lock::No).await?;
        shown(db, &caller.scope, record).await
    }

    /// Drills at and below an organisation.
    pub(crate) async fn list(
        &self,
        site: &Site,
        filter: Filter,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Shown>, Error> {
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        let found = Store::drills(db, place, filter, before, limit).await?;
        let listed = found.into_iter().map(|record| Shown {
            record,
            evidence: Vec::new(),
            history: Vec::new(),
        });
        Ok(listed.collect())
    }
}

async fn find(
    db: &impl ConnectionTrait,
    organization: &str,
    id: Uuid,
    lock: Lock,
) -> Result<Record<Drill>, Error> {
    let found = Store::drill(db, organization, id, lock).await?;
    found.ok_or_else(|| Error::NotFound(resource_name(organization, COLLECTION, id)))
}

async fn shown(
    db: &impl ConnectionTrait,
    scope: &OrgPath,
    record: Record<Drill>,
) -> Result<Shown, Error> {
    let name = record.name(COLLECTION);
    Ok(Shown {
        evidence: photos::shown(db, scope, &record.organization, &name).await?,
        history: Store::history(db, &name).await?,
        record,
    })
}
