//! Requests of people about what is held of them: filed by them or for them, answered by their school.

mod person;

use kit::auth::{Caller, Permission};
use kit::clock::{civil_date, shanghai};
use kit::db::Tx;
use kit::request;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::access::Showing;
use super::{Act, App};
use crate::domain::staff::StaffMember;
use crate::domain::student::Student;
use crate::domain::subject::{
    Asker, Category, Close, Filed, Kind, Other, Person, SHOWN_DAYS, Seen, Sources, StaffSources,
    State, SubjectRequest, held, held_of_staff, may_ask_alone,
};
use crate::error::Error;
use crate::grpc::subject_convert as convert;
use crate::store::disclosures::{self, Disclosure};
use crate::store::subjects::{self as store, Stored, Wanted};
use crate::store::{class_groups, guardians as families, responsibility};
use person::{Found, by_account, filing, only_by_account, own_person, reading, telling};

/// How many guardians, how many duties and how many looks an answer tells at most.
const GUARDIANS: u64 = 50;
const DUTIES: u32 = 1000;
const LOOKS: u32 = 1000;

/// What somebody wants, before it is known whether they may.
pub(crate) struct Asked {
    /// The code of the organisation.
    pub(crate) organization: String,
    pub(crate) person: Person,
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
        self.place_of_requests(caller, permission, named.organization)
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
        let at = self
            .place_of_requests(caller, permission, organization)
            .await?;
        let person = if only_by_account(caller, permission) {
            match own_person(caller) {
                None => return Ok(Vec::new()),
                some => some,
            }
        } else {
            None
        };
        let wanted = Wanted {
            place: at.parse().unwrap_or_default(),
            person,
            ..wanted
        };
        Ok(store::list(self.db.read(), &wanted).await?)
    }

    /// Checks that the caller may answer requests at an organisation.
    pub(crate) async fn may_answer_subjects(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<(), Error> {
        self.organization(caller, Permission::SubjectHandle, organization)
            .await?;
        Ok(())
    }

    /// Checks that the caller may file requests at an organisation.
    pub(crate) async fn may_ask_about_subjects(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<(), Error> {
        self.place_of_requests(caller, filing(caller), organization)
            .await?;
        Ok(())
    }

    /// Files a request.
    pub(crate) async fn file_subject_request(
        &self,
        caller: &Caller,
        asked: Asked,
        act: Act<'_, impl Message>,
    ) -> Result<pb::SubjectRequest, Error> {
        let permission = filing(caller);
        let org_path = self
            .place_of_requests(caller, permission, &asked.organization)
            .await?;
        if only_by_account(caller, permission) && !by_account(caller, asked.person) {
            caller.require(Permission::SubjectHandle, &caller.scope)?;
        }
        let found = self.person_of(caller, permission, asked.person).await?;
        self.may_file(caller, &asked, &found)?;
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
                org_path,
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

    /// Whether this caller may file this about this person.
    fn may_file(&self, caller: &Caller, asked: &Asked, found: &Found) -> Result<(), Problem> {
        if found.organization() != asked.organization {
            return Err(Problem::invalid(
                "subject_request.person",
                "不是该机构的人员",
                "not of this organisation",
            ));
        }
        if !by_account(caller, asked.person) && asked.identity_check.is_empty() {
            return Err(Problem::invalid(
                "subject_request.identity_check",
                "代为提交时须写明如何核对身份",
                "required from whoever files for somebody",
            ));
        }
        let alone = asked.asker == Asker::Own;
        match found {
            Found::Student(student)
                if alone && !may_ask_alone(student.birth_month, self.clock.today()) =>
            {
                Err(Problem::invalid(
                    "subject_request.asker",
                    "不满十四周岁的学生由监护人提出",
                    "a guardian asks for a pupil under 14",
                ))
            }
            Found::Staff(_) if !alone => Err(Problem::invalid(
                "subject_request.asker",
                "教职工由本人提出",
                "staff ask for themselves",
            )),
            Found::Student(_) | Found::Staff(_) => Ok(()),
        }
    }

    /// Checks that the caller may be told what is held about people of an organisation.
    pub(crate) async fn may_be_told(
        &self,
        caller: &Caller,
        organization: &str,
    ) -> Result<(), Error> {
        self.place_of_requests(caller, telling(caller), organization)
            .await?;
        Ok(())
    }

    /// The request whose person may be shown to the caller now, and the person.
    async fn person_shown(
        &self,
        caller: &Caller,
        named: &Named<'_>,
    ) -> Result<(Stored, Found), Error> {
        self.may_be_told(caller, named.organization).await?;
        let permission = telling(caller);
        let own = |stored: &Stored| by_account(caller, stored.request.filed.person);
        let found = store::get(self.db.read(), named.id, Lock::No).await?;
        let found = found.filter(|stored| {
            stored.organization == named.organization
                && (own(stored) || !only_by_account(caller, permission))
        });
        let stored = found.ok_or_else(|| missing(named))?;
        self.may_be_shown(&stored, own(&stored))?;
        let person = stored.request.filed.person;
        let found = self.person_of(caller, permission, person).await?;
        Ok((stored, found))
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
            subject: Some(stored.request.filed.person.id()),
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
        let (stored, found) = self.person_shown(caller, named).await?;
        let now = self.clock.now();
        let once = (act.request_id, act.request);
        request::act(&self.db, caller, act.method, once, now, async |tx| {
            let minor = match &found {
                Found::Student(student) if !caller.is_daily() => Some(student.id),
                Found::Student(_) | Found::Staff(_) => None,
            };
            let beyond = minor.map(|_| other.shows()).unwrap_or_default();
            for data in beyond {
                let showing = Showing {
                    data: *data,
                    person: minor,
                    organization: found.organization(),
                    place: found.org_path(),
                    method: "HeldDataService.ExportHeldData",
                };
                self.used(tx, caller, showing).await?;
            }
            let reason = format!("{}（{}）", stored.name(), other.name());
            self.disclose(tx, caller, &stored, ("ExportHeldData", &reason))
                .await?;
            Ok(pb::UseSubjectRequestResponse {
                person: found.name(),
                organization: format!("organizations/{}", found.organization()),
                org_path: found.org_path().to_owned(),
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
        let (stored, found) = self.person_shown(caller, named).await?;
        let categories = match &found {
            Found::Student(student) => self.held_of_student(student).await?,
            Found::Staff(member) => self.held_of_staff(member).await?,
        };
        let data = convert::data(&stored, categories, self.now());
        let tx = self.db.begin().await?;
        let reason = stored.name();
        self.disclose(&tx, caller, &stored, ("GetSubjectData", &reason))
            .await?;
        tx.commit().await?;
        Ok(data)
    }

    async fn held_of_student(&self, student: &Student) -> Result<Vec<Category>, Error> {
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
        Ok(held(&Sources {
            student,
            private: &private,
            guardians: &guardians,
            seen: &self.looks(&people).await?,
        }))
    }

    async fn held_of_staff(&self, member: &StaffMember) -> Result<Vec<Category>, Error> {
        let db = self.db.read();
        let private = self.open(member.id, member.sealed.as_deref())?;
        let nodes = responsibility::of_person(db, member.id, DUTIES).await?;
        let nodes = nodes.into_iter().map(|node| {
            let end = node.end.map(told).unwrap_or_default();
            let times = format!("{} 至 {end}", told(node.start));
            (node, times)
        });
        let groups = class_groups::led_by(db, member.id, DUTIES).await?;
        Ok(held_of_staff(&StaffSources {
            member,
            private: &private,
            nodes: &nodes.collect::<Vec<_>>(),
            class_groups: &groups,
            seen: &self.looks(&[member.id]).await?,
        }))
    }

    /// Who saw what of these people.
    async fn looks(&self, people: &[Uuid]) -> Result<Vec<Seen>, Error> {
        let seen = store::seen(self.db.read(), people, LOOKS).await?;
        let seen = seen.into_iter().map(|(time, method, reason)| Seen {
            time: told(time),
            method,
            reason,
        });
        Ok(seen.collect())
    }

    /// Whether what is held may be shown now: to whoever handles it until it is answered and 30 days
    /// longer, to the person and the family for these 30 days.
    fn may_be_shown(&self, stored: &Stored, own: bool) -> Result<(), Error> {
        let request = &stored.request;
        let asks = matches!(request.filed.kind, Kind::Access | Kind::Copy);
        let shown = match (&request.closed, request.state()) {
            (None, _) => !own,
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
        if back {
            self.may_ask_about_subjects(caller, named.organization)
                .await?;
        } else {
            self.may_answer_subjects(caller, named.organization).await?;
        }
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
