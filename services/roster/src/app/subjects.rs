//! Requests of people about what is held of them: filed by them or for them, answered by their school.

use kit::auth::{Caller, Permission, Role};
use kit::clock::{civil_date, shanghai};
use kit::db::Tx;
use kit::request;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::access::Showing;
use super::{Act, App, students};
use crate::domain::student::Student;
use crate::domain::subject::{
    Asker, Close, Filed, Kind, Other, SHOWN_DAYS, Seen, Sources, State, SubjectRequest, held,
    may_ask_alone,
};
use crate::error::Error;
use crate::grpc::subject_convert as convert;
use crate::store::disclosures::{self, Disclosure};
use crate::store::guardians as families;
use crate::store::subjects::{self as store, Stored, Wanted};

/// How many guardians and how many looks an answer tells at most.
const GUARDIANS: u64 = 50;
const LOOKS: u32 = 1000;

/// What somebody wants, before it is known whether they may.
pub(crate) struct Asked {
    /// The code of the organisation.
    pub(crate) organization: String,
    pub(crate) person: Uuid,
    pub(crate) kind: Kind,
    pub(crate) asker: Asker,
    pub(crate) identity_check: String,
    pub(crate) fields: Vec<String>,
}

/// Which request: its organisation and its id.
pub(crate) struct Named<'a> {
    pub(crate) organization: &'a str,
    pub(crate) id: &'a str,
}

impl App {
    /// One request: that of the caller's own person, or any to whoever handles them.
    pub(crate) async fn get_subject_request(
        &self,
        caller: &Caller,
        named: &Named<'_>,
    ) -> Result<Stored, Error> {
        let permission = reading(caller);
        self.organization(caller, permission, named.organization)
            .await?;
        let found = store::get(self.db.read(), named.id, Lock::No).await?;
        let found = found.filter(|stored| {
            stored.organization == named.organization && concerns(caller, permission, stored)
        });
        found.ok_or_else(|| missing(named))
    }

    /// One page of requests at and below an organisation.
    pub(crate) async fn list_subject_requests(
        &self,
        caller: &Caller,
        organization: &str,
        wanted: Wanted,
    ) -> Result<Vec<Stored>, Error> {
        let permission = reading(caller);
        let at = self.organization(caller, permission, organization).await?;
        let person = match permission {
            Permission::SubjectFile if is_family(caller) => match own_person(caller) {
                None => return Ok(Vec::new()),
                some => some,
            },
            _ => None,
        };
        let wanted = Wanted {
            place: at.org_path.parse().unwrap_or_default(),
            person,
            ..wanted
        };
        Ok(store::list(self.db.read(), &wanted).await?)
    }

    /// Checks that the caller may do `permission` about requests at an organisation.
    pub(crate) async fn may_about_subjects(
        &self,
        caller: &Caller,
        permission: Permission,
        organization: &str,
    ) -> Result<(), Error> {
        self.organization(caller, permission, organization).await?;
        Ok(())
    }

