//! The ledger of messages: listed, and dead letters sent again.

use std::collections::BTreeSet;

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use uuid::Uuid;

use super::messages::{Messages, is_shown, message_name};
use super::{denied, place, unknown};
use crate::domain::delivery::{Delivery, Key, State};
use crate::domain::message::Message;
use crate::error::Error;
use crate::store::Store;
use crate::store::ledger::{DeadKey, LedgerKey};

/// A dead letter as it is named: the organisation id of the sender, and which one.
pub(crate) type Named = (String, Key);

impl Messages {
    /// A message whose ledger the caller may read, with the place at and below which: all of it for the
    /// sender and those above, their own part for those below.
    pub(crate) async fn readable(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
    ) -> Result<(Message, Option<String>), Error> {
        let permission = Permission::MessageRead;
        let scope = caller.allowed(permission)?;
        let name = || message_name(organization, id);
        let db = self.base.store.database().read();
        let found = Store::message(db, id).await?;
        let found = found.filter(|message| is_shown(message, organization));
        let sender = match &found {
            Some(message) => Some(place(&message.org_path)),
            None => self.base.path(db, organization).await?,
        };
        let Some(sender) = sender else {
            return Err(unknown(permission, scope, name()));
        };
        if scope.contains(&sender) {
            caller.require(permission, &sender)?;
            let message = found.ok_or_else(|| Error::NotFound(name()))?;
            return Ok((message, None));
        }
        let found = found.filter(|_| sender.contains(scope));
        let message = found.ok_or_else(|| denied(permission))?;
        Ok((message, Some(scope.to_string())))
    }

    /// The deliveries of a message that the caller may read, by recipient and channel.
    pub(crate) async fn deliveries(
        &self,
        message: Uuid,
        within: Option<&str>,
        state: Option<State>,
        after: Option<LedgerKey>,
        limit: u64,
    ) -> Result<Vec<Delivery>, Error> {
        let store = &self.base.store;
        Ok(store
            .deliveries(message, within, state, after, limit)
            .await?)
    }

    /// The dead letters of messages that were sent within the caller's scope.
    pub(crate) async fn dead_letters(
        &self,
        caller: &Caller,
        channel: Option<&str>,
        after: Option<DeadKey>,
        limit: u64,
    ) -> Result<Vec<(String, Delivery)>, Error> {
        let scope = caller.allowed(Permission::ChannelManage)?;
        let store = &self.base.store;
        Ok(store
            .dead_letters(scope.as_str(), channel, after, limit)
            .await?)
    }

    /// Queues dead letters once more; says how many. What is no dead letter of a sender for whom the caller
    /// may do so is passed over.
    pub(crate) async fn resend<R: prost::Message + Default>(
        &self,
        caller: &Caller,
        letters: Vec<Named>,
        (request_id, request): (&str, &impl prost::Message),
        render: impl FnOnce(u64) -> R,
    ) -> Result<R, Error> {
        let permission = Permission::ChannelManage;
        caller.allowed(permission)?;
        let now = self.now();
        let tx = self.base.store.database().begin().await?;
        let method = "ResendDeadLetters";
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let ids = letters.iter().map(|(_, key)| key.message).collect();
        let senders = Store::senders(&tx, ids).await?;
        let within = letters.into_iter().filter(|(organization, key)| {
            let sender = senders.get(&key.message);
            sender.is_some_and(|(sender, path)| {
                sender == organization && caller.may(permission, &place(path))
            })
        });
        let keys: BTreeSet<Key> = within.map(|(_, key)| key).collect();
        let queued = Store::resend(&tx, keys, now).await?;
        let answer = render(queued);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
