//! Takes what is due and decides what leaves now: one transaction that holds the channel, so that
//! replicas share its budget and nobody sends the same.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use zeroize::Zeroizing;

use super::super::contacts::address_of;
use super::Sending;
use super::gathering::Gathered;
use super::parcel::{Parcel, spread};
use crate::config::{ChannelConfig, ROUNDS};
use crate::domain::attempt::Admission;
use crate::domain::channel::carries;
use crate::domain::delivery::{Attempt, Failure};
use crate::domain::message::Message;
use crate::domain::pace::Pace;
use crate::domain::party::Party;
use crate::domain::preferences::{Departure, Preferences, Waiting};
use crate::domain::text::Text;
use crate::error::Error;
use crate::store::Store;
use crate::store::channels::ChannelRow;
use crate::store::contacts::ContactRow;
use crate::store::deliveries::{Due, Hold, Outcome};

/// What was taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) parcels: Vec<Parcel>,
    /// There may be more that is due.
    pub(super) more: bool,
}

/// What leaves now, and what becomes of the rest.
pub(super) type Decided = (Vec<Parcel>, Vec<Outcome>);

/// What is known of those who are to be reached.
struct People {
    contacts: HashMap<Party, ContactRow>,
    preferences: HashMap<Party, Preferences>,
}

impl People {
    /// What somebody prefers.
    fn of(&self, party: &Party) -> Preferences {
        self.preferences.get(party).cloned().unwrap_or_default()
    }
}

/// How something leaves now.
enum Leaves {
    /// By itself.
    Alone,
    /// In one text with what else waited for this instant.
    With(DateTime<Utc>),
}

impl Sending {
    pub(super) async fn take(&self, channel: &ChannelConfig) -> Result<Taken, Error> {
        let now = self.base.clock.now();
        let millis = now.timestamp_millis();
        if !self.base.store.is_any_due(&channel.id, millis).await? {
            return Ok(Taken::default());
        }
        let tx = self.base.store.database().begin().await?;
        let Some(mut row) = Store::channel_to_use(&tx, &channel.id).await? else {
            return Ok(Taken::default());
        };
        let limit = limit(channel, &mut row, now);
        if limit == 0 {
            return Ok(Taken::default());
        }
        let documents = channel.kind.carries_documents();
        let hold = self.hold(now);
        let due = match documents {
            true => Store::claim_documents(&tx, &channel.id, hold, limit).await?,
            false => Store::claim(&tx, &channel.id, hold, limit).await?,
        };
        if due.is_empty() {
            return Ok(Taken::default());
        }
        let full = due.len() >= limit as usize;
        let (parcels, outcomes) = match documents {
            true => Self::documents(&tx, channel, due, now).await?,
            false => self.decide(&tx, channel, due, now).await?,
        };
        Store::settle(&tx, outcomes, millis).await?;
        if let Some(pace) = Pace::new(channel.budget_per_minute) {
            let count = u32::try_from(parcels.len()).unwrap_or(u32::MAX);
            row.spent_until = pace.charge(row.spent_until, millis, count);
        }
        Store::save_channel(&tx, row).await?;
        tx.commit().await?;
        Ok(Taken {
            parcels,
            more: full,
        })
    }

    fn hold(&self, now: DateTime<Utc>) -> Hold {
        let until = now + self.visibility;
        Hold {
            now: now.timestamp_millis(),
            until: until.timestamp_millis(),
        }
    }

    /// What leaves now, and what becomes of the rest.
    async fn decide(
        &self,
        tx: &Tx,
        channel: &ChannelConfig,
        due: Vec<Due>,
        now: DateTime<Utc>,
    ) -> Result<Decided, Error> {
        let parties: Vec<Party> = due.iter().map(|due| due.key.recipient.clone()).collect();
        let mut people = People {
            contacts: Store::contact_points_of(tx, &channel.id, &parties).await?,
            preferences: Store::preferences_of(tx, &parties).await?,
        };
        let (mut leaving, mut outcomes) = (Vec::new(), Vec::new());
        let (mut gathered, mut before) = (Gathered::new(), BTreeSet::new());
        for due in due {
            if let Some(parcel) = due.parcel {
                before.insert(parcel);
                continue;
            }
            let recipient = &due.key.recipient;
            let departure =
                people
                    .of(recipient)
                    .departure(waiting(&due.message), now, spread(recipient));
            let refused = refused(channel, &due, people.contacts.get(recipient));
            match leaves(&due, refused, departure) {
                Ok(Leaves::Alone) => leaving.push(vec![due]),
                Ok(Leaves::With(at)) => {
                    let together = gathered.entry(recipient.clone());
                    together.or_insert_with(|| (at, Vec::new())).1.push(due);
                }
                Err(attempt) => outcomes.push(Outcome {
                    key: due.key,
                    attempt,
                }),
            }
        }
        let again = Self::gathered_again(tx, channel, before, self.hold(now)).await?;
        for (_, due) in again {
            let mut together = Vec::with_capacity(due.len());
            for due in due {
                let recipient = &due.key.recipient;
                let departure = people.of(recipient).departure_again(
                    waiting(&due.message),
                    now,
                    spread(recipient),
                );
                let refused = refused(channel, &due, people.contacts.get(recipient));
                match leaves(&due, refused, departure) {
                    Ok(_) => together.push(due),
                    Err(attempt) => outcomes.push(Outcome {
                        key: due.key,
                        attempt,
                    }),
                }
            }
            leaving.push(together);
        }
        leaving.extend(Self::gather(tx, channel, gathered, self.hold(now)).await?);
        let mut parcels = Vec::new();
        for together in leaving {
            let (parcel, held) = self.pack(tx, channel, &mut people, together, now).await?;
            parcels.extend(parcel);
            outcomes.extend(held);
        }
        Ok((parcels, outcomes))
    }

