//! What becomes of one message for one recipient by one channel.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::party::Party;

/// The channel that everybody has.
pub const INBOX: &str = "inbox";

/// The place of a delivery in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits to be sent, or to be sent again.
    Queued = 1,
    /// Taken by the provider, or in the inbox.
    Sent = 2,
    /// Arrived.
    Delivered = 3,
    /// Read.
    Read = 4,
    /// Failed for good: a dead letter.
    Failed = 5,
    /// Came to its end before it was sent.
    Expired = 6,
}

/// What happens to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It goes on waiting for an attempt.
    Retry,
    /// The provider took it.
    Send,
    /// The last attempt failed.
    Fail,
    /// It arrived.
    Deliver,
    /// It was read.
    Read,
    /// The message came to its end, or was stopped.
    Expire,
    /// Somebody sends a dead letter again.
    Resend,
    /// The provider that took it tells that it could not deliver it.
    Bounce,
}

/// The event does not start from this state, or has happened before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivery is {}", .0.as_str())]
pub struct Refused(pub State);

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Expired,
    ];

    /// From the number of contract and table.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i16 == number)
    }

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Sent => "SENT",
            Self::Delivered => "DELIVERED",
            Self::Read => "READ",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
        }
    }

    /// The state after an event. Attempts may overlap and receipts overtake each other, so the best
    /// that anybody has told counts: read, arrived, taken, failed, expired, in this order. The end is
    /// the same in whatever order and however often it is told. A provider tells of a failure only of what it
    /// took, and takes that back.
    ///
    /// # Errors
    /// [`Refused`] when nothing changes by the event.
    pub fn after(self, event: Event) -> Result<Self, Refused> {
        match (event, self) {
            (Event::Retry, Self::Queued) | (Event::Resend, Self::Failed) => Ok(Self::Queued),
            (Event::Expire, Self::Queued) => Ok(Self::Expired),
            (Event::Fail, Self::Queued | Self::Expired) | (Event::Bounce, Self::Sent) => {
                Ok(Self::Failed)
            }
            (Event::Send, Self::Queued | Self::Expired | Self::Failed) => Ok(Self::Sent),
            (Event::Deliver, Self::Queued | Self::Expired | Self::Failed | Self::Sent) => {
                Ok(Self::Delivered)
            }
            (
                Event::Read,
                Self::Queued | Self::Expired | Self::Failed | Self::Sent | Self::Delivered,
            ) => Ok(Self::Read),
            (Event::Retry, Self::Expired | Self::Failed)
            | (Event::Expire, Self::Expired | Self::Failed)
            | (Event::Fail, Self::Failed)
            | (Event::Resend, Self::Queued | Self::Expired)
            | (Event::Bounce, Self::Queued | Self::Expired | Self::Failed)
            | (_, Self::Sent | Self::Delivered | Self::Read) => Err(Refused(self)),
        }
    }
}

/// Why an attempt failed; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer in time.
    Timeout = 1,
    /// Nobody answers.
    Unreachable = 2,
    /// Too many at once, says the provider.
    Throttled = 3,
    /// The provider refuses the message or its credentials.
    Refused = 4,
    /// Nobody is at the address.
    NoRecipient = 5,
    /// An answer that makes no sense.
    BadAnswer = 6,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 6] = [
        Self::Timeout,
        Self::Unreachable,
        Self::Throttled,
        Self::Refused,
        Self::NoRecipient,
        Self::BadAnswer,
    ];

    /// From the number of contract and table.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|failure| *failure as i16 == number)
    }
}

/// Which delivery: there is one for each message, recipient and channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The message.
    pub message: Uuid,
    /// The recipient.
    pub recipient: Party,
    /// The id of the channel.
    pub channel: String,
}

impl Key {
    /// The last part of the resource name: `{channel}~{recipient}` with `~` for `/`. A provider gets it,
    /// with the message in front, as the key under which a repeat has no second effect.
    pub fn id(&self) -> String {
        format!(
            "{}~{}",
            self.channel,
            self.recipient.name().replace('/', "~")
        )
    }

