//! Guardians; what may be done with one follows from where the student is.

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use proto::roster as pb;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{Act, App, hidden, students};
use crate::domain::guardian::{self, Guardian, Relation};
use crate::domain::private::Private;
use crate::error::Error;
use crate::grpc::{convert, people};
use crate::store::disclosures::{self, Disclosure};
use crate::store::guardians::{self as store, Wanted};
use crate::store::students as pupils;

/// A guardian to be added.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) display_name: String,
    pub(crate) relation: Relation,
    pub(crate) phone: Option<String>,
    pub(crate) priority: i16,
}

/// What changes of a guardian; none stays.
#[derive(Clone, Default)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) relation: Option<Relation>,
    pub(crate) phone: Option<Option<String>>,
    pub(crate) priority: Option<i16>,
    pub(crate) etag: String,
}

impl App {
    /// The guardian `id`, with whose student the caller may do `permission`.
    pub(crate) async fn guardian(
        &self,
        caller: &Caller,
        permission: Permission,
        id: Uuid,
    ) -> Result<Guardian, Error> {
        seen(self.db.read(), caller, permission, id).await
    }

    /// A guardian as it is answered.
    pub(crate) fn shown_guardian(&self, guardian: Guardian) -> Result<pb::Guardian, Error> {
        let private = self.open(guardian.id, guardian.sealed.as_deref())?;
        Ok(people::guardian(guardian, private.masked_phone()))
    }

    /// One guardian.
    pub(crate) async fn get_guardian(
        &self,
        caller: &Caller,
        id: Uuid,
    ) -> Result<pb::Guardian, Error> {
        let permission = Permission::PeopleRead;
        let guardian = self.guardian(caller, permission, id).await?;
        let method = "GuardianService.GetGuardian";
        self.show_family(caller, permission, guardian.student, method)
            .await?;
        self.shown_guardian(guardian)
    }

    /// One page of a student's guardians.
    pub(crate) async fn list_guardians(
        &self,
        caller: &Caller,
        wanted: Wanted,
    ) -> Result<Vec<Guardian>, Error> {
        let student = self
            .student(caller, Permission::PeopleRead, wanted.student)
            .await?;
        self.show_minor(caller, &student, "GuardianService.ListGuardians")
            .await?;
        Ok(store::list(self.db.read(), &wanted).await?)
    }

    /// Adds a guardian to a student.
    pub(crate) async fn create_guardian(
        &self,
        caller: &Caller,
        student: Uuid,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Guardian, Error> {
        self.student(caller, Permission::RosterWrite, student)
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
        may_change(&tx, student).await?;
        let Draft {
            display_name,
            relation,
            phone,
            priority,
        } = draft;
        let id = (self.new_id)();
        let private = Private {
            phone,
            ..Private::default()
        };
        let guardian = Guardian {
            id,
            student,
            display_name,
            relation,
            sealed: self.seal(id, &private),
            priority,
            version: 1,
            update_time: now.timestamp_millis(),
        };
        store::insert(&tx, &guardian).await?;
        let answer = self.shown_guardian(guardian)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Changes a guardian.
    pub(crate) async fn update_guardian(
        &self,
        caller: &Caller,
        id: Uuid,
        change: Change,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Guardian, Error> {
        let seen = self.guardian(caller, Permission::RosterWrite, id).await?;
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
        may_change(&tx, seen.student).await?;
        let found = store::lock(&tx, id).await?;
        let guardian = found.ok_or_else(|| Error::NotFound(seen.name()))?;
        let Change {
            display_name,
            relation,
            phone,
            priority,
            etag,
        } = change;
        if !etag.is_empty() && etag != convert::etag(guardian.version) {
            return Err(Error::EtagMismatch(guardian.name()));
        }
        let private = self.open(id, guardian.sealed.as_deref())?;
        let private = Private {
            phone: phone.unwrap_or(private.phone),
            ..private
        };
        let guardian = Guardian {
            display_name: display_name.unwrap_or(guardian.display_name),
            relation: relation.unwrap_or(guardian.relation),
            sealed: self.seal(id, &private),
            priority: priority.unwrap_or(guardian.priority),
            version: guardian.version + 1,
            update_time: now.timestamp_millis(),
            ..guardian
        };
        store::update(&tx, &guardian).await?;
        let answer = self.shown_guardian(guardian)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Removes a guardian.
    pub(crate) async fn remove_guardian(
        &self,
        caller: &Caller,
        id: Uuid,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Guardian, Error> {
        caller.allowed(Permission::RosterWrite)?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        // A repeat finds nobody any more, so the first answer comes before everything else.
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let guardian = seen(&tx, caller, Permission::RosterWrite, id).await?;
        store::remove(&tx, id).await?;
        let answer = self.shown_guardian(guardian)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// A guardian's phone number in full, empty when none is known; who asked and why is kept first.
    pub(crate) async fn reveal_guardian_phone(
        &self,
        caller: &Caller,
        id: Uuid,
        reason: &str,
    ) -> Result<String, Error> {
        let permission = Permission::PeopleReveal;
        let guardian = self.guardian(caller, permission, id).await?;
        let method = "GuardianService.RevealGuardianPhone";
        self.show_family(caller, permission, guardian.student, method)
            .await?;
        let private = self.open(id, guardian.sealed.as_deref())?;
        let tx = self.db.begin().await?;
        let disclosure = Disclosure {
            id: (self.new_id)(),
            principal: &caller.subject,
            act: "RevealGuardianPhone",
            subject: Some(id),
            reason,
            time: self.now(),
        };
        disclosures::insert(&tx, disclosure).await?;
        tx.commit().await?;
        Ok(private.phone.unwrap_or_default())
    }
}

/// The guardian `id`, with whose student the caller may do `permission`.
async fn seen(
    db: &impl ConnectionTrait,
    caller: &Caller,
    permission: Permission,
    id: Uuid,
) -> Result<Guardian, Error> {
    caller.allowed(permission)?;
    let Some(guardian) = store::get(db, id).await? else {
        return Err(hidden(caller, permission, format!("guardians/{id}")));
    };
    students::seen(db, caller, permission, guardian.student).await?;
    Ok(guardian)
}

/// Guardians are added and changed only while the student is on a roll.
async fn may_change(tx: &Tx, student: Uuid) -> Result<(), Error> {
    let name = || format!("students/{student}");
    let found = pupils::lock(tx, student).await?;
    let found = found.ok_or_else(|| Error::NotFound(name()))?;
    if guardian::may_change(found.state) {
        Ok(())
    } else {
        Err(Error::NotEnrolled(name()))
    }
}
