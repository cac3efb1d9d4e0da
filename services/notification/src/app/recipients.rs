//! What recipients do with directives.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::directives::{Directives, directive_name};
use super::items::Carried;
use super::{Organization, denied, place, unknown};
use crate::domain::chain::parts;
use crate::domain::directive::{self, Directive, State};
use crate::domain::item::{self, ItemReport};
use crate::domain::policy::{self, Policy};
use crate::domain::recipient::{Recipient, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::recipients::OwedKey;

/// Which recipient: who ordered, the directive, and who received it.
#[derive(Clone, Debug)]
pub(crate) struct RecipientName {
    pub(crate) orderer: String,
    pub(crate) directive: Uuid,
    /// The recipient id.
    pub(crate) recipient: String,
}

/// What is asked for; what else a verb needs to know is read in the transaction.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// By the recipient itself.
    Handle(Verb),
    /// The recipient signs for it.
    Acknowledge,
    /// The recipient reports that the work is finished.
    Finish(String),
    /// The recipient reports how far the work on one demand is: its id, the report, the percentage.
    ReportItem(String, String, i32),
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
        render: impl FnOnce(Carried, DateTime<Utc>) -> R,
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
        let found = store.recipient(&tx, id, &name.recipient).await?;
        let recipient = found.ok_or(Error::Conflict)?;
        let (verb, report) = self.verb(&tx, &directive, &recipient, act, now).await?;
        let relays = matches!(verb, Verb::Relay(..));
        let moved = recipient.clone().apply(verb, now)?;
        let saved = Store::save_recipient(&tx, orderer, (&recipient, moved)).await?;
        let recipient = saved.ok_or(Error::Conflict)?;
        if let Some(report) = report {
            Store::save_item_report(&tx, (id, recipient.id.clone()), &report).await?;
        }
        if relays {
            let policy = self.policy(&tx, &recipient.org_path, now).await?;
            let acknowledge = policy.acknowledge.of(directive.urgency);
            Store::reach(&tx, id, &recipient.id, now, acknowledge).await?;
            let reached = Store::reached_by(&tx, id, &recipient.id).await?;
            self.tell_arrival(&tx, &directive, reached, now).await?;
        }
        let found = vec![(recipient, orderer.clone())];
        let mut carried = self.base.carried(&tx, found, now).await?;
        let answer = render(carried.pop().ok_or(Error::Conflict)?, now);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The verb that an act comes to, and what is then said of a demand.
    async fn verb(
        &self,
        tx: &Tx,
        directive: &Directive,
        recipient: &Recipient,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<(Verb, Option<ItemReport>), Error> {
        let items = &directive.content.items;
        let key = (directive.id, recipient.id.clone());
        Ok(match act {
            Act::Handle(verb) => (verb, None),
            Act::Acknowledge if recipient.below > 0 => {
                let policy = self.policy(tx, &recipient.org_path, now).await?;
                let relay = policy.relay.of(directive.urgency);
                (Verb::Acknowledge(Some(relay)), None)
            }
            Act::Acknowledge => (Verb::Acknowledge(None), None),
            Act::Return(reason) => (Verb::Return(reason), None),
            Act::Accept => {
                let percent = self
                    .policy(tx, &recipient.org_path, now)
                    .await?
                    .done_percent;
                let below = Store::below(tx, directive.id, &recipient.id, percent).await?;
                (Verb::Accept(below), None)
            }
            Act::Finish(report) => {
                let mut reports = Store::item_reports(tx, std::slice::from_ref(&key)).await?;
                let reports = reports.remove(&key).unwrap_or_default();
                let unfinished = item::first_unfinished(items, &reports);
                let unfinished = unfinished.map(|item| item.id.clone());
                let policy = self.policy(tx, &recipient.org_path, now).await?;
                let judge = policy.judge.of(directive.urgency);
                (Verb::Finish(report, unfinished, judge), None)
            }
            Act::ReportItem(id, report, progress) => {
                if !items.iter().any(|item| item.id == id) {
                    return Err(Error::ItemUnknown(id));
                }
                let mut reports = Store::item_reports(tx, std::slice::from_ref(&key)).await?;
                let mut reports = reports.remove(&key).unwrap_or_default();
                let before = reports.iter().position(|report| report.item == id);
                let before = before.map(|index| reports.swap_remove(index));
                let said = ItemReport {
                    item: id,
                    progress,
                    report,
                    finished: None,
                };
                let report = said.after(before.as_ref(), now);
                reports.push(report.clone());
                let next_due = item::next_due(items, &reports);
                (Verb::ReportItem(next_due), Some(report))
            }
        })
    }

    /// The policy in force at a place.
    pub(super) async fn policy(
        &self,
        db: &impl ConnectionTrait,
        place: &str,
        now: DateTime<Utc>,
    ) -> Result<Policy, Error> {
        let policies = Store::policies(db).await?;
        Ok(policy::in_force(&policies, place, civil_date(now)))
    }

    /// Only the organisation or class group itself signs, relays and reports; only the one above judges.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        name: &RecipientName,
        by: By,
    ) -> Result<(), Error> {
        // A school judges what its class groups report; it issues nothing itself.
        let of_class_group = !parts(&name.recipient).1.is_empty();
        let permission = match by {
            By::Recipient => Permission::DirectiveHandle,
            By::Upper if of_class_group => Permission::DirectiveHandle,
            By::Upper => Permission::DirectiveIssue,
        };
        let scope = caller.allowed(permission)?;
        let store = &self.base.store;
        let db = store.database().read();
        let directive = store.directive(db, &name.orderer, name.directive).await?;
        let recipient = store.recipient(db, name.directive, &name.recipient).await?;
        let (Some(directive), Some(recipient)) = (directive, recipient) else {
            let recipient = format!(
                "{}/recipients/{}",
                directive_name(&name.orderer, name.directive),
                name.recipient
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
    ) -> Result<(Vec<Carried>, DateTime<Utc>), Error> {
        self.directive(caller, organization, id).await?;
        let scope = caller.allowed(Permission::DirectiveRead)?;
        let (store, now) = (&self.base.store, self.base.clock.now());
        let found = store.recipients(id, scope.as_str(), after, limit).await?;
        let found = found.into_iter().map(|one| (one, organization.to_owned()));
        let db = store.database().read();
        let carried = self.base.carried(db, found.collect(), now).await?;
        Ok((carried, now))
    }

    /// What is owed at and below an organisation, the earliest deadline first.
    pub(crate) async fn owed(
        &self,
        organization: &Organization,
        overdue: bool,
        after: Option<OwedKey>,
        limit: u64,
    ) -> Result<(Vec<Carried>, DateTime<Utc>), Error> {
        let (store, now) = (&self.base.store, self.base.clock.now());
        let place = organization.path.as_str();
        let overdue = overdue.then(|| (now, civil_date(now)));
        let owed = store.owed(place, overdue, after, limit).await?;
        let db = store.database().read();
        Ok((self.base.carried(db, owed, now).await?, now))
    }
}
