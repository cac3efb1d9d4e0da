//! Mutual-aid groups: nearby schools that help each other (rule 5.26).

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::Weather;
use crate::app::{Site, new_id, place};
use crate::domain::organization::Level as Authority;
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::groups::{Group, GroupRow};

/// How many members a group has where no policy is in force.
const MEMBERS: RangeInclusive<usize> = 3..=5;

/// What changes of a group; what is none stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupChange {
    pub(crate) display_name: Option<String>,
    /// Ids, the one that leads first.
    pub(crate) members: Option<Vec<String>>,
    /// The version that the caller saw.
    pub(crate) version: Option<i64>,
}

impl Weather {
    /// Forms a group at a bureau.
    ///
    /// # Errors
    /// INVALID_FIELD when the organisation is no bureau, MUTUAL_AID_SIZE, MUTUAL_AID_MEMBER, or when
    /// the database fails.
    pub(crate) async fn form<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        (display_name, members): (String, Vec<String>),
        once: (&str, &impl Message),
        render: impl FnOnce(Group) -> R,
    ) -> Result<R, Error> {
        if site.organization.level() == Authority::School {
            let problem = Problem::invalid("parent", "应为教育局", "must be a bureau");
            return Err(problem.into());
        }
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let row = GroupRow {
                id: new_id(now),
                organization: site.organization.id.clone(),
                org_path: site.organization.org_path.clone(),
                display_name,
                created_at: now.timestamp_millis(),
                updated_at: now.timestamp_millis(),
                version: 1,
            };
            let group = Group { row, members };
            self.keep(tx, site, &group, now).await?;
            Ok(render(group))
        };
        self.base
            .act(caller, "CreateMutualAidGroup", once, work)
            .await
    }

    /// Changes a group.
    ///
    /// # Errors
    /// NOT_FOUND, ETAG_MISMATCH, MUTUAL_AID_SIZE, MUTUAL_AID_MEMBER, or when the database fails.
    pub(crate) async fn change_group<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        change: GroupChange,
        once: (&str, &impl Message),
        render: impl FnOnce(Group) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let mut group = found(tx, site, id, Lock::Yes).await?;
            if change.version.is_some_and(|seen| seen != group.row.version) {
                return Err(Problem::new(ErrorReason::EtagMismatch).into());
            }
            if let Some(display_name) = change.display_name {
                group.row.display_name = display_name;
            }
            if let Some(members) = change.members {
                group.members = members;
            }
            group.row.updated_at = now.timestamp_millis();
            group.row.version += 1;
            self.keep(tx, site, &group, now).await?;
            Ok(render(group))
        };
        self.base
            .act(caller, "UpdateMutualAidGroup", once, work)
            .await
    }

    /// Dissolves a group.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn dissolve(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        once: (&str, &impl Message),
    ) -> Result<(), Error> {
        let work = async |tx: &Tx, _: DateTime<Utc>| {
            found(tx, site, id, Lock::Yes).await?;
            Ok(Store::remove_mutual_aid_group(tx, id).await?)
        };
        self.base
            .act(caller, "DeleteMutualAidGroup", once, work)
            .await
    }

    /// Checks a group and saves it.
    async fn keep(
        &self,
        tx: &Tx,
        site: &Site,
        group: &Group,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let rules = self.rules_at(tx, &site.path, now).await?;
        let size = rules.map_or(MEMBERS, |rules| rules.policy.mutual_aid);
        if !size.contains(&group.members.len()) {
            return Err(Error::MutualAidSize(*size.start(), *size.end()));
        }
        for member in &group.members {
            let known = Store::organization(tx, member).await?;
            let fits = known.is_some_and(|known| {
                let below = site.path.contains(&place(&known.org_path));
                below && known.open && known.kind.has_campus()
            });
            if !fits {
                return Err(Error::MutualAidMember(member.clone()));
            }
        }
        match Store::save_mutual_aid_group(tx, &group.row, &group.members).await? {
            Some(other) => Err(Error::MutualAidMember(other)),
            None => Ok(()),
        }
    }

    /// One group of a bureau.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn group(&self, site: &Site, id: Uuid) -> Result<Group, Error> {
        found(self.base.store.database().read(), site, id, Lock::No).await
    }

    /// The groups formed at an organisation and below it, after the group `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn groups(
        &self,
        site: &Site,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Group>, Error> {
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        Ok(Store::mutual_aid_groups(db, place, after, limit).await?)
    }
}

async fn found(
    db: &impl ConnectionTrait,
    site: &Site,
    id: Uuid,
    lock: Lock,
) -> Result<Group, Error> {
    let own = &site.organization.id;
    let found = Store::mutual_aid_group(db, id, lock).await?;
    found
        .filter(|group| group.row.organization == *own)
        .ok_or_else(|| {
            let id = id.hyphenated();
            Error::NotFound(format!("organizations/{own}/mutualAidGroups/{id}"))
        })
}