    /// Packs what leaves together for one recipient, unless the address has had enough for now. What
    /// cannot be put into words, or has an address that cannot be opened, is a dead letter: it holds up
    /// nothing else.
    async fn pack(
        &self,
        tx: &Tx,
        channel: &ChannelConfig,
        people: &mut People,
        together: Vec<Due>,
        now: DateTime<Utc>,
    ) -> Result<(Option<Parcel>, Vec<Outcome>), Error> {
        let all = |together: Vec<Due>, attempt: Attempt| {
            let keys = together.into_iter().map(|due| due.key);
            (None, keys.map(|key| Outcome { key, attempt }).collect())
        };
        let Some(recipient) = together.first().map(|due| due.key.recipient.clone()) else {
            return Ok((None, Vec::new()));
        };
        let mut contact = people.contacts.get_mut(&recipient);
        let mut address = Zeroizing::default();
        if let Some(contact) = &mut contact {
            let millis = now.timestamp_millis();
            if let Some(pace) = Pace::new(channel.address_budget_per_minute) {
                let next = pace.next(contact.spent_until, millis);
                if next > millis {
                    return Ok(all(together, Attempt::Wait { until: next }));
                }
                contact.spent_until = pace.charge(contact.spent_until, millis, 1);
                Store::charge_contact_point(tx, contact).await?;
            }
            address = match address_of(&self.seal, contact) {
                Ok(address) => address,
                Err(err) => {
                    tracing::error!(channel = channel.id, error = %err, "an address is lost");
                    return Ok(all(together, Attempt::Dead(Failure::NoRecipient)));
                }
            };
        }
        let contact = contact.cloned();
        let preferences = people.of(&recipient);
        let (mut packed, mut wordless): (Vec<(Due, Text)>, _) = (Vec::new(), Vec::new());
        for due in together {
            match self.wording.text(&due.message, &preferences).await {
                Ok(text) => packed.push((due, text)),
                Err(Error::Database(err)) => return Err(err.into()),
                Err(err) => {
                    let message = due.key.message;
                    tracing::error!(%message, error = %err, "a message cannot be put into words");
                    let attempt = Attempt::Dead(Failure::Refused);
                    wordless.push(Outcome {
                        key: due.key,
                        attempt,
                    });
                }
            }
        }
        let parcel = Parcel::pack(packed, &preferences, contact, address, now);
        Ok((parcel, wordless))
    }
}

/// How many deliveries a channel may take now. A probe keeps other replicas from probing.
fn limit(channel: &ChannelConfig, row: &mut ChannelRow, now: DateTime<Utc>) -> u32 {
    if row.paused {
        return 0;
    }
    let most = u32::try_from(channel.concurrency).unwrap_or(u32::MAX);
    let most = most.saturating_mul(ROUNDS);
    let most = match row.breaker().admits(channel.breaker(), now) {
        Admission::Open => most,
        Admission::Probe => {
            let wait = chrono::Duration::from_std(channel.timeout).unwrap_or_default();
            row.rest_until = (now + wait).timestamp_millis();
            1
        }
        Admission::Rests => 0,
    };
    match Pace::new(channel.budget_per_minute) {
        Some(pace) => most.min(pace.available(row.spent_until, now.timestamp_millis())),
        None => most,
    }
}

/// Why a delivery can never leave by this channel.
fn refused(channel: &ChannelConfig, due: &Due, contact: Option<&ContactRow>) -> Option<Failure> {
    if !carries(channel.kind, channel.exercise, due.message.exercise) {
        return Some(Failure::Refused);
    }
    let reachable = contact.is_some_and(|contact| !contact.unreachable);
    (channel.kind.is_addressed() && !reachable).then_some(Failure::NoRecipient)
}

/// How a delivery leaves now, or what becomes of it when it does not.
fn leaves(due: &Due, refused: Option<Failure>, departure: Departure) -> Result<Leaves, Attempt> {
    match (refused, departure) {
        (Some(failure), _) => Err(Attempt::Dead(failure)),
        (None, Departure::Now) => Ok(Leaves::Alone),
        (None, Departure::Gathered(at)) => Ok(Leaves::With(at)),
        (None, Departure::At(at)) => Err(Attempt::Wait {
            until: at.timestamp_millis(),
        }),
        (None, Departure::InboxOnly) => Err(Attempt::Withdrawn),
        // It is ended with all others of its message.
        (None, Departure::Never) => Err(Attempt::Wait {
            until: due.message.expires.timestamp_millis(),
        }),
    }
}

fn waiting(message: &Message) -> Waiting {
    Waiting {
        category: message.category,
        urgency: message.urgency,
        created: message.created,
        expires: message.expires,
    }
}
