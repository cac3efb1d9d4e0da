//! Students who change, move or leave, and how one is found by number.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::roster as pb;
use uuid::Uuid;

use super::students::{illegal, taken};
use super::{Act, App, announce, check, class_groups};
use crate::domain::class_group;
use crate::domain::import::{ClassGroupId, IdKind};
use crate::domain::student::Student;
use crate::error::Error;
use crate::grpc::convert;
use crate::store::disclosures::{self, Disclosure};
use crate::store::{class_groups as groups, students as store};

impl App {
    /// Moves a student to another class group; the caller's scope holds both.
    pub(crate) async fn transfer_student(
        &self,
        caller: &Caller,
        id: Uuid,
        to: (&str, &ClassGroupId),
        since: NaiveDate,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Student, Error> {
        let (organization, class_group) = to;
        let to = self
            .class_group(caller, Permission::RosterWrite, organization, class_group)
            .await?
            .org_path;
        let today = self.clock.today();
        self.change_student(caller, id, "", Some(&to), act, |student| {
            let name = student.name();
            student
                .transfer(&to, since, today)
                .map_err(|why| illegal(why, &name, "effective_date"))
        })
        .await
    }

    /// Takes a student off the roll.
    pub(crate) async fn withdraw_student(
        &self,
        caller: &Caller,
        id: Uuid,
        last: NaiveDate,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Student, Error> {
        let today = self.clock.today();
        self.change_student(caller, id, "", None, act, |student| {
            let name = student.name();
            student
                .withdraw(last, today)
                .map_err(|why| illegal(why, &name, "end_date"))
        })
        .await
    }

    /// Changes a student within the class group or on the way `to` another one, and announces every
    /// roll concerned.
    pub(super) async fn change_student(
        &self,
        caller: &Caller,
        id: Uuid,
        etag: &str,
        to: Option<&str>,
        act: Act<'_, impl Message>,
        change: impl FnOnce(Student) -> Result<Student, Error>,
    ) -> Result<pb::Student, Error> {
        let permission = Permission::RosterWrite;
        let seen = self.student(caller, permission, id).await?;
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
        let mut places = vec![&*seen.org_path];
        places.extend(to);
        let locked = groups::lock(&tx, &places).await?;
        let found = store::lock(&tx, id).await?;
        let student = found.ok_or_else(|| Error::NotFound(seen.name()))?;
        if student.org_path != seen.org_path {
            // Somebody moved the student while the class groups were being locked.
            return Err(Problem::new(ErrorReason::Conflict).into());
        }
        check(caller, permission, &student.org_path)?;
        if !etag.is_empty() && etag != convert::etag(student.version) {
            return Err(Error::EtagMismatch(student.name()));
        }
        let mut student = change(student)?;
        if let Some(to) = to {
            let found = locked.into_iter().find(|group| group.org_path == to);
            let gone = || Error::NotFound(class_group::name_at(to));
            class_groups::taught(found.ok_or_else(gone)?)?;
        }
        student.version += 1;
        student.update_time = now.timestamp_millis();
        store::update(&tx, &student).await.map_err(taken)?;
        let places = places.into_iter().map(str::to_owned).collect();
        announce::class_rolls(&tx, places, self.clock.today()).await?;
        let answer = self.shown_student(student)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Finds a student in the caller's scope by identity number. What was asked is kept, found or
    /// not; the number is not.
    pub(crate) async fn look_up_student(
        &self,
        caller: &Caller,
        kind: IdKind,
        number: &str,
        reason: &str,
    ) -> Result<pb::Student, Error> {
        let scope = caller.allowed(Permission::PeopleReveal)?;
        let hash = self.vault.identity(kind.as_str(), number);
        let tx = self.db.begin().await?;
        let found = store::by_number(&tx, &hash, scope).await?;
        let found = found.filter(|student| {
            let at = student.org_path.parse().unwrap_or_default();
            caller.may(Permission::PeopleReveal, &at)
        });
        let disclosure = Disclosure {
            id: (self.new_id)(),
            principal: &caller.subject,
            act: "LookUpStudent",
            subject: found.as_ref().map(|student| student.id),
            reason,
            time: self.now(),
        };
        disclosures::insert(&tx, disclosure).await?;
        tx.commit().await?;
        // Nobody, and somebody elsewhere, are answered alike.
        let found = found.ok_or_else(|| Error::NotFound("students/-".to_owned()))?;
        caller.means(&found.name());
        self.show_minor(caller, &found, "StudentService.LookUpStudent")
            .await?;
        self.shown_student(found)
    }
}
