//! Messages: sent, stopped, looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::drain::Drain;
use kit::request::{Once, once};
use sea_orm::ConnectionTrait;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::channels::Channels;
use super::figures::Inboxes;
use super::new_id;
use super::receipts::{self, Receipts};
use super::templates::fill;
use super::words::Wording;
use super::{Base, Organization};
use crate::config::DeliveryConfig;
use crate::domain::message::{Category, Message, Progress, Recipients, State, Urgency};
use crate::domain::place::contains;
use crate::error::Error;
use crate::store::Store;
use crate::store::messages::Figures;

/// The use cases of messages and their ledger.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    pub(super) base: Base,
    channels: Channels,
    /// Wakes whoever expands messages.
    pub(crate) work: Arc<Notify>,
    /// The latest revision of inboxes.
    pub(super) news: watch::Sender<i64>,
    pub(super) receipts: Receipts,
    pub(super) inboxes: Inboxes,
    pub(super) wording: Wording,
    pub(super) heartbeat: Duration,
    pub(super) drain: Drain,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewMessage {
    /// Who sends; recipients are at or below it.
    pub(crate) sender: Organization,
    pub(crate) category: Category,
    pub(crate) urgency: Urgency,
    /// The id of the template.
    pub(crate) template: String,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) recipients: Recipients,
    /// The ids of channels besides the inbox.
    pub(crate) channels: Vec<String>,
    /// Nothing is sent from then on.
    pub(crate) expires: DateTime<Utc>,
    pub(crate) exercise: bool,
    /// What it tells of; empty when a person wrote it.
    pub(crate) basis: String,
    /// The subject of a token; `campus` when a rule sends it.
    pub(crate) author: String,
}

/// Stores a message in the transaction of what it tells of, by the latest version of its template. It
/// is expanded after the commit.
///
/// # Errors
/// When there is no such template, its values are others, or the database fails.
pub(crate) async fn queue(
    tx: &Tx,
    message: NewMessage,
    now: DateTime<Utc>,
) -> Result<Message, Error> {
    let NewMessage {
        sender,
        category,
        urgency,
        template,
        values,
        recipients,
        channels,
        expires,
        exercise,
        basis,
        author,
    } = message;
    let found = Store::template(tx, &template, None).await?;
    let found = found.ok_or(Error::TemplateUnknown)?;
    fill(tx, &found.template, &values).await?;
    let version = found.version;
    let message = Message {
        organization: sender.id,
        id: new_id(now),
        org_path: sender.path.to_string(),
        state: State::Expanding,
        category,
        urgency,
        template,
        template_version: version,
        values,
        recipients,
        channels,
        exercise,
        author,
        basis,
        confidential: false,
        created: now,
        expires,
        expanded: None,
        progress: Progress::BEGIN,
    };
    Store::insert_message(tx, message.clone()).await?;
    Ok(message)
}

impl Messages {
    /// Begins to expand messages, to end those that are over, and to look for news.
    pub(crate) fn start(
        base: Base,
        channels: Channels,
        wording: Wording,
        config: &DeliveryConfig,
        drain: Drain,
    ) -> Self {
        let messages = Self {
            channels,
            wording,
            receipts: receipts::spawn(base.store.clone(), drain.clone()),
            inboxes: Inboxes::of(&base),
            base,
            work: Arc::default(),
            news: watch::Sender::new(0),
            heartbeat: config.heartbeat,
            drain,
        };
        tokio::spawn(messages.clone().work(config.poll, config.chunk));
        messages
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

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.base.clock.now()
    }

    /// An organisation for which the caller may send messages; an emergency needs the right to issue
    /// directives as well.
    pub(crate) async fn sender(
        &self,
        caller: &Caller,
        id: &str,
        emergency: bool,
    ) -> Result<Organization, Error> {
        let permission = Permission::MessageSend;
        let sender = self.base.organization(caller, permission, id).await?;
        if emergency {
            caller.require(Permission::DirectiveIssue, &sender.path)?;
        }
        Ok(sender)
    }

