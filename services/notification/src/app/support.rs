//! Cases of psychological support. Whoever reads or changes one is recorded in the same transaction.

use std::collections::BTreeMap;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::privacy::{Part, Seen, Veil, see_at};
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use uuid::Uuid;

use super::new_id;
use super::quiet::{Quiet, once};
use super::{Base, Organization};
use crate::domain::concern::Category;
use crate::domain::party::Party;
use crate::domain::support::{Case, Entry, Event, Grade, State, Verb, remind};
use crate::error::Error;
use crate::seal::Seal;
use crate::store::Store;
use crate::store::support::{AccessRow, CaseKey};

/// The use cases of support.
#[derive(Clone, Debug)]
pub(crate) struct Support {
    base: Base,
    seal: Seal,
}

/// A case as it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) person: Party,
    pub(crate) grade: Grade,
    pub(crate) note: String,
    pub(crate) concern: Option<Uuid>,
}

/// Counts of open cases as they are seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) open: Seen,
    pub(crate) grave: Seen,
    pub(crate) overdue: Seen,
}

impl Support {
    pub(crate) fn new(base: Base, seal: Seal) -> Self {
        Self { base, seal }
    }

    /// A school whose cases the caller keeps: nobody but a counsellor does.
    pub(crate) async fn school(&self, caller: &Caller, id: &str) -> Result<Organization, Error> {
        self.base
            .organization(caller, Permission::SupportHandle, id)
            .await
    }

    /// Opens a case.
    pub(crate) async fn open<R: Message + Default>(
        &self,
        caller: &Caller,
        school: Organization,
        opening: Opening,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Case, Vec<Entry>) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let method = "OpenSupportCase";
        let call = (method, request_id, request);
        let ticket =
            match once(&tx, &self.seal, (caller, caller.subject.clone()), call, now).await? {
                Quiet::Repeat(answer) => return Ok(answer),
                Quiet::First(ticket) => ticket,
            };
        let Opening {
            person,
            grade,
            note,
            concern,
        } = opening;
        self.require_at(&tx, &school, &person).await?;
        if let Some(concern) = concern {
            self.require_asking(&tx, &school, concern).await?;
        }
        let rules = Store::rules(&tx).await?;
        let policy = rules.policy(school.path.as_str(), self.base.clock.today());
        let within = policy.contact_within(grade);
        let case = Case {
            organization: school.id,
            id: new_id(now),
            org_path: school.path.to_string(),
            person: person.name(),
            grade,
            state: State::Screened,
            note: note.clone(),
            concern,
            created: now,
            contact_due: Some(now + within),
            late: false,
            reason: None,
            closed: None,
            informed: None,
            referred: None,
            reopenings: 0,
            counsellor: caller.subject.clone(),
            counsellor_person: caller.person.clone().unwrap_or_default(),
            remind: Some(remind(now + within, within)),
            entry_count: 1,
        };
        let entry = Entry {
            event: Event::Opened,
            time: now,
            subject: caller.subject.clone(),
            note,
        };
        Store::save_case(&tx, &case, &entry, &self.seal).await?;
        self.record(&tx, caller, [case.id], method).await?;
        let answer = render(case, vec![entry]);
        ticket.record(&tx, (&self.seal, now), &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// One case with what happened in it. The caller was authorised for the school.
    pub(crate) async fn case(
        &self,
        caller: &Caller,
        school: &Organization,
        id: Uuid,
    ) -> Result<(Case, Vec<Entry>), Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let case = self.existing(&tx, school, id, Lock::No).await?.at(now);
        let entries = Store::entries(&tx, &case, &self.seal).await?;
        self.record(&tx, caller, [id], "GetSupportCase").await?;
        tx.commit().await?;
        Ok((case, entries))
    }