    /// Files a request.
    pub(crate) async fn file_subject_request(
        &self,
        caller: &Caller,
        asked: Asked,
        act: Act<'_, impl Message>,
    ) -> Result<pb::SubjectRequest, Error> {
        let at = self
            .organization(caller, Permission::SubjectFile, &asked.organization)
            .await?;
        let student = students::seen(
            self.db.read(),
            caller,
            Permission::SubjectFile,
            asked.person,
        )
        .await?;
        self.may_file(caller, &asked, &student)?;
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let filed = Filed {
                person: asked.person,
                kind: asked.kind,
                asker: asked.asker,
                identity_check: asked.identity_check,
                fields: asked.fields,
                by: caller.subject.clone(),
                time: now.timestamp_millis(),
                day: civil_date(now),
            };
            let stored = Stored {
                id: (self.new_id)().hyphenated().to_string(),
                organization: asked.organization,
                org_path: at.org_path,
                request: SubjectRequest {
                    filed,
                    closed: None,
                },
            };
            store::add(tx, &stored).await?;
            Ok(convert::request(stored, civil_date(now)))
        })
        .await
    }

    /// Whether this caller may file this about this student.
    fn may_file(&self, caller: &Caller, asked: &Asked, student: &Student) -> Result<(), Problem> {
        if student.organization() != asked.organization {
            return Err(Problem::invalid(
                "subject_request.person",
                "不是该机构的学生",
                "not a student of this organisation",
            ));
        }
        let own = own_person(caller) == Some(asked.person);
        if is_family(caller) && !own {
            caller.require(Permission::SubjectHandle, &caller.scope)?;
        }
        if !is_family(caller) && asked.identity_check.is_empty() {
            return Err(Problem::invalid(
                "subject_request.identity_check",
                "代为提交时须写明如何核对身份",
                "required from whoever files for somebody",
            ));
        }
        let alone = asked.asker == Asker::Own;
        if alone && !may_ask_alone(student.birth_month, self.clock.today()) {
            return Err(Problem::invalid(
                "subject_request.asker",
                "不满十四周岁的学生由监护人提出",
                "a guardian asks for a pupil under 14",
            ));
        }
        Ok(())
    }

    /// Checks that the caller may be told what is held about people of an organisation.
    pub(crate) async fn may_be_told(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<(), Error> {
        self.organization(caller, telling(caller), organization)
            .await?;
        Ok(())
    }

    /// The request whose person may be shown to the caller now, and the person.
    async fn person_shown(
        &self,
        caller: &Caller,
        named: &Named<'_>,
    ) -> Result<(Stored, Student), Error> {
        self.may_be_told(caller, named.organization).await?;
        let (family, permission) = (is_family(caller), telling(caller));
        let found = store::get(self.db.read(), named.id, Lock::No).await?;
        let found = found.filter(|stored| {
            stored.organization == named.organization
                && (!family || own_person(caller) == Some(stored.request.filed.person))
        });
        let stored = found.ok_or_else(|| missing(named))?;
        self.may_be_shown(&stored, family)?;
        let person = stored.request.filed.person;
        let student = students::seen(self.db.read(), caller, permission, person).await?;
        Ok((stored, student))
    }

    /// Keeps with `tx` that something of the person of a request was told because of it.
    async fn disclose(
        &self,
        tx: &Tx,
        caller: &Caller,
        stored: &Stored,
        (act, reason): (&'static str, &str),
    ) -> Result<(), Error> {
        let disclosure = Disclosure {
            id: (self.new_id)(),
            principal: &caller.subject,
            act,
            subject: Some(stored.request.filed.person),
            reason,
            time: self.now(),
        };
        Ok(disclosures::insert(tx, disclosure).await?)
    }

    /// Whose data another service may show because of a request. That it does is kept.
    pub(crate) async fn use_subject_request(
        &self,
        caller: &Caller,
        named: &Named<'_>,
        other: Other,
        act: Act<'_, impl Message>,
    ) -> Result<pb::UseSubjectRequestResponse, Error> {
        let (stored, student) = self.person_shown(caller, named).await?;
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let beyond = (!caller.is_daily()).then_some(other.shows());
            for data in beyond.unwrap_or_default() {
                let showing = Showing {
                    data: *data,
                    person: Some(student.id),
                    organization: student.organization(),
                    place: &student.org_path,
                    method: "HeldDataService.ExportHeldData",
                };
                self.used(tx, caller, showing).await?;
            }
            let reason = format!("{}（{}）", stored.name(), other.name());
            self.disclose(tx, caller, &stored, ("ExportHeldData", &reason))
                .await?;
            Ok(pb::UseSubjectRequestResponse {
                person: student.name(),
                organization: format!("organizations/{}", student.organization()),
                org_path: student.org_path.clone(),
            })
        })
        .await
    }

    /// What the register holds of the person of a request. That it was told is kept.
    pub(crate) async fn get_subject_data(
        &self,
        caller: &Caller,
        named: &Named<'_>,
    ) -> Result<pb::SubjectData, Error> {
        let (stored, student) = self.person_shown(caller, named).await?;
        let person = student.id;
        let private = self.open(person, student.sealed.as_deref())?;
        let wanted = families::Wanted {
            student: person,
            after: (0, Uuid::nil()),
            limit: GUARDIANS,
        };
        let mut guardians = Vec::new();
        for guardian in families::list(self.db.read(), &wanted).await? {
            let phone = self.open(guardian.id, guardian.sealed.as_deref())?;
            guardians.push((guardian, phone.masked_phone()));
        }
        let mut people = vec![person];
        people.extend(guardians.iter().map(|(guardian, _)| guardian.id));
        let seen = store::seen(self.db.read(), &people, LOOKS).await?;
        let seen = seen.into_iter().map(|(time, method, reason)| Seen {
            time: told(time),
            method,
            reason,
        });
        let sources = Sources {
            student: &student,
            private: &private,
            guardians: &guardians,
            seen: &seen.collect::<Vec<_>>(),
        };
        let data = convert::data(&stored, held(&sources), self.now());
        let tx = self.db.begin().await?;
        let reason = stored.name();
        self.disclose(&tx, caller, &stored, ("GetSubjectData", &reason))
            .await?;
        tx.commit().await?;
        Ok(data)
    }

    /// Whether what is held may be shown now: to whoever handles it until it is answered and 30 days
    /// longer, to the person for these 30 days.
    fn may_be_shown(&self, stored: &Stored, family: bool) -> Result<(), Error> {
        let request = &stored.request;
        let asks = matches!(request.filed.kind, Kind::Access | Kind::Copy);
        let shown = match (&request.closed, request.state()) {
            (None, _) => !family,
            (Some(closed), State::Answered) => {
                let days = (self.clock.today() - closed.day).num_days();
                days <= SHOWN_DAYS
            }
            (Some(_), _) => false,
        };
        if asks && shown {
            Ok(())
        } else {
            Err(Error::SubjectState(request.state().as_str()))
        }
    }

    /// Closes a request.
    pub(crate) async fn close_subject_request(
        &self,
        caller: &Caller,
        named: &Named<'_>,
        close: Close,
        act: Act<'_, impl Message>,
    ) -> Result<pb::SubjectRequest, Error> {
        let back = close == Close::Withdraw;
        let permission = if back {
            Permission::SubjectFile
        } else {
            Permission::SubjectHandle
        };
        self.organization(caller, permission, named.organization)
            .await?;
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let found = store::get(tx, named.id, Lock::Yes).await?;
            let found = found.filter(|stored| {
                let filed = &stored.request.filed;
                let own = own_person(caller) == Some(filed.person) || filed.by == caller.subject;
                stored.organization == named.organization && (!back || own)
            });
            let mut stored = found.ok_or_else(|| missing(named))?;
            let at = (now.timestamp_millis(), civil_date(now));
            stored.request = stored.request.close(close, &caller.subject, at)?;
            if let Some(closed) = &stored.request.closed {
                store::close(tx, named.id, closed).await?;
            }
            Ok(convert::request(stored, civil_date(now)))
        })
        .await
    }
}

