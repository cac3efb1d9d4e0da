//! Staff: who works where, and what they do there.

mod change;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::{Act, App, announce, check, hidden};
use crate::domain::import::IdKind;
use crate::domain::private::Private;
use crate::domain::staff::{Left, Posts, StaffMember, State};
use crate::error::Error;
use crate::grpc::{convert, staff as render};
use crate::store::staff::{self as store, Wanted};
pub(super) use change::open;
use change::{Changed, give_up, lock, taken};

/// A member of staff to be added.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) display_name: String,
    pub(crate) posts: Posts,
    pub(crate) grade: i16,
    pub(crate) staff_code: String,
    pub(crate) private: Private,
    pub(crate) swab_exempt: bool,
    pub(crate) start: Option<NaiveDate>,
    pub(crate) state: State,
}

/// What changes of a member of staff; none stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) posts: Option<Posts>,
    pub(crate) grade: Option<i16>,
    pub(crate) staff_code: Option<String>,
    pub(crate) id_number: Option<Option<String>>,
    pub(crate) phone: Option<Option<String>>,
    pub(crate) swab_exempt: Option<bool>,
    pub(crate) start: Option<Option<NaiveDate>>,
    pub(crate) state: Option<State>,
    pub(crate) etag: String,
}

impl App {
    /// One member of staff.
    pub(crate) async fn get_staff_member(
        &self,
        caller: &Caller,
        id: Uuid,
    ) -> Result<pb::StaffMember, Error> {
        let member = self
            .staff_member(caller, Permission::RosterRead, id)
            .await?;
        self.shown(member)
    }

    /// One page of the staff of `organization`; with more behind it, `wanted.limit` of them.
    pub(crate) async fn list_staff(
        &self,
        caller: &Caller,
        organization: &str,
        wanted: Wanted,
    ) -> Result<Vec<pb::StaffMember>, Error> {
        let organization = self
            .organization(caller, Permission::RosterRead, organization)
            .await?;
        let wanted = Wanted {
            org_path: organization.org_path,
            ..wanted
        };
        let found = store::list(self.db.read(), &wanted).await?;
        found.into_iter().map(|member| self.shown(member)).collect()
    }

