//! Access to data of minors beyond daily work: asked for, approved by somebody else, checked at each use.

use kit::auth::{Caller, Permission, Purpose};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request;
use kit::rows::Lock;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::{Act, App};
use crate::domain::access::{Approval, Event, MinorData, Step, Terms, Wanted};
use crate::domain::organization::Organization;
use crate::domain::student::Student;
use crate::error::Error;
use crate::grpc::access_convert as convert;
use crate::store::access::{self as store, Stored, Use};

/// What somebody asks for, before it is known who decides.
pub(crate) struct Asked {
    /// The code of the organisation.
    pub(crate) organization: String,
    pub(crate) terms: Terms,
}

/// What somebody does about an approval.
pub(crate) enum Move {
    /// Agrees until then, in milliseconds since 1970; as was asked for when none.
    Approve(Option<i64>),
    /// Anything else.
    Other(Step),
}

/// What is about to be shown, of which organisation, and by which method.
pub(crate) struct Showing<'a> {
    pub(crate) data: MinorData,
    pub(crate) person: Option<Uuid>,
    /// The code of the organisation whose data it is.
    pub(crate) organization: &'a str,
    /// The place of it in the tree.
    pub(crate) place: &'a str,
    pub(crate) method: &'a str,
}

/// Which approval: its organisation and its id.
pub(crate) struct Named<'a> {
    pub(crate) organization: &'a str,
    pub(crate) id: &'a str,
}

/// What lets a caller read approvals, the widest first.
const READING: [Permission; 3] = [
    Permission::AccessApprove,
    Permission::AccessRead,
    Permission::AccessRequest,
];

impl App {
    /// One approval. Who neither approves nor audits finds their own ones only.
    pub(crate) async fn get_access(
        &self,
        caller: &Caller,
        named: Named<'_>,
    ) -> Result<Stored, Error> {
        let permission = reading(caller);
        self.organization(caller, permission, named.organization)
            .await?;
        let found = store::get(self.db.read(), named.id, Lock::No).await?;
        let found = found.filter(|stored| {
            let own = stored.approval.requester() == caller.subject;
            stored.organization == named.organization && (own || sees_all(permission))
        });
        found.ok_or_else(|| Error::NotFound(store::name(named.organization, named.id)))
    }

    /// One page of approvals at and below an organisation, the latest first.
    pub(crate) async fn list_access(
        &self,
        caller: &Caller,
        organization: &str,
        before: &str,
        limit: u64,
    ) -> Result<Vec<Stored>, Error> {
        let permission = reading(caller);
        let at = self.organization(caller, permission, organization).await?;
        let place: OrgPath = at.org_path.parse().unwrap_or_default();
        let own = (!sees_all(permission)).then_some(&*caller.subject);
        Ok(store::list(self.db.read(), &place, own, before, limit).await?)
    }