    /// From a message and the last part of the resource name. None for any other text.
    pub fn parse(message: Uuid, id: &str) -> Option<Self> {
        let (channel, recipient) = id.split_once('~')?;
        let key = Self {
            message,
            recipient: Party::parse(&recipient.replace('~', "/"))?,
            channel: channel.to_owned(),
        };
        (is_channel(channel) && key.id() == id).then_some(key)
    }
}

/// Whether a text can be the id of a channel: 1 to 32 of `a-z`, `0-9` and `-`.
pub fn is_channel(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(good)
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which one.
    pub key: Key,
    /// Where it is in its life cycle.
    pub state: State,
    /// How many attempts were made.
    pub attempts: i16,
    /// Why the last one failed.
    pub failure: Option<Failure>,
    /// When the next one is made; none when none is.
    pub next_attempt: Option<DateTime<Utc>>,
    /// When the provider took it.
    pub sent: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered: Option<DateTime<Utc>>,
    /// When it was read.
    pub read: Option<DateTime<Utc>>,
}

/// What became of a delivery that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
    /// It could not be delivered, and why.
    Failed(Failure),
}

/// What somebody tells of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which one.
    pub key: Key,
    /// The organisation id of the sender, as the name of the delivery has it.
    pub sender: String,
    /// What became of it.
    pub fate: Fate,
    /// When.
    pub time: DateTime<Utc>,
}

impl Receipt {
    /// What it does to the delivery.
    pub fn event(&self) -> Event {
        match self.fate {
            Fate::Delivered => Event::Deliver,
            Fate::Read => Event::Read,
            Fate::Failed(_) => Event::Bounce,
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The provider took it.
    Sent,
    /// None was made: it is not the hour for it.
    Wait {
        /// Until when, in milliseconds since 1970.
        until: i64,
    },
    /// It failed and is made again.
    Retry {
        /// When, in milliseconds since 1970.
        at: i64,
        /// Why it failed.
        failure: Failure,
    },
    /// It failed and was the last one.
    Dead(Failure),
    /// None is made: the recipient wants it by no other way than the inbox.
    Withdrawn,
}

impl Attempt {
    /// What it does to the delivery.
    pub fn event(self) -> Event {
        match self {
            Self::Sent => Event::Send,
            Self::Wait { .. } | Self::Retry { .. } => Event::Retry,
            Self::Dead(_) => Event::Fail,
            Self::Withdrawn => Event::Expire,
        }
    }

    /// Whether the provider was asked.
    pub fn was_made(self) -> bool {
        match self {
            Self::Sent | Self::Retry { .. } | Self::Dead(_) => true,
            Self::Wait { .. } | Self::Withdrawn => false,
        }
    }

    /// Why it failed; none when it did not.
    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::Sent | Self::Wait { .. } | Self::Withdrawn => None,
            Self::Retry { failure, .. } | Self::Dead(failure) => Some(failure),
        }
    }
}

/// How many deliveries are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Wait to be sent.
    pub queued: i64,
    /// Taken by the provider, or in the inbox.
    pub sent: i64,
    /// Arrived.
    pub delivered: i64,
    /// Read.
    pub read: i64,
    /// Failed for good.
    pub failed: i64,
    /// Came to their end before they were sent.
    pub expired: i64,
}

impl Counts {
    /// Counts `amount` more deliveries in a state; fewer when it is negative.
    pub fn add(&mut self, state: State, amount: i64) {
        let count = match state {
            State::Queued => &mut self.queued,
            State::Sent => &mut self.sent,
            State::Delivered => &mut self.delivered,
            State::Read => &mut self.read,
            State::Failed => &mut self.failed,
            State::Expired => &mut self.expired,
        };
        *count += amount;
    }

    /// One delivery moves from a state to another.
    pub fn moved(&mut self, from: State, to: State) {
        self.add(from, -1);
        self.add(to, 1);
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
