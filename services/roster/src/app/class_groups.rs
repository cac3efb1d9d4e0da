//! Class groups, one at a time.

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::{Act, App, announce, check, hidden};
use crate::domain::class_group::{self, ClassGroup, State, TeachingMode};
use crate::domain::import::{ClassGroupId, school_year};
use crate::error::Error;
use crate::grpc::{convert, people};
use crate::store::class_groups::{self as store, Wanted};
use crate::store::organizations;

/// A class group to be added.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The code of its organisation.
    pub(crate) organization: String,
    pub(crate) id: ClassGroupId,
    pub(crate) display_name: String,
    pub(crate) head_teacher: Option<Uuid>,
}

/// What changes of a class group; none stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) head_teacher: Option<Option<Uuid>>,
    pub(crate) etag: String,
}

impl App {
    /// The class group `id` of an organisation, at which the caller may do `permission`.
    pub(crate) async fn class_group(
        &self,
        caller: &Caller,
        permission: Permission,
        organization: &str,
        id: &ClassGroupId,
    ) -> Result<ClassGroup, Error> {
        caller.allowed(permission)?;
        let Some(group) = store::get(self.db.read(), organization, id.as_str()).await? else {
            let name = class_group::name(organization, id.as_str());
            return Err(hidden(caller, permission, name));
        };
        check(caller, permission, &group.org_path)?;
        Ok(group)
    }

    /// One class group as it is answered.
    pub(crate) async fn get_class_group(
        &self,
        caller: &Caller,
        organization: &str,
        id: &ClassGroupId,
    ) -> Result<pb::ClassGroup, Error> {
        let group = self
            .class_group(caller, Permission::RosterRead, organization, id)
            .await?;
        Ok(people::class_group(group, self.clock.today()))
    }

    /// One page of the class groups of an organisation.
    pub(crate) async fn list_class_groups(
        &self,
        caller: &Caller,
        wanted: Wanted,
    ) -> Result<Vec<ClassGroup>, Error> {
        self.organization(caller, Permission::RosterRead, &wanted.organization)
            .await?;
        Ok(store::list(self.db.read(), &wanted).await?)
    }

    /// Adds a class group to a school.
    pub(crate) async fn create_class_group(
        &self,
        caller: &Caller,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ClassGroup, Error> {
        let Draft {
            organization,
            id,
            display_name,
            head_teacher,
        } = draft;
        let seen = self
            .organization(caller, Permission::RosterWrite, &organization)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let school = organizations::lock(&tx, &organization).await?;
        let school = school.ok_or_else(|| Error::NotFound(seen.name()))?;
        if school.closed.is_some() {
            return Err(Error::Closed(school.name()));
        }
        if !school.kind.teaches() {
            return Err(Error::Kind(school.name()));
        }
        if store::get(&tx, &organization, id.as_str()).await?.is_some() {
            let name = class_group::name(&organization, id.as_str());
            return Err(Error::AlreadyExists(name));
        }
        if let Some(teacher) = head_teacher {
            works_at(&tx, teacher, &school.org_path).await?;
        }
        let place: OrgPath = school.org_path.parse().unwrap_or_default();
        let group = ClassGroup {
            org_path: place.join(id.as_str()).to_string(),
            organization,
            id,
            display_name,
            teaching_mode: TeachingMode::InPerson,
            head_teacher,
            state: State::Active,
            school_year: school_year(self.clock.today()),
            version: 1,
            roll_version: 0,
            student_count: 0,
            update_time: now.timestamp_millis(),
        };
        store::insert(&tx, &group).await?;
        let answer = self.announced(&tx, group).await?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Changes a class group.
    pub(crate) async fn update_class_group(
        &self,
        caller: &Caller,
        organization: &str,
        id: &ClassGroupId,
        change: Change,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ClassGroup, Error> {
        let seen = self
            .class_group(caller, Permission::RosterWrite, organization, id)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let mut group = lock_taught(&tx, &seen.org_path).await?;
        let Change {
            display_name,
            head_teacher,
            etag,
        } = change;
        if !etag.is_empty() && etag != convert::etag(group.version) {
            return Err(Error::EtagMismatch(group.name()));
        }
        if let Some(Some(teacher)) = head_teacher {
            let school = group
                .org_path
                .rsplit_once('/')
                .map_or("", |(above, _)| above);
            works_at(&tx, teacher, school).await?;
        }
        group.display_name = display_name.unwrap_or(group.display_name);
        group.head_teacher = head_teacher.unwrap_or(group.head_teacher);
        group.version += 1;
        group.update_time = now.timestamp_millis();
        store::update(&tx, &group).await?;
        let answer = self.announced(&tx, group).await?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Announces the roll of a class group and gives the class group as it is then.
    async fn announced(&self, tx: &Tx, group: ClassGroup) -> Result<pb::ClassGroup, Error> {
        let today = self.clock.today();
        announce::class_rolls(tx, vec![group.org_path.clone()], today).await?;
        let after = store::get(tx, &group.organization, group.id.as_str()).await?;
        Ok(people::class_group(after.unwrap_or(group), today))
    }
}

/// The class group at a place, locked; only while it is taught.
pub(super) async fn lock_taught(tx: &Tx, org_path: &str) -> Result<ClassGroup, Error> {
    let found = store::lock(tx, &[org_path]).await?.into_iter().next();
    let group = found.ok_or_else(|| Error::NotFound(class_group::name_at(org_path)))?;
    taught(group)
}

/// A class group while it is taught.
pub(super) fn taught(group: ClassGroup) -> Result<ClassGroup, Error> {
    let name = group.name();
    group
        .taught()
        .map_err(|class_group::Finished| Error::Graduated(name))
}

/// Who leads a class group works at its school.
async fn works_at(tx: &Tx, teacher: Uuid, school: &str) -> Result<(), Error> {
    match store::workplace(tx, teacher).await? {
        Some((place, works)) if place == school => {
            let left = || Error::Dismissed(format!("staff/{teacher}"));
            works.then_some(()).ok_or_else(left)
        }
        // Whether somebody works elsewhere is not told.
        _ => Err(Problem::invalid(
            "class_group.head_teacher",
            "不是本校的在职教职工",
            "does not work at this school",
        )
        .into()),
    }
}