    /// The cases of a school, the most pressing deadline first.
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        school: &Organization,
        which: (bool, Option<CaseKey>),
        limit: usize,
    ) -> Result<(Vec<Case>, Option<CaseKey>), Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let place = school.path.as_str();
        let most = limit as u64 + 1;
        let mut cases = Store::cases(&tx, place, which, most, &self.seal).await?;
        let more = cases.len() > limit;
        cases.truncate(limit);
        let ids: Vec<Uuid> = cases.iter().map(|case| case.id).collect();
        self.record(&tx, caller, ids, "ListSupportCases").await?;
        tx.commit().await?;
        let next = cases.last().filter(|_| more).map(CaseKey::of);
        Ok((cases.into_iter().map(|case| case.at(now)).collect(), next))
    }

    /// Does something in a case. The caller was authorised for the school.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        (school, id): (&Organization, Uuid),
        (verb, note, method): (Verb, String, &'static str),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Case, Vec<Entry>) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let call = (method, request_id, request);
        let ticket =
            match once(&tx, &self.seal, (caller, caller.subject.clone()), call, now).await? {
                Quiet::Repeat(answer) => {
                    // Whoever repeats reads again.
                    self.record(&tx, caller, [id], method).await?;
                    tx.commit().await?;
                    return Ok(answer);
                }
                Quiet::First(ticket) => ticket,
            };
        let case = self.existing(&tx, school, id, Lock::Yes).await?;
        let rules = Store::rules(&tx).await?;
        let policy = rules.policy(school.path.as_str(), self.base.clock.today());
        let case = case.apply(verb, now, &policy)?;
        let entry = Entry {
            event: verb.event(),
            time: now,
            subject: caller.subject.clone(),
            note,
        };
        Store::save_case(&tx, &case, &entry, &self.seal).await?;
        self.record(&tx, caller, [id], method).await?;
        let entries = Store::entries(&tx, &case, &self.seal).await?;
        let gathered = case.created;
        let answer = render(case, entries);
        ticket.record(&tx, (&self.seal, gathered), &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Who read or changed a case, newest first. The caller was authorised for the school.
    pub(crate) async fn accesses(
        &self,
        school: &Organization,
        id: Uuid,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<AccessRow>, Error> {
        let tx = self.base.store.database().begin().await?;
        self.existing(&tx, school, id, Lock::No).await?;
        let accesses = Store::accesses(&tx, id, before, limit).await?;
        tx.commit().await?;
        Ok(accesses)
    }

    /// Counts of the open cases at and below an organisation, for those who read figures and for
    /// counsellors. What is hidden cannot be computed from the figures of any other place.
    pub(crate) async fn figures(&self, caller: &Caller, id: &str) -> Result<Figures, Error> {
        let reads = caller.allowed(Permission::ConcernFiguresRead).is_ok();
        let permission = if reads {
            Permission::ConcernFiguresRead
        } else {
            Permission::SupportHandle
        };
        let organization = self.base.organization(caller, permission, id).await?;
        let (now, today) = (self.base.clock.now(), self.base.clock.today());
        let place = organization.path.as_str();
        let root = place.split('/').next().unwrap_or_default();
        let db = self.base.store.database().read();
        let counts = Store::case_counts(db, root, now).await?;
        let k = Store::rules(db).await?.privacy_k(root, today);
        let seen = |counts: &BTreeMap<String, Part>| see_at(Veil::below(k), counts, root, place);
        Ok(Figures {
            open: seen(&counts.open),
            grave: seen(&counts.grave),
            overdue: seen(&counts.overdue),
        })
    }

    async fn existing(
        &self,
        tx: &Tx,
        school: &Organization,
        id: Uuid,
        lock: Lock,
    ) -> Result<Case, Error> {
        let found = Store::case(tx, &school.id, id, (&self.seal, lock)).await?;
        found.ok_or_else(|| Error::NotFound(case_name(&school.id, id)))
    }

    async fn record(
        &self,
        tx: &Tx,
        caller: &Caller,
        cases: impl IntoIterator<Item = Uuid>,
        method: &'static str,
    ) -> Result<(), Error> {
        let now = self.base.clock.now();
        let access = |support_case| AccessRow {
            id: new_id(now),
            support_case,
            subject: caller.subject.clone(),
            time_at: now.timestamp_millis(),
            method: method.to_owned(),
        };
        let accesses = cases.into_iter().map(access).collect();
        Ok(Store::record_accesses(tx, accesses).await?)
    }

    /// The person is at the school.
    async fn require_at(
        &self,
        tx: &Tx,
        school: &Organization,
        person: &Party,
    ) -> Result<(), Error> {
        let belonging = self.base.store.belonging(tx, person).await?;
        if belonging.is_some_and(|belonging| belonging.organization == school.id) {
            return Ok(());
        }
        let (zh, en) = (
            "不是本校的学生或教职工",
            "not a pupil or member of staff of the school",
        );
        Err(Problem::invalid("support_case.person", zh, en).into())
    }

    /// The concern asks the school for psychological support.
    async fn require_asking(
        &self,
        tx: &Tx,
        school: &Organization,
        concern: Uuid,
    ) -> Result<(), Error> {
        let found = Store::concern(tx, &school.id, concern, &self.seal).await?;
        if found.is_some_and(|concern| concern.category == Category::Psychological) {
            return Ok(());
        }
        let (zh, en) = (
            "不是本校心理支持类的诉求",
            "not a concern of the school that asks for psychological support",
        );
        Err(Problem::invalid("support_case.concern", zh, en).into())
    }
}

/// The resource name of a case.
pub(crate) fn case_name(organization: &str, id: Uuid) -> String {
    format!(
        "organizations/{organization}/supportCases/{}",
        id.hyphenated()
    )
}
