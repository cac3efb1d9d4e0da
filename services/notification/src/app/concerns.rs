//! Concerns: handed in, sorted out, answered, judged.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission, Role};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::privacy::{Part, Seen, Sum, Veil, hidden, is_hidden, sum_at};
use kit::status::Problem;
use prost::Message;
use uuid::Uuid;

use super::new_id;
use super::quiet::{Quiet, once};
use super::{Base, Organization, denied, place, unknown};
use crate::domain::concern::{
    Assignee, Category, Concern, Refused, State, Submission, Submitter, Verb,
};
use crate::domain::notice::Notice;
use crate::domain::party::Party;
use crate::domain::place::contains;
use crate::error::Error;
use crate::seal::Seal;
use crate::store::Store;
use crate::store::concerns::{CategoryCounts, Listed};

/// The use cases of concerns.
#[derive(Clone, Debug)]
pub(crate) struct Concerns {
    pub(super) base: Base,
    pub(super) seal: Seal,
}

/// What is asked of a concern.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// By whoever sees to it.
    Handle(Verb),
    /// By whoever sees to it: this party is to answer.
    Assign(String),
    /// By whoever sees to it, or is to answer: the answer.
    Answer(String),
    /// By whoever handed it in: how satisfied, and a remark.
    Rate(i32, String),
}

/// Who may do something with a concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever sees to it.
    Handler,
    /// Whoever sees to it or is to answer.
    Answerer,
    /// Whoever handed it in.
    Author,
    /// All of these.
    Anyone,
}

/// A concern as somebody names it: the organisation, the id, and the receipt code, which may be empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) organization: &'a str,
    pub(crate) id: Uuid,
    pub(crate) code: &'a str,
}

/// Counts of the concerns of one category as they are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CategoryFigures {
    pub(crate) category: Category,
    pub(crate) all: Seen,
    pub(crate) open: Seen,
    pub(crate) late: Seen,
    pub(crate) reopened: Seen,
    pub(crate) satisfied: Seen,
}

impl Concerns {
    pub(crate) fn new(base: Base, seal: Seal) -> Self {
        Self { base, seal }
    }

    /// An organisation with which the caller may hand in a concern: one where they belong, or above.
    pub(crate) async fn receiver(&self, caller: &Caller, id: &str) -> Result<Organization, Error> {
        let permission = Permission::ConcernSubmit;
        let scope = caller.allowed(permission)?;
        let name = || format!("organizations/{id}");
        let path = self
            .base
            .path(self.base.store.database().read(), id)
            .await?;
        let path = path.ok_or_else(|| unknown(permission, scope, name()))?;
        caller.require(permission, caller.reached(&path))?;
        Ok(Organization {
            id: id.to_owned(),
            path,
        })
    }

