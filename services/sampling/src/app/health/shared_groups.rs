//! What people of a school share beside class and dormitory: said, forgotten, read.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use kit::status::Problem;
use proto::sampling::{RemoveSharedGroupRequest, SetSharedGroupRequest, SharedGroup};

use crate::app::App;
use crate::domain::health::shared::{Seat, SharedKind};
use crate::domain::roll::{GroupKind, PersonId};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::grpc::health::shared_group_convert::shared_group;
use crate::store::health::shared_groups::{self, MOST_GROUPS, SharedGroupRow, SharedMemberRow};
use crate::store::people;
use crate::store::rolls::{self, group_name};
use kit::rows::Row;

/// A group as somebody says it.
#[derive(Clone, Debug)]
pub(crate) struct NewGroup<'a> {
    /// The school's identifier.
    pub(crate) organization: &'a str,
    /// Its name within the school.
    pub(crate) code: &'a str,
    pub(crate) kind: SharedKind,
    pub(crate) display_name: &'a str,
    pub(crate) members: Vec<(PersonId, GroupKind, Seat)>,
    /// The identifiers of class groups that belong to it as a whole.
    pub(crate) class_groups: Vec<&'a str>,
}

impl App {
    /// Says who shares something, in place of what was said before.
    pub(crate) async fn set_shared_group(
        &self,
        caller: &Caller,
        new: NewGroup<'_>,
        request: &SetSharedGroupRequest,
    ) -> Result<SharedGroup, Error> {
        let place = self
            .place(caller, Permission::CaseWrite, new.organization)
            .await?;
        if new.members.is_empty() && new.class_groups.is_empty() {
            let (chinese, english) = ("至少要有一人或一个班级", "must name anybody at all");
            return Err(Problem::invalid("members", chinese, english).into());
        }
        let school = place.as_str();
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        self.lock_health(&tx, &[school]).await?;
        let id = request.request_id.as_str();
        let ticket = match once(&tx, caller, "SetSharedGroup", id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let members = belonging(&tx, school, &new).await?;
        let class_groups = class_groups(&tx, school, &new).await?;
        let known = shared_groups::list(&tx, school, 0, "", MOST_GROUPS).await?;
        let is_new = known.iter().all(|group| group.code != new.code);
        if is_new && u64::try_from(known.len()).unwrap_or(u64::MAX) >= MOST_GROUPS {
            let (chinese, english) = ("学校的共同分组已达上限", "the school has too many groups");
            return Err(Problem::invalid("name", chinese, english).into());
        }
        let group = SharedGroupRow {
            school: school.to_owned(),
            code: new.code.to_owned(),
            kind: new.kind.code(),
            display_name: new.display_name.to_owned(),
            class_groups: class_groups.join("\n"),
            members: i32::try_from(members.len()).unwrap_or(i32::MAX),
            update_time: now.timestamp_millis(),
            updated_by: caller.subject.clone(),
        };
        shared_groups::remove(&tx, school, new.code).await?;
        SharedGroupRow::save(&tx, std::slice::from_ref(&group)).await?;
        SharedMemberRow::save(&tx, &members).await?;
        self.look_at_shared(&tx, school, now).await?;
        let answer = shared_group(&group, &members);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Forgets a group and who belongs to it.
    pub(crate) async fn remove_shared_group(
        &self,
        caller: &Caller,
        (organization, code): (&str, &str),
        request: &RemoveSharedGroupRequest,
    ) -> Result<SharedGroup, Error> {
        let place = self
            .place(caller, Permission::CaseWrite, organization)
            .await?;
        let school = place.as_str();
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        self.lock_health(&tx, &[school]).await?;
        let id = request.request_id.as_str();
        let ticket = match once(&tx, caller, "RemoveSharedGroup", id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let group = shared_groups::get(&tx, school, code).await?;
        let group = group.ok_or_else(|| not_found(organization, code))?;
        shared_groups::remove(&tx, school, code).await?;
        self.clusters_follow(&tx, &group, now).await?;
        let answer = shared_group(&group, &[]);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Lets the clusters of a school follow what was forgotten.
    async fn clusters_follow(
        &self,
        tx: &Tx,
        group: &SharedGroupRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        match group.shares() {
            Some(SharedKind::Meal | SharedKind::Water) => {
                self.look_at_shared(tx, &group.school, now).await
            }
            Some(SharedKind::Seats | SharedKind::Bus) | None => Ok(()),
        }
    }

    /// One group with everybody in it.
    pub(crate) async fn get_shared_group(
        &self,
        caller: &Caller,
        organization: &str,
        code: &str,
    ) -> Result<SharedGroup, Error> {
        let place = self
            .place(caller, Permission::CaseRead, organization)
            .await?;
        let (read, school) = (self.db.read(), place.as_str());
        let group = shared_groups::get(read, school, code).await?;
        let group = group.ok_or_else(|| not_found(organization, code))?;
        let members = shared_groups::members(read, school, code).await?;
        Ok(shared_group(&group, &members))
    }

    /// The groups of a school after one.
    pub(crate) async fn list_shared_groups(
        &self,
        caller: &Caller,
        organization: &str,
        kind: i16,
        after: &str,
        limit: u64,
    ) -> Result<Vec<SharedGroupRow>, Error> {
        let place = self
            .place(caller, Permission::CaseRead, organization)
            .await?;
        Ok(shared_groups::list(self.db.read(), place.as_str(), kind, after, limit).await?)
    }
}

/// The rows of those who are named one by one; all are on rolls of the school.
async fn belonging(
    tx: &Tx,
    school: &str,
    new: &NewGroup<'_>,
) -> Result<Vec<SharedMemberRow>, Error> {
    let ids: Vec<PersonId> = new.members.iter().map(|(person, _, _)| *person).collect();
    let located = people::locate_all(tx, &ids).await?;
    let mut rows = Vec::with_capacity(new.members.len());
    for (person, kind, seat) in &new.members {
        let found = located
            .get(person)
            .filter(|found| found.group.kind == *kind && found.group.school_path() == school);
        if found.is_none() {
            return Err(Error::NotFound(person_name(*kind, *person)));
        }
        rows.push(SharedMemberRow {
            school: school.to_owned(),
            code: new.code.to_owned(),
            person: person.0.to_vec(),
            kind: kind.code(),
            seat_row: seat.row,
            seat_column: seat.column,
        });
    }
    rows.sort_by(|one, other| one.person.cmp(&other.person));
    Ok(rows)
}

/// The places of the class groups that belong to it as a whole, ordered; all are of the school.
async fn class_groups(tx: &Tx, school: &str, new: &NewGroup<'_>) -> Result<Vec<String>, Error> {
    let mut paths: Vec<String> = new
        .class_groups
        .iter()
        .map(|id| format!("{school}/{id}"))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let found = rolls::groups_at(tx, &paths).await?;
    let missing = paths
        .iter()
        .find(|path| found.iter().all(|group| group.path != **path));
    match missing.and_then(|path| path.rsplit_once('/')) {
        Some((_, id)) => Err(Error::NotFound(group_name(new.organization, id))),
        None => Ok(paths),
    }
}

fn not_found(organization: &str, code: &str) -> Error {
    Error::NotFound(format!("organizations/{organization}/sharedGroups/{code}"))
}
