//! What recipients do with directives.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use uuid::Uuid;

use super::directives::{Directives, directive_name};
use super::{Organization, denied, place, unknown};
use crate::domain::directive::{self, State};
use crate::domain::policy;
use crate::domain::recipient::{Recipient, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::recipients::{Owed, OwedKey};

/// Which recipient: who ordered, the directive, and who received it.
#[derive(Clone, Debug)]
pub(crate) struct RecipientName {
    pub(crate) orderer: String,
    pub(crate) directive: Uuid,
    pub(crate) organization: String,
}

/// What is asked for; the numbers of those below are counted in the transaction.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// By the recipient itself.
    Handle(Verb),
    /// The report is accepted by the one above.
    Accept,
    /// The report is returned by the one above, with the reason.
    Return(String),
}

/// Who acts on a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The organisation itself.
    Recipient,
    /// The one above.
    Upper,
}

impl Directives {
    /// A recipient moves on, or the one above judges its report. The caller was authorised before.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        name: &RecipientName,
        (act, method): (Act, &'static str),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Recipient, DateTime<Utc>) -> R,
    ) -> Result<R, Error> {
        let (store, now) = (&self.base.store, self.base.clock.now());
        let tx = store.database().begin().await?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        // The directive must not end while a recipient moves.
        let (orderer, id) = (&name.orderer, name.directive);
        let found = Store::directive_to_use(&tx, orderer, id).await?;
        let directive = found.ok_or(Error::Conflict)?;
        if directive.state != State::Issued {
            return Err(directive::Refused::State(directive.state).into());
        }
        let found = store
            .recipient(&tx, name.directive, &name.organization)
            .await?;
        let recipient = found.ok_or(Error::Conflict)?;
        let verb = match act {
            Act::Handle(verb) => verb,
            Act::Return(reason) => Verb::Return(reason),
            Act::Accept => {
                let percent = self.done_percent;
                let below = Store::below(&tx, name.directive, &name.organization, percent).await?;
                Verb::Accept(below)
            }
        };
        let relays = matches!(verb, Verb::Relay(..));
        let recipient = recipient.apply(verb, now)?;
        let saved = Store::save_recipient(&tx, &name.orderer, recipient).await?;
        let recipient = saved.ok_or(Error::Conflict)?;
        if relays {
            self.pass_on(&tx, &recipient, directive.urgency, now)
                .await?;
        }
        let answer = render(recipient, now);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn pass_on(
        &self,
        tx: &Tx,
        recipient: &Recipient,
        urgency: directive::Urgency,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let policies = Store::policies(tx).await?;
        let today = kit::clock::civil_date(now);
        let policy = policy::in_force(&policies, &recipient.org_path, today);
        let (id, upper) = (recipient.directive, &recipient.organization);
        Ok(Store::reach(tx, id, upper, now, policy.acknowledge(urgency)).await?)
    }

    /// Only the organisation itself signs, relays and reports; only the one above judges.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        name: &RecipientName,
        by: By,
    ) -> Result<(), Error> {
        let permission = match by {
            By::Recipient => Permission::DirectiveHandle,
            By::Upper => Permission::DirectiveIssue,
        };
        let scope = caller.allowed(permission)?;
        let store = &self.base.store;
        let db = store.database().read();
        let directive = store.directive(db, &name.orderer, name.directive).await?;
        let recipient = store
            .recipient(db, name.directive, &name.organization)
            .await?;
        let (Some(directive), Some(recipient)) = (directive, recipient) else {
            let recipient = format!(
                "{}/recipients/{}",
                directive_name(&name.orderer, name.directive),
                name.organization
            );
            return Err(unknown(permission, scope, recipient));
        };
        match by {
            By::Recipient if scope.as_str() == recipient.org_path => Ok(()),
            By::Recipient => Err(denied(permission)),
            By::Upper if recipient.upper.is_empty() => {
                Ok(caller.require(permission, &place(&directive.org_path))?)
            }
            By::Upper => {
                let upper = store
                    .recipient(db, name.directive, &recipient.upper)
                    .await?;
                let upper = upper.ok_or(Error::Conflict)?;
                Ok(caller.require(permission, &place(&upper.org_path))?)
            }
        }
    }

    /// The recipients of a directive at and below the caller's place, by path.
    pub(crate) async fn recipients(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Recipient>, Error> {
        self.directive(caller, organization, id).await?;
        let scope = caller.allowed(Permission::DirectiveRead)?;
        Ok(self
            .base
            .store
            .recipients(id, scope.as_str(), after, limit)
            .await?)
    }

    /// What is owed at and below an organisation, the earliest deadline first.
    pub(crate) async fn owed(
        &self,
        organization: &Organization,
        overdue: bool,
        after: Option<OwedKey>,
        limit: u64,
    ) -> Result<(Vec<Owed>, DateTime<Utc>), Error> {
        let now = self.base.clock.now();
        let place = organization.path.as_str();
        let owed = self
            .base
            .store
            .owed(place, overdue.then_some(now), after, limit)
            .await?;
        Ok((owed, now))
    }

    /// The present instant, by which deadlines are judged.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }
}