    /// Hands a concern in. Of an anonymous one nothing is kept that tells who: not even the request
    /// is kept in the name of the caller.
    pub(crate) async fn submit<R: Message + Default>(
        &self,
        caller: &Caller,
        receiver: Organization,
        mut submission: Submission,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Concern, String) -> R,
    ) -> Result<R, Error> {
        require_submitter(caller, submission.submitter)?;
        let (seal, now) = (&self.seal, self.base.clock.now());
        let anonymous = submission.anonymous;
        let subject = self.principal(caller, anonymous, request_id);
        let tx = self.base.store.database().begin().await?;
        let call = ("SubmitConcern", request_id, request);
        let ticket = match once(&tx, seal, (caller, subject), call, now).await? {
            Quiet::Repeat(answer) => return Ok(answer),
            Quiet::First(ticket) => ticket,
        };
        let id = new_id(now);
        if !anonymous {
            submission.words.person = answered_to(caller, submission.submitter);
        }
        let path = receiver.path.as_str();
        let clocks = Store::rules(&tx).await?.clocks(path, now);
        let mut concern = Concern::submit((id, now), path.to_owned(), submission, clocks);
        let mut code = String::new();
        if anonymous {
            code = match request_id {
                "" => seal.receipt_code(&Uuid::new_v4().to_string()),
                request_id => seal.receipt_code(request_id),
            };
            concern.receipt = seal.receipt(id, &code);
        } else {
            concern.author = self.author(caller);
        }
        Store::save_concern(&tx, &concern, seal).await?;
        let name = concern_name(&concern.organization, concern.id);
        let notice = Notice::of_move(None, &concern, &name, now);
        Store::tell(&tx, notice.into_iter().collect(), now).await?;
        let answer = render(concern, code);
        ticket.record(&tx, (seal, now), &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// One concern, for whoever may do what is asked. Whoever shows the code of an anonymous one stays
    /// unknown.
    pub(crate) async fn concern(
        &self,
        caller: &Caller,
        named: Named<'_>,
        by: By,
    ) -> Result<Concern, Error> {
        if !named.code.is_empty() {
            caller.veil("");
        }
        let scope = caller.allowed(Permission::ConcernSubmit)?;
        let db = self.base.store.database().read();
        let found = Store::concern(db, named.organization, named.id, &self.seal).await?;
        if let Some(concern) = found
            && self.may(caller, &concern, named.code, By::Anyone)
        {
            return if self.may(caller, &concern, named.code, by) {
                Ok(concern.at(self.base.clock.now()))
            } else {
                Err(denied(Permission::ConcernHandle))
            };
        }
        // One that the caller may not see is answered like one that is not there.
        let name = concern_name(named.organization, named.id);
        let path = self.base.path(db, named.organization).await?;
        let handles =
            path.is_some_and(|path| caller.require(Permission::ConcernHandle, &path).is_ok());
        if handles || !named.code.is_empty() {
            return Err(Error::NotFound(name));
        }
        Err(unknown(Permission::ConcernSubmit, scope, name))
    }

    /// Does something with a concern. The caller was authorised before, and is again once nobody
    /// else can move it.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        named: Named<'_>,
        (act, by, method): (Act, By, &'static str),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Concern) -> R,
    ) -> Result<R, Error> {
        let (seal, now) = (&self.seal, self.base.clock.now());
        let subject = self.principal(caller, !named.code.is_empty(), request_id);
        let tx = self.base.store.database().begin().await?;
        let call = (method, request_id, request);
        let ticket = match once(&tx, seal, (caller, subject), call, now).await? {
            Quiet::Repeat(answer) => return Ok(answer),
            Quiet::First(ticket) => ticket,
        };
        let found = Store::concern_to_change(&tx, named.id, seal).await?;
        let concern = found.ok_or(Error::Conflict)?;
        if !self.may(caller, &concern, named.code, by) {
            return Err(denied(Permission::ConcernHandle));
        }
        let verb = match act {
            Act::Handle(verb) => verb,
            Act::Assign(party) => Verb::Assign(self.assignee(&tx, &party).await?),
            Act::Answer(answer) => Verb::Answer(answer),
            Act::Rate(satisfaction, remark) => {
                let rules = Store::rules(&tx).await?;
                let clocks = rules.clocks(&concern.org_path, now);
                Verb::Rate(satisfaction, remark, clocks)
            }
        };
        let before = concern.clone();
        let concern = concern.apply(verb, now)?;
        Store::save_concern(&tx, &concern, seal).await?;
        let name = concern_name(&concern.organization, concern.id);
        let notice = if concern.state == State::Answered {
            let until = civil_date(concern.wait.unwrap_or(now));
            Notice::of_answer(&concern, &name, until)
        } else {
            Notice::of_move(Some(&before), &concern, &name, now)
        };
        Store::tell(&tx, notice.into_iter().collect(), now).await?;
        let answer = render(concern);
        ticket.record(&tx, (seal, before.created), &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// An organisation about whose concerns the caller may do `permission`.
    pub(crate) async fn organization(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Organization, Error> {
        self.base.organization(caller, permission, id).await
    }

    /// An organisation about which the caller may have concerns to deal with: one where they handle
    /// concerns, and for the staff one where they belong, or above.
    pub(crate) async fn dealt_with(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Organization, Error> {
        let handled = self.organization(caller, Permission::ConcernHandle, id);
        let refused = match handled.await {
            Ok(organization) => return Ok(organization),
            Err(refused) => refused,
        };
        if assignee_of(caller).is_none() {
            return Err(refused);
        }
        self.receiver(caller, id).await
    }

    /// The concerns about an organisation and those below that the caller deals with, newest first,
    /// without their words.
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        organization: &Organization,
        (state, overdue, before): (Option<State>, bool, Option<Uuid>),
        limit: u64,
    ) -> Result<Vec<Concern>, Error> {
        let now = self.base.clock.now();
        let handles = caller.require(Permission::ConcernHandle, &organization.path);
        let listed = Listed {
            about: organization.path.as_str(),
            handled: handles.is_ok().then_some(caller.scope.as_str()),
            assignee: assignee_of(caller),
            state,
            overdue: overdue.then_some(now),
            before,
        };
        let db = self.base.store.database().read();
        let found = Store::concerns(db, listed, limit).await?;
        Ok(found.into_iter().map(|concern| concern.at(now)).collect())
    }

    /// Counts of those concerns by category; categories without any are left out. What is hidden cannot be
    /// computed from the figures of any other place that the caller sees, nor from the other categories if
    /// somebody knew how many concerns there are in all.
    pub(crate) async fn figures(
        &self,
        caller: &Caller,
        organization: &Organization,
    ) -> Result<Vec<CategoryFigures>, Error> {
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let (place, scope) = (organization.path.as_str(), caller.scope.as_str());
        let top = if !scope.is_empty() && contains(scope, place) {
            scope
        } else {
            place.split('/').next().unwrap_or_default()
        };
        let counts = Store::concern_counts(db, (top, scope), now).await?;
        let rules = Store::rules(db).await?;
        let veil = Veil::below(rules.privacy_k(top, self.base.clock.today()));
        let column = |of: fn(&CategoryCounts) -> &BTreeMap<String, Part>| -> Vec<Seen> {
            let each = counts.values().map(of);
            let parts: Vec<Part> = each.map(|counts| sum_at(counts, place)).collect();
            let each = counts.values().map(of);
            let around: Vec<bool> = each
                .map(|counts| is_hidden(veil, counts, top, place))
                .collect();
            let around = |at: usize| around.get(at).copied().unwrap_or_default();
            let hidden = hidden(veil, &parts, Sum::Shown, around);
            let seen = parts.iter().zip(hidden);
            seen.map(|(part, hidden)| Seen::new(part.count(), hidden))
                .collect()
        };
        let parts = column(|counts| &counts.open)
            .into_iter()
            .zip(column(|counts| &counts.late))
            .zip(column(|counts| &counts.reopened))
            .zip(column(|counts| &counts.satisfied));
        let figures = counts.keys().zip(column(|counts| &counts.all)).zip(parts);
        let figures = figures.map(|((category, all), (((open, late), reopened), satisfied))| {
            CategoryFigures {
                category: *category,
                all,
                open,
                late,
                reopened,
                satisfied,
            }
        });
        Ok(figures
            .filter(|figures| figures.all != Seen::Shown(0))
            .collect())
    }

    /// In whose name a request is kept: an anonymous one in its own.
    fn principal(&self, caller: &Caller, anonymous: bool, request_id: &str) -> String {
        if anonymous {
            self.seal.veil("anonymous request", request_id)
        } else {
            caller.subject.clone()
        }
    }

    fn author(&self, caller: &Caller) -> Vec<u8> {
        self.seal.hash("author", &caller.subject).to_vec()
    }

    fn may(&self, caller: &Caller, concern: &Concern, code: &str, by: By) -> bool {
        let handler = place(&concern.handler_path);
        let handles = caller.require(Permission::ConcernHandle, &handler).is_ok();
        let person = caller.person.as_deref();
        let answers = person.is_some_and(|person| person == concern.assignee);
        let author = if concern.anonymous {
            !code.is_empty() && self.seal.receipt(concern.id, code) == concern.receipt
        } else {
            self.author(caller) == concern.author
        };
        match by {
            By::Handler => handles,
            By::Answerer => handles || answers,
            By::Author => author,
            By::Anyone => handles || answers || author,
        }
    }

    async fn assignee(&self, tx: &Tx, staff_member: &str) -> Result<Assignee, Error> {
        let party = Party::parse(staff_member).ok_or(Refused::Assignee)?;
        let belonging = self.base.store.belonging(tx, &party).await?;
        let belonging = belonging.ok_or(Refused::Assignee)?;
        Ok(Assignee {
            staff_member: party.name(),
            organization: belonging.organization,
            place: belonging.place,
        })
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }
}

/// The member of the staff that the caller is.
fn assignee_of(caller: &Caller) -> Option<&str> {
    let person = caller.person.as_deref();
    person.filter(|person| matches!(Party::parse(person), Some(Party::Staff(_))))
}

/// As whom the caller hears of what became of a concern: a guardian apart from the pupil. Empty where the
/// token names nobody.
fn answered_to(caller: &Caller, submitter: Submitter) -> String {
    let person = caller.person.clone().unwrap_or_default();
    let as_guardian = submitter != Submitter::Student && caller.is(Role::Guardian);
    match Party::parse(&person) {
        Some(Party::Student(id)) if as_guardian => Party::Family(id).name(),
        _ => person,
    }
}

/// Nobody speaks as a pupil, a parent or a teacher who is not: only as somebody else.
fn require_submitter(caller: &Caller, submitter: Submitter) -> Result<(), Error> {
    let family = |role: &Role| matches!(role, Role::Student | Role::Guardian);
    let holds = match submitter {
        Submitter::Student => caller.is(Role::Student),
        Submitter::Guardian => caller.is(Role::Guardian),
        Submitter::Staff => !caller.roles.iter().all(family),
        Submitter::Public => true,
    };
    if holds {
        return Ok(());
    }
    let (zh, en) = ("与您的身份不符", "not what the caller is");
    Err(Problem::invalid("concern.submitter", zh, en).into())
}

/// The resource name of a concern.
pub(crate) fn concern_name(organization: &str, id: Uuid) -> String {
    format!("organizations/{organization}/concerns/{}", id.hyphenated())
}

/// The narrower of two places of which one contains the other; none when they are apart.
pub(super) fn narrower<'a>(one: &'a str, other: &'a str) -> Option<&'a str> {
    if contains(one, other) {
        Some(other)
    } else {
        contains(other, one).then_some(one)
    }
}
