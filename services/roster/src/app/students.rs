//! Students: reading, enrolling, changing.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::access::Showing;
use super::{Act, App, announce, check, class_groups, hidden};
use crate::domain::access::MinorData;
use crate::domain::document::Document;
use crate::domain::import::{ClassGroupId, Finding, IdKind, Sex};
use crate::domain::private::Private;
use crate::domain::student::{Illegal, Presence, State, Student};
use crate::error::Error;
use crate::grpc::people;
use crate::store::organizations;
use crate::store::students::{self as store, Place, Wanted};

/// A student to be enrolled.
#[derive(Clone)]
pub(crate) struct Draft {
    /// The code of the organisation.
    pub(crate) organization: String,
    pub(crate) class_group: ClassGroupId,
    /// The first civil day on the roll.
    pub(crate) start_day: NaiveDate,
    pub(crate) display_name: String,
    pub(crate) sex: Option<Sex>,
    pub(crate) birth_month: i32,
    pub(crate) document: Document,
    pub(crate) student_number: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) presence: Presence,
    pub(crate) boarder: bool,
    pub(crate) dormitory: String,
    pub(crate) swab_exempt: bool,
}

/// What changes of a student; none stays.
#[derive(Clone, Default)]
pub(crate) struct Change {
    pub(crate) display_name: Option<String>,
    pub(crate) sex: Option<Option<Sex>>,
    pub(crate) birth_month: Option<i32>,
    pub(crate) id_kind: Option<Option<IdKind>>,
    pub(crate) id_number: Option<String>,
    pub(crate) student_number: Option<Option<String>>,
    pub(crate) phone: Option<Option<String>>,
    pub(crate) presence: Option<Presence>,
    pub(crate) boarder: Option<bool>,
    pub(crate) dormitory: Option<String>,
    pub(crate) swab_exempt: Option<bool>,
    pub(crate) etag: String,
}

/// Whose students a caller asks for.
#[derive(Clone, Debug)]
pub(crate) struct Parent {
    /// The code of the organisation.
    pub(crate) organization: String,
    pub(crate) groups: Groups,
}

/// Which class groups of an organisation.
#[derive(Clone, Debug)]
pub(crate) enum Groups {
    /// This one.
    One(ClassGroupId),
    /// All of its own.
    Own,
    /// All at it and below it.
    Below,
}

impl App {
    /// The student `id`, with whom the caller may do `permission`.
    pub(crate) async fn student(
        &self,
        caller: &Caller,
        permission: Permission,
        id: Uuid,
    ) -> Result<Student, Error> {
        seen(self.db.read(), caller, permission, id).await
    }

    /// A student as it is answered.
    pub(crate) fn shown_student(&self, student: Student) -> Result<pb::Student, Error> {
        let private = self.open(student.id, student.sealed.as_deref())?;
        Ok(people::student(student, private.masked_phone()))
    }

    /// One student.
    pub(crate) async fn get_student(
        &self,
        caller: &Caller,
        id: Uuid,
    ) -> Result<pb::Student, Error> {
        let student = self.student(caller, Permission::PeopleRead, id).await?;
        self.show_minor(caller, &student, "StudentService.GetStudent")
            .await?;
        self.shown_student(student)
    }

