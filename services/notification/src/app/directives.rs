//! Directives: written, approved, issued, ended.

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use uuid::Uuid;

use super::{Base, Organization, denied, place, unknown};
use crate::domain::directive::{Addressee, Directive, End, State, TextHash, Urgency, chain};
use crate::domain::place::{contains, leaf};
use crate::domain::policy;
use crate::domain::recipient::{self, Recipient};
use crate::error::Error;
use crate::store::Store;
use crate::store::directives::Tally;

/// The use cases of directives.
#[derive(Clone, Debug)]
pub(crate) struct Directives {
    pub(super) base: Base,
    pub(super) done_percent: i32,
}

/// What a draft says.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) urgency: Urgency,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) audience: Vec<String>,
}

/// What is done with a directive.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Approve,
    Issue,
    End(End),
}

impl Directives {
    pub(crate) fn new(base: Base, done_percent: i32) -> Self {
        Self { base, done_percent }
    }

    /// An organisation at which the caller may do `permission`.
    pub(crate) async fn organization(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Organization, Error> {
        self.base.organization(caller, permission, id).await
    }

    /// Writes a draft.
    pub(crate) async fn draft<R: Message + Default>(
        &self,
        caller: &Caller,
        orderer: Organization,
        draft: Draft,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Directive, Tally) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "DraftDirective", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        for (index, id) in draft.audience.iter().enumerate() {
            let path = self.base.store.org_path(&tx, id).await?;
            if !path.is_some_and(|path| contains(orderer.path.as_str(), &path)) {
                return Err(Error::Audience(index));
            }
        }
        let Draft {
            urgency,
            title,
            text,
            audience,
        } = draft;
        let directive = Directive {
            organization: orderer.id,
            id: new_id(now),
            org_path: orderer.path.to_string(),
            state: State::Draft,
            urgency,
            text_hash: TextHash::of(&title, &text),
            title,
            text,
            audience,
            author: caller.subject.clone(),
            approver: String::new(),
            created: now,
            issued: None,
            superseded_by: String::new(),
            version: 1,
        };
        Store::insert_directive(&tx, directive.clone()).await?;
        let answer = render(directive, Tally::default());
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Moves a directive on.
    pub(crate) async fn apply<R: Message + Default>(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        (verb, method): (Verb, &'static str),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Directive, Tally) -> R,
    ) -> Result<R, Error> {
        self.base
            .organization(caller, Permission::DirectiveIssue, organization)
            .await?;
        let (store, now) = (&self.base.store, self.base.clock.now());
        let tx = store.database().begin().await?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let name = || directive_name(organization, id);
        let directive = Store::directive_to_change(&tx, organization, id).await?;
        let directive = directive.ok_or_else(|| Error::NotFound(name()))?;
        let directive = match verb {
            Verb::Approve => directive.approve(&caller.subject)?,
            Verb::Issue => {
                let directive = directive.issue(now)?;
                self.address(&tx, &directive).await?;
                directive
            }
            Verb::End(end) => {
                if let End::Superseded(replacement) = &end {
                    self.require_replacement(&tx, organization, id, replacement)
                        .await?;
                }
                let directive = directive.end(end)?;
                Store::close_recipients(&tx, id).await?;
                directive
            }
        };
        let directive = Store::save_directive(&tx, directive)
            .await?
            .ok_or(Error::Conflict)?;
        let tally = store.tally(&tx, id).await?;
        let answer = render(directive, tally);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Expands the audience from the tree as it is now. Those whom the orderer reaches itself
    /// start their clocks; the others when the one above relays.
    async fn address(&self, tx: &Tx, directive: &Directive) -> Result<(), Error> {
        let now = self.base.clock.now();
        let mut places = Vec::new();
        for id in &directive.audience {
            if let Some(path) = self.base.store.org_path(tx, id).await? {
                places.extend(Store::addressees(tx, &path).await?);
            }
        }
        let chained = chain(&directive.org_path, places);
        if chained.is_empty() {
            return Err(Error::NoRecipients);
        }
        let policies = Store::policies(tx).await?;
        let today = kit::clock::civil_date(now);
        let mut below = std::collections::HashMap::<&str, i32>::new();
        for addressee in &chained {
            *below.entry(&addressee.upper).or_default() += 1;
        }
        let recipients = chained.iter().map(|addressee| {
            let Addressee {
                organization,
                org_path,
                upper,
            } = addressee.clone();
            let waiting = Recipient {
                directive: directive.id,
                below: below.get(organization.as_str()).copied().unwrap_or(0),
                organization,
                org_path,
                upper,
                state: recipient::State::Pending,
                due: None,
                acknowledged: None,
                relayed: None,
                relay_note: String::new(),
                report: String::new(),
                progress: 0,
                return_reason: String::new(),
                updated: now,
                text_hash: directive.text_hash,
                version: 1,
            };
            if !waiting.upper.is_empty() {
                return waiting;
            }
            let policy = policy::in_force(&policies, &waiting.org_path, today);
            waiting.reach(now, policy.acknowledge(directive.urgency))
        });
        let recipients = recipients.collect();
        Ok(Store::insert_recipients(tx, &directive.organization, recipients).await?)
    }

    async fn require_replacement(
        &self,
        tx: &Tx,
        organization: &str,
        replaced: Uuid,
        replacement: &str,
    ) -> Result<(), Error> {
        let id = replacement
            .strip_prefix(&format!("organizations/{organization}/directives/"))
            .and_then(|id| Uuid::try_parse(id).ok())
            .filter(|id| *id != replaced)
            .ok_or(Error::Replacement)?;
        let found = self.base.store.directive(tx, organization, id).await?;
        match found.map(|directive| directive.state) {
            Some(State::Issued) => Ok(()),
            _ => Err(Error::Replacement),
        }
    }

    /// One directive with its tally, for those who ordered it or whom it has reached.
    pub(crate) async fn directive(
        &self,
        caller: &Caller,
        organization: &str,
        id: Uuid,
    ) -> Result<(Directive, Tally), Error> {
        let permission = Permission::DirectiveRead;
        let scope = caller.allowed(permission)?;
        let store = &self.base.store;
        let db = store.database().read();
        let name = || directive_name(organization, id);
        let Some(directive) = store.directive(db, organization, id).await? else {
            let path = self.base.path(db, organization).await?;
            return Err(match path {
                Some(path) if scope.contains(&path) => Error::NotFound(name()),
                _ => unknown(permission, scope, name()),
            });
        };
        if !scope.contains(&place(&directive.org_path)) {
            let reached = store
                .is_reached(id, scope.as_str(), places_above(scope.as_str()))
                .await?;
            if !reached {
                return Err(denied(permission));
            }
        }
        let tally = store.tally(db, id).await?;
        Ok((directive, tally))
    }

    /// The directives that an organisation wrote, newest first.
    pub(crate) async fn list(
        &self,
        organization: &Organization,
        state: Option<State>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Directive, Tally)>, Error> {
        let store = &self.base.store;
        let found = store
            .directives(&organization.id, state, before, limit)
            .await?;
        let ids: Vec<Uuid> = found.iter().map(|directive| directive.id).collect();
        let tallies = store.tallies(store.database().read(), &ids).await?;
        let listed = found.into_iter().map(|directive| {
            let tally = tallies.get(&directive.id).copied().unwrap_or_default();
            (directive, tally)
        });
        Ok(listed.collect())
    }
}

/// The resource name of a directive.
pub(crate) fn directive_name(organization: &str, id: Uuid) -> String {
    format!(
        "organizations/{organization}/directives/{}",
        id.hyphenated()
    )
}

/// The places above one, such as the school of a class group.
fn places_above(place: &str) -> Vec<String> {
    let mut above = Vec::new();
    let mut rest = place;
    while rest.len() > leaf(rest).len() {
        rest = &rest[..rest.len() - leaf(rest).len() - 1];
        above.push(rest.to_owned());
    }
    above
}

fn new_id(now: chrono::DateTime<chrono::Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_above_are_listed_up_to_the_root() {
        assert_eq!(places_above("fz/1/2"), ["fz/1", "fz"]);
        assert!(places_above("fz").is_empty() && places_above("").is_empty());
    }
}
