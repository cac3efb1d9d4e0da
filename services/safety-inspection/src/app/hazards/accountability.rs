//! Who was told what: listed, and seen.

use kit::auth::{Caller, Permission};
use prost::Message;
use uuid::Uuid;

use super::{Hazards, name_of};
use crate::app::{Site, denied, place, unknown};
use crate::domain::organization::Level;
use crate::error::Error;
use crate::store::Store;
use crate::store::hazards::{Heeded, Record, Trail};

/// Which records are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) hazard: Option<Uuid>,
    pub(crate) staff_member: String,
    pub(crate) unseen: bool,
    pub(crate) before: Option<Uuid>,
}

impl Hazards {
    /// The organisation whose trail the caller may read: all of it, or what they themselves were told
    /// at their own school or below.
    pub(crate) async fn trail_site(
        &self,
        caller: &Caller,
        id: &str,
        staff_member: &str,
    ) -> Result<Site, Error> {
        let permission = Permission::AccountabilityRead;
        if name_of(caller) != staff_member {
            return self.base.site(caller, permission, id).await;
        }
        let db = self.base.store.database().read();
        let Some(organization) = Store::organization(db, id).await? else {
            let name = format!("organizations/{id}");
            return Err(unknown(permission, &caller.scope, name));
        };
        let path = place(&organization.org_path);
        let school = organization.level() == Level::School;
        if caller.scope.contains(&path) || (school && path.contains(&caller.scope)) {
            Ok(Site { organization, path })
        } else {
            Err(denied(permission).into())
        }
    }

    /// What people were told at and below an organisation, newest first.
    pub(crate) async fn trail(
        &self,
        site: &Site,
        wanted: &Wanted,
        limit: u64,
    ) -> Result<Vec<Record>, Error> {
        let trail = Trail {
            hazard: wanted.hazard,
            staff_member: &wanted.staff_member,
            unseen: wanted.unseen,
            before: wanted.before,
        };
        let db = self.base.store.database().read();
        Ok(Store::accountability(db, site.path.as_str(), trail, limit).await?)
    }

    /// A record of the caller's own. Others learn nothing of it.
    pub(crate) async fn own_record(
        &self,
        caller: &Caller,
        organization: &str,
        id: Uuid,
    ) -> Result<Record, Error> {
        let db = self.base.store.database().read();
        let found = Store::accountability_record(db, organization, id).await?;
        let own = found.filter(|record| record.staff_member == name_of(caller));
        own.ok_or_else(|| denied(Permission::AccountabilityRead).into())
    }

    /// Writes down that the caller has seen a record.
    pub(crate) async fn acknowledge<R: Message + Default>(
        &self,
        caller: &Caller,
        record: Record,
        once: (&str, &impl Message),
        render: impl FnOnce(Record) -> R,
    ) -> Result<R, Error> {
        let method = "AcknowledgeAccountabilityRecord";
        self.base
            .act(caller, method, once, async |tx, now| {
                let seen = Heeded::Record(record.id);
                Store::note_seen(tx, seen, &record.staff_member, now).await?;
                let organization = &record.home.organization;
                let found = Store::accountability_record(tx, organization, record.id).await?;
                Ok(render(found.unwrap_or(record)))
            })
            .await
    }
}