    /// Adds a member of staff.
    pub(crate) async fn create_staff_member(
        &self,
        caller: &Caller,
        organization: &str,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::StaffMember, Error> {
        self.organization(caller, Permission::RosterWrite, organization)
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
        let organization = open(&tx, organization).await?;
        let Draft {
            display_name,
            posts,
            grade,
            staff_code,
            private,
            swab_exempt,
            start,
            state,
        } = draft;
        let mut member = StaffMember {
            id: (self.new_id)(),
            org_path: organization.org_path,
            display_name,
            posts,
            source_posts: Posts::default(),
            grade,
            staff_code,
            id_type: 0,
            id_hash: None,
            sealed: None,
            swab_exempt,
            start,
            state,
            version: 1,
            update_time: now.timestamp_millis(),
        };
        self.identify(&mut member, private.id_number.as_deref());
        member.sealed = self.seal(member.id, &private);
        store::insert(&tx, &member).await.map_err(taken)?;
        announce::staff_roll(&tx, &organization.id).await?;
        if member.posts != Posts::default() {
            announce::responsibility_rolls(&tx, vec![organization.id], member.update_time).await?;
        }
        let answer = self.shown(member)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Changes a member of staff.
    pub(crate) async fn update_staff_member(
        &self,
        caller: &Caller,
        id: Uuid,
        change: Change,
        act: Act<'_, impl Message>,
    ) -> Result<pb::StaffMember, Error> {
        self.change_staff_member(caller, id, act, async |tx, member| {
            if !change.etag.is_empty() && change.etag != convert::etag(member.version) {
                return Err(Error::EtagMismatch(member.name()));
            }
            let name = member.name();
            let was = member.employed().map_err(|Left| Error::Dismissed(name))?;
            let organization = lock(tx, was.organization()).await?;
            let member = self.revise(was.clone(), change)?;
            let moved = was.posts != member.posts || was.state != member.state;
            let answering = moved.then(|| organization.id.clone());
            Ok(Changed {
                member,
                staff_of: vec![organization.id],
                answering: answering.into_iter().collect(),
            })
        })
        .await
    }

    /// Moves a member of staff to the organisation `destination` from the day `start` on. Whoever
    /// is named for something hands it over first (rule 5.1).
    pub(crate) async fn transfer_staff_member(
        &self,
        caller: &Caller,
        id: Uuid,
        destination: &str,
        start: NaiveDate,
        act: Act<'_, impl Message>,
    ) -> Result<pb::StaffMember, Error> {
        self.staff_member(caller, Permission::RosterWrite, id)
            .await?;
        self.organization(caller, Permission::RosterWrite, destination)
            .await?;
        self.change_staff_member(caller, id, act, async |tx, member| {
            let (name, now) = (member.name(), self.now());
            let left = member.organization().to_owned();
            if left == destination {
                let (zh, en) = ("已在该机构工作", "works there already");
                return Err(Problem::invalid("destination_organization", zh, en).into());
            }
            let mut ends = vec![left, destination.to_owned()];
            ends.sort_unstable();
            for end in &ends {
                lock(tx, end).await?;
            }
            let there = open(tx, destination).await?;
            let member = member
                .transfer(there.org_path, start)
                .map_err(|Left| Error::Dismissed(name))?;
            give_up(tx, id, now).await?;
            Ok(Changed {
                member,
                staff_of: ends.clone(),
                answering: ends,
            })
        })
        .await
    }

    /// Ends an employment. Whoever is named for something hands it over first (rule 5.1).
    pub(crate) async fn dismiss_staff_member(
        &self,
        caller: &Caller,
        id: Uuid,
        act: Act<'_, impl Message>,
    ) -> Result<pb::StaffMember, Error> {
        self.change_staff_member(caller, id, act, async |tx, member| {
            let (name, now) = (member.name(), self.now());
            let organization = lock(tx, member.organization()).await?;
            let member = member.dismiss().map_err(|Left| Error::Dismissed(name))?;
            give_up(tx, id, now).await?;
            Ok(Changed {
                member,
                staff_of: vec![organization.id.clone()],
                answering: vec![organization.id],
            })
        })
        .await
    }

    /// The member of staff `id`, to whose organisation the caller may do `permission`.
    pub(crate) async fn staff_member(
        &self,
        caller: &Caller,
        permission: Permission,
        id: Uuid,
    ) -> Result<StaffMember, Error> {
        caller.allowed(permission)?;
        match store::get(self.db.read(), id).await? {
            Some(member) => {
                check(caller, permission, &member.org_path)?;
                Ok(member)
            }
            None => Err(hidden(caller, permission, format!("staff/{id}"))),
        }
    }

    fn revise(&self, was: StaffMember, change: Change) -> Result<StaffMember, Error> {
        let Change {
            display_name,
            posts,
            grade,
            staff_code,
            id_number,
            phone,
            swab_exempt,
            start,
            state,
            etag: _,
        } = change;
        let mut member = StaffMember {
            display_name: display_name.unwrap_or_else(|| was.display_name.clone()),
            posts: posts.unwrap_or(was.posts),
            grade: grade.unwrap_or(was.grade),
            staff_code: staff_code.unwrap_or_else(|| was.staff_code.clone()),
            swab_exempt: swab_exempt.unwrap_or(was.swab_exempt),
            start: start.unwrap_or(was.start),
            state: state.unwrap_or(was.state),
            ..was
        };
        if id_number.is_none() && phone.is_none() {
            return Ok(member);
        }
        let mut private = self.open(member.id, member.sealed.as_deref())?;
        if let Some(id_number) = id_number {
            self.identify(&mut member, id_number.as_deref());
            private.id_number = id_number;
        }
        if let Some(phone) = phone {
            private.phone = phone;
        }
        member.sealed = self.seal(member.id, &private);
        Ok(member)
    }

    /// Notes by which number somebody is found.
    fn identify(&self, member: &mut StaffMember, id_number: Option<&str>) {
        let kind = IdKind::Resident;
        member.id_type = id_number.map_or(0, |_| kind.code());
        member.id_hash =
            id_number.map(|number| self.vault.identity(kind.as_str(), number).to_vec());
    }

    /// What may be shown of a member of staff.
    fn shown(&self, member: StaffMember) -> Result<pb::StaffMember, Error> {
        let private = self.open(member.id, member.sealed.as_deref())?;
        Ok(render::staff_member(member, private.masked_phone()))
    }
}