    /// Stores a message of a sender for which the caller may send it.
    pub(crate) async fn send<R: prost::Message + Default>(
        &self,
        caller: &Caller,
        message: NewMessage,
        (request_id, request): (&str, &impl prost::Message),
        render: impl FnOnce(Message, Figures) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "SendMessage", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        self.channels.check(&message.channels, message.exercise)?;
        within_reach(&tx, message.sender.path.as_str(), &message.recipients).await?;
        let message = queue(&tx, message, now).await?;
        let answer = render(message, Figures::default());
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        self.work.notify_one();
        Ok(answer)
    }

    /// One message of a sender whose messages the caller may do `permission` to.
    pub(crate) async fn message(
        &self,
        caller: &Caller,
        permission: Permission,
        (organization, id): (&str, Uuid),
    ) -> Result<(Message, Figures), Error> {
        self.base
            .organization(caller, permission, organization)
            .await?;
        let db = self.base.store.database().read();
        let found = Store::message(db, id).await?;
        let message = found.filter(|message| is_shown(message, organization));
        let message = message.ok_or_else(|| Error::NotFound(message_name(organization, id)))?;
        let figures = Store::figures(db, &[id]).await?.remove(&id);
        Ok((message, figures.unwrap_or_default()))
    }

    /// The messages that an organisation sent, newest first, without confidential ones.
    pub(crate) async fn messages(
        &self,
        sender: &Organization,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Message, Figures)>, Error> {
        let db = self.base.store.database().read();
        let found = Store::messages_of(db, &sender.id, before, limit).await?;
        let ids: Vec<Uuid> = found.iter().map(|message| message.id).collect();
        let figures = Store::figures(db, &ids).await?;
        let listed = found.into_iter().map(|message| {
            let figures = figures.get(&message.id).copied().unwrap_or_default();
            (message, figures)
        });
        Ok(listed.collect())
    }

    /// Stops a message: what is queued expires soon after, and nothing of it is sent from now on.
    pub(crate) async fn cancel<R: prost::Message + Default>(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        (request_id, request): (&str, &impl prost::Message),
        render: impl FnOnce(Message, Figures) -> R,
    ) -> Result<R, Error> {
        self.base
            .organization(caller, Permission::MessageSend, organization)
            .await?;
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "CancelMessage", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let found = Store::message_to_change(&tx, id).await?;
        let message = found.filter(|message| is_shown(message, organization));
        let message = message.ok_or_else(|| Error::NotFound(message_name(organization, id)))?;
        let message = message.cancel()?;
        Store::save_stopped(&tx, &message, now).await?;
        let figures = Store::figures(&tx, &[id]).await?.remove(&id);
        let answer = render(message, figures.unwrap_or_default());
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        self.work.notify_one();
        Ok(answer)
    }
}

/// Checks that everybody whom a message names is at or below the sender's place.
async fn within_reach(
    db: &impl ConnectionTrait,
    sender: &str,
    recipients: &Recipients,
) -> Result<(), Error> {
    let beyond = |field: &str, index: usize| Error::Beyond(format!("{field}[{index}]"));
    let is_within = |place: Option<&String>| place.is_some_and(|place| contains(sender, place));
    if let Some(audience) = &recipients.audience {
        let named: Vec<String> = audience.named().cloned().collect();
        let places = Store::places_of(db, &named).await?;
        for (field, ids) in [
            ("organizations", &audience.organizations),
            ("listed", &audience.listed),
        ] {
            let field = format!("message.recipients.audience.{field}");
            if let Some(index) = ids.iter().position(|id| !is_within(places.get(id))) {
                return Err(beyond(&field, index));
            }
        }
    }
    let places = Store::class_group_places(db, &recipients.class_groups).await?;
    let mut groups = recipients.class_groups.iter();
    if let Some(index) = groups.position(|name| !is_within(places.get(name))) {
        return Err(beyond("message.recipients.class_groups", index));
    }
    let places = Store::party_places(db, &recipients.parties).await?;
    let mut parties = recipients.parties.iter();
    if let Some(index) = parties.position(|party| !is_within(places.get(party))) {
        return Err(beyond("message.recipients.parties", index));
    }
    Ok(())
}

/// Whether a message is shown to others than its recipients as one of an organisation: one that is not is
/// answered like one that does not exist.
pub(super) fn is_shown(message: &Message, organization: &str) -> bool {
    message.organization == organization && !message.confidential
}

/// The resource name of a message.
pub(crate) fn message_name(organization: &str, id: Uuid) -> String {
    format!("organizations/{organization}/messages/{}", id.hyphenated())
}