    /// One page of students: those after `after`, at most `limit`. Those of many schools at once, and for a
    /// purpose beyond daily work, take an approval (rule 6.8), whose use is kept before anybody is read.
    pub(crate) async fn list_students(
        &self,
        caller: &Caller,
        parent: Parent,
        withdrawn: bool,
        after: Uuid,
        limit: u64,
    ) -> Result<Vec<Student>, Error> {
        let permission = Permission::PeopleRead;
        let Parent {
            organization,
            groups,
        } = parent;
        let (mut daily, at) = (caller.is_daily(), organization.clone());
        let place = match groups {
            Groups::One(id) => {
                let group = self
                    .class_group(caller, permission, &organization, &id)
                    .await?;
                Place::ClassGroup(group.org_path)
            }
            Groups::Own => {
                self.organization(caller, permission, &organization).await?;
                Place::Organization(organization)
            }
            Groups::Below => {
                let above = self.organization(caller, permission, &organization).await?;
                daily &= !above.kind.is_bureau();
                Place::Below(above.org_path.parse().unwrap_or_default())
            }
        };
        let wanted = Wanted {
            place,
            withdrawn,
            after,
            limit,
        };
        if daily {
            return Ok(store::list(self.db.read(), &wanted).await?);
        }
        let tx = self.db.begin().await?;
        let whose = organizations::get(&tx, &at).await?;
        let whose = whose.ok_or_else(|| Error::NotFound(format!("organizations/{at}")))?;
        let showing = Showing {
            data: MinorData::Register,
            person: None,
            organization: &at,
            place: &whose.org_path,
            method: "StudentService.ListStudents",
        };
        self.used(&tx, caller, showing).await?;
        let found = store::list(&tx, &wanted).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Enrols a student in a class group.
    pub(crate) async fn create_student(
        &self,
        caller: &Caller,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Student, Error> {
        let permission = Permission::RosterWrite;
        let seen = self
            .class_group(caller, permission, &draft.organization, &draft.class_group)
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
        let group = class_groups::lock_taught(&tx, &seen.org_path).await?;
        let id = (self.new_id)();
        let private = Private {
            id_number: draft.document.number.clone(),
            student_number: draft.student_number,
            phone: draft.phone,
        };
        let student = Student {
            id,
            org_path: group.org_path,
            display_name: draft.display_name,
            sex: draft.sex,
            birth_month: draft.birth_month,
            id_kind: None,
            id_hash: self.id_hash(&draft.document),
            sealed: self.seal(id, &private),
            presence: draft.presence,
            boarder: false,
            dormitory: String::new(),
            swab_exempt: draft.swab_exempt,
            start_day: draft.start_day,
            end_day: None,
            state: State::Enrolled,
            version: 1,
            update_time: now.timestamp_millis(),
        };
        let name = student.name();
        let student = student
            .documented(&draft.document)
            .lodged(Some(draft.boarder), Some(draft.dormitory))
            .map_err(|why| illegal(why, &name, "start_date"))?;
        store::insert(&tx, &student).await.map_err(taken)?;
        let places = vec![student.org_path.clone()];
        announce::class_rolls(&tx, places, self.clock.today()).await?;
        let answer = self.shown_student(student)?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Changes a student.
    pub(crate) async fn update_student(
        &self,
        caller: &Caller,
        id: Uuid,
        change: Change,
        act: Act<'_, impl Message>,
    ) -> Result<pb::Student, Error> {
        let etag = change.etag.clone();
        self.change_student(caller, id, &etag, None, act, |student| {
            self.amend(student, change)
        })
        .await
    }

    fn amend(&self, student: Student, change: Change) -> Result<Student, Error> {
        let name = student.name();
        let failed = |why| illegal(why, &name, "student.start_date");
        let student = student.enrolled().map_err(failed)?;
        let today = self.clock.today();
        let mut private = self.open(student.id, student.sealed.as_deref())?;
        let Change {
            display_name,
            sex,
            birth_month,
            id_kind,
            id_number,
            student_number,
            phone,
            presence,
            boarder,
            dormitory,
            swab_exempt,
            etag: _,
        } = change;
        let document = Document::stored(student.id_kind, private.id_number.take(), today)
            .amended(id_kind, id_number.as_deref(), today)
            .map_err(document_problem)?;
        let private = Private {
            id_number: document.number.clone(),
            student_number: student_number.unwrap_or(private.student_number),
            phone: phone.unwrap_or(private.phone),
        };
        let student = Student {
            display_name: display_name.unwrap_or(student.display_name),
            sex: sex.unwrap_or(student.sex),
            birth_month: birth_month.unwrap_or(student.birth_month),
            presence: presence.unwrap_or(student.presence),
            swab_exempt: swab_exempt.unwrap_or(student.swab_exempt),
            id_hash: self.id_hash(&document),
            sealed: self.seal(student.id, &private),
            ..student
        };
        student
            .documented(&document)
            .lodged(boarder, dormitory)
            .map_err(failed)
    }

    /// The keyed hash by which the holder of a document is found.
    fn id_hash(&self, document: &Document) -> Option<Vec<u8>> {
        let (kind, number) = (document.kind?, document.number.as_deref()?);
        Some(self.vault.identity(kind.as_str(), number).to_vec())
    }
}

/// The student `id`, with whom the caller may do `permission`. Who may not see all of the city is not
/// told whether somebody whom they may not see exists (T24).
pub(super) async fn seen(
    db: &impl ConnectionTrait,
    caller: &Caller,
    permission: Permission,
    id: Uuid,
) -> Result<Student, Error> {
    caller.allowed(permission)?;
    let Some(student) = store::get(db, id).await? else {
        return Err(hidden(caller, permission, format!("students/{id}")));
    };
    check(caller, permission, &student.org_path)?;
    Ok(student)
}

/// What is told of a document that cannot be one.
fn document_problem(finding: Finding) -> Problem {
    let Finding { column, reason } = finding;
    Problem::invalid(format!("student.{column}"), reason.hint(), reason.hint_en())
}

/// What is told when a student does not move, leave or change; `day` is the field with the day.
pub(super) fn illegal(why: Illegal, name: &str, day: &str) -> Error {
    let (field, zh, en) = match why {
        Illegal::NotEnrolled => return Error::NotEnrolled(name.to_owned()),
        Illegal::InFuture => (day, "不能晚于今天", "not later than today"),
        Illegal::BeforeStart => (
            day,
            "不能早于在本班的第一天",
            "not before the first day on the present roll",
        ),
        Illegal::AlreadyThere => (
            "destination_class_group",
            "学生已在该班级",
            "the student is in this class group",
        ),
        Illegal::NoBoarder => (
            "student.dormitory",
            "只有住校生才有宿舍",
            "only a boarder has a dormitory",
        ),
    };
    Problem::invalid(field, zh, en).into()
}

/// An identity number that somebody on a roll has.
pub(super) fn taken(err: sea_orm::DbErr) -> Error {
    match err.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(constraint))
            if constraint.contains("id_hash") =>
        {
            Error::PersonRegistered
        }
        _ => Error::Database(err),
    }
}