    /// The organisation for whose minors the caller may ask for access.
    pub(crate) async fn may_ask(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<Organization, Error> {
        self.organization(caller, Permission::AccessRequest, organization)
            .await
    }

    /// Checks that the caller may decide about approvals at an organisation.
    pub(crate) async fn may_decide(&self, caller: &Caller, named: &Named<'_>) -> Result<(), Error> {
        let approve = Permission::AccessApprove;
        self.organization(caller, approve, named.organization)
            .await?;
        Ok(())
    }

    /// Asks for access.
    pub(crate) async fn request_access(
        &self,
        caller: &Caller,
        asked: Asked,
        act: Act<'_, impl Message>,
    ) -> Result<pb::AccessApproval, Error> {
        let at = self.may_ask(caller, &asked.organization).await?;
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let time = now.timestamp_millis();
            let stored = Stored {
                id: (self.new_id)().hyphenated().to_string(),
                organization: asked.organization,
                org_path: at.org_path,
                use_count: 0,
                approval: Approval::request(&caller.subject, time, asked.terms),
            };
            store::add(tx, &stored).await?;
            Ok(convert::approval(stored, time))
        })
        .await
    }

    /// Takes one step of an approval, when the rules allow it to this caller.
    pub(crate) async fn step_access(
        &self,
        caller: &Caller,
        permission: Permission,
        named: Named<'_>,
        taken: Move,
        act: Act<'_, impl Message>,
    ) -> Result<pb::AccessApproval, Error> {
        self.organization(caller, permission, named.organization)
            .await?;
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let time = now.timestamp_millis();
            let found = store::get(tx, named.id, Lock::Yes).await?;
            let found = found.filter(|stored| stored.organization == named.organization);
            let name = || Error::NotFound(store::name(named.organization, named.id));
            let mut stored = found.ok_or_else(name)?;
            let step = match taken {
                Move::Approve(end) => Step::Approved {
                    end: end.unwrap_or(stored.approval.terms().end),
                },
                Move::Other(step) => step,
            };
            stored.approval = stored.approval.step(Event {
                actor: caller.subject.clone(),
                time,
                step,
            })?;
            store::save(tx, &stored).await?;
            Ok(convert::approval(stored, time))
        })
        .await
    }

    /// Keeps that another service is about to show something, when an approval covers it.
    pub(crate) async fn use_access(
        &self,
        caller: &Caller,
        showing: Showing<'_>,
        act: Act<'_, impl Message>,
    ) -> Result<pb::UseAccessResponse, Error> {
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let used = self.used(tx, caller, showing).await?;
            Ok(convert::used(&used))
        })
        .await
    }

    /// One page of uses of an approval.
    pub(crate) async fn list_access_uses(
        &self,
        caller: &Caller,
        named: Named<'_>,
        after: i32,
        limit: u64,
    ) -> Result<Vec<Use>, Error> {
        let id = named.id;
        let permission = reading(caller);
        if !sees_all(permission) {
            caller.allowed(Permission::AccessRead)?;
        }
        self.get_access(caller, named).await?;
        Ok(store::uses(self.db.read(), id, after, limit).await?)
    }

    /// An approval of the caller's that covers what is about to be shown for the purpose of the call; the use
    /// is kept in `tx`.
    pub(crate) async fn used(
        &self,
        tx: &Tx,
        caller: &Caller,
        showing: Showing<'_>,
    ) -> Result<Stored, Error> {
        let Showing {
            data,
            person,
            organization,
            place,
            method,
        } = showing;
        let now = self.now();
        let purpose = caller.purpose.map_or("", Purpose::as_str);
        let wanted = Wanted {
            data,
            person,
            place: place.to_owned(),
            purpose: purpose.to_owned(),
        };
        let standing = store::standing(tx, &caller.subject, now).await?;
        let mut standing = standing.into_iter();
        let covers = |stored: &Stored| stored.approval.covers(&wanted, &stored.org_path, now);
        let Some(mut stored) = standing.find(covers) else {
            return Err(Error::NotApproved {
                organization: format!("organizations/{organization}"),
                data: data.as_str(),
                purpose,
            });
        };
        stored.use_count += 1;
        let used = Use {
            number: stored.use_count,
            time: now,
            method: method.to_owned(),
            organization: organization.to_owned(),
            person,
            data,
        };
        store::record(tx, &stored.id, &used).await?;
        Ok(stored)
    }

    /// Checks that what is kept of a student's family may be shown to the caller for the purpose of the call,
    /// beyond their scope.
    pub(crate) async fn show_family(
        &self,
        caller: &Caller,
        permission: Permission,
        student: Uuid,
        method: &'static str,
    ) -> Result<(), Error> {
        if caller.is_daily() {
            return Ok(());
        }
        let student = self.student(caller, permission, student).await?;
        self.show_minor(caller, &student, method).await
    }

    /// Checks that one student may be shown to the caller for the purpose of the call, beyond their scope.
    pub(crate) async fn show_minor(
        &self,
        caller: &Caller,
        student: &Student,
        method: &'static str,
    ) -> Result<(), Error> {
        if caller.is_daily() {
            return Ok(());
        }
        let showing = Showing {
            data: MinorData::Register,
            person: Some(student.id),
            organization: student.organization(),
            place: &student.org_path,
            method,
        };
        let tx = self.db.begin().await?;
        self.used(&tx, caller, showing).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn reading(caller: &Caller) -> Permission {
    let mut reading = READING.into_iter();
    let held = reading.find(|permission| caller.allowed(*permission).is_ok());
    held.unwrap_or(Permission::AccessRequest)
}

fn sees_all(permission: Permission) -> bool {
    permission != Permission::AccessRequest
}
