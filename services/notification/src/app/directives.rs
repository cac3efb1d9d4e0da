//! Directives: written, approved, issued, ended.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use uuid::Uuid;

use super::{Base, Organization, denied, missing, new_id, place};
use crate::domain::audience::Audience;
use crate::domain::content::Content;
use crate::domain::directive::{Directive, End, State, Urgency};
use crate::domain::place::places_above;
use crate::error::Error;
use crate::store::Store;
use crate::store::counts::Tally;

/// The use cases of directives.
#[derive(Clone, Debug)]
pub(crate) struct Directives {
    pub(super) base: Base,
    /// The channels besides the inbox by which organisations are told.
    pub(super) channels: Vec<String>,
}

/// What a draft says.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) urgency: Urgency,
    pub(crate) content: Content,
    pub(crate) audience: Audience,
    pub(crate) to_class_groups: bool,
}

/// What is done with a directive.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Approve,
    Issue,
    End(End),
}

impl Directives {
    pub(crate) fn new(base: Base, channels: Vec<String>) -> Self {
        Self { base, channels }
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
        self.base
            .require_below(&tx, orderer.path.as_str(), &draft.audience)
            .await?;
        let directive = drafted(orderer, draft, &caller.subject, now);
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
                let replacement = match &end {
                    End::Superseded(name) => {
                        Some(self.replacement(&tx, organization, id, name).await?)
                    }
                    End::Closed | End::Revoked(_) => None,
                };
                let directive = directive.end(end)?;
                Store::close_recipients(&tx, id).await?;
                self.tell_end(&tx, &directive, replacement.as_ref(), now)
                    .await?;
                directive
            }
        };
        let directive = Store::save_directive(&tx, directive)
            .await?
            .ok_or(Error::Conflict)?;
        let tally = Store::tally(&tx, id).await?;
        let answer = render(directive, tally);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The directive in force of this name that takes the place of another one.
    async fn replacement(
        &self,
        tx: &Tx,
        organization: &str,
        replaced: Uuid,
        replacement: &str,
    ) -> Result<Directive, Error> {
        let id = replacement
            .strip_prefix(&format!("organizations/{organization}/directives/"))
            .and_then(|id| Uuid::try_parse(id).ok())
            .filter(|id| *id != replaced)
            .ok_or(Error::Replacement)?;
        let found = self.base.store.directive(tx, organization, id).await?;
        let in_force = found.filter(|directive| directive.state == State::Issued);
        in_force.ok_or(Error::Replacement)
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
        let name = directive_name(organization, id);
        let Some(directive) = store.directive(db, organization, id).await? else {
            let path = self.base.path(db, organization).await?;
            return Err(missing(caller, permission, path.as_ref(), name));
        };
        let at = place(&directive.org_path);
        if scope.contains(&at) {
            caller.require(permission, &at)?;
        } else {
            let above = places_above(scope.as_str())
                .map(ToOwned::to_owned)
                .collect();
            let reached = store.is_reached(id, scope.as_str(), above).await?;
            if !reached {
                return Err(denied(permission));
            }
        }
        let tally = Store::tally(db, id).await?;
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
        let tallies = Store::tallies(store.database().read(), &ids).await?;
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

/// The directive that a draft makes.
pub(super) fn drafted(
    orderer: Organization,
    draft: Draft,
    author: &str,
    now: DateTime<Utc>,
) -> Directive {
    let Draft {
        urgency,
        content,
        audience,
        to_class_groups,
    } = draft;
    Directive {
        organization: orderer.id,
        id: new_id(now),
        org_path: orderer.path.to_string(),
        state: State::Draft,
        urgency,
        text_hash: content.hash(),
        content,
        audience,
        to_class_groups,
        meeting: String::new(),
        author: author.to_owned(),
        approver: String::new(),
        created: now,
        issued: None,
        superseded_by: String::new(),
        revoke_reason: String::new(),
        version: 1,
    }
}