/// Whether the caller stands for a pupil and nobody else.
fn is_family(caller: &Caller) -> bool {
    let family = |role: &Role| matches!(role, Role::Student | Role::Guardian);
    caller.roles.iter().all(family)
}

/// The student whom the caller stands for.
fn own_person(caller: &Caller) -> Option<Uuid> {
    let id = caller.person.as_deref()?.strip_prefix("students/")?;
    Uuid::try_parse(id).ok()
}

/// What lets the caller be told what is held: a family its own account, others that they may reveal numbers.
fn telling(caller: &Caller) -> Permission {
    if is_family(caller) {
        Permission::SubjectFile
    } else {
        Permission::PeopleReveal
    }
}

fn reading(caller: &Caller) -> Permission {
    if caller.allowed(Permission::SubjectHandle).is_ok() {
        Permission::SubjectHandle
    } else {
        Permission::SubjectFile
    }
}

fn concerns(caller: &Caller, permission: Permission, stored: &Stored) -> bool {
    permission == Permission::SubjectHandle
        || own_person(caller) == Some(stored.request.filed.person)
}

fn missing(named: &Named<'_>) -> Error {
    Error::NotFound(store::name(named.organization, named.id))
}

/// When something was, for people.
fn told(millis: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let time = time.with_timezone(&shanghai());
    time.format("%Y-%m-%d %H:%M").to_string()
}
