//! The providers behind the channels: each takes one message and says what became of it.
//!
//! A provider knows neither the database nor the clock. It keeps to the time-out of its channel, reads
//! no more of an answer than it needs, follows no redirect, and never tells an address, a secret or a
//! text in an error or a log.

mod cap;
mod described;
mod email;
mod http;
mod public;
mod tls;
mod webhook;

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use crate::config::ChannelConfig;
use crate::domain::attempt::Failed;
use crate::domain::channel::Kind;
use crate::domain::message::{Category, Urgency};

/// What goes out.
#[derive(Clone)]
pub struct Outgoing {
    /// The key under which a repeat has no second effect: at most 200 visible ASCII characters.
    pub id: String,
    /// Where to; empty for a channel without addresses.
    pub address: Zeroizing<String>,
    /// The heading.
    pub title: String,
    /// The text.
    pub body: String,
    /// What it is about.
    pub category: Category,
    /// How much it presses.
    pub urgency: Urgency,
    /// It is an exercise; title and text say so.
    pub exercise: bool,
    /// The CAP 1.2 document, for a channel that carries documents.
    pub document: Option<Vec<u8>>,
    /// The present instant, as signatures tell it.
    pub at: DateTime<Utc>,
}

impl Debug for Outgoing {
    /// Neither address nor text: they are personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .field("urgency", &self.urgency)
            .field("exercise", &self.exercise)
            .finish_non_exhaustive()
    }
}

/// The provider has taken a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted;

/// Takes messages to people.
#[async_trait::async_trait]
pub trait Provider: Send + Sync + Debug {
    /// Hands one message over. It ends within the time-out of the channel.
    ///
    /// # Errors
    /// Why it was not taken, and what follows from that. After a time-out or an answer that makes no
    /// sense it may have been taken all the same: [`Outgoing::id`] keeps a repeat from a second effect
    /// where the provider looks at it.
    async fn send(&self, outgoing: &Outgoing) -> Result<Accepted, Failed>;
}

/// The provider of a channel.
///
/// # Errors
/// What cannot be used in its settings; the text begins with the key.
pub fn provider(config: &ChannelConfig) -> Result<Arc<dyn Provider>, String> {
    Ok(match config.kind {
        Kind::Webhook => Arc::new(webhook::Webhook::new(config)?),
        Kind::Email => Arc::new(email::Email::new(config)?),
        Kind::Sms | Kind::WecomRobot | Kind::DingtalkRobot => {
            Arc::new(described::Described::new(config)?)
        }
        Kind::Cap => Arc::new(cap::Cap::new(config)?),
        Kind::Inbox => return Err("kind: the inbox has no provider".to_owned()),
    })
}

/// The base of an HTTP channel.
fn base(config: &ChannelConfig) -> Result<url::Url, String> {
    let url = config.url.as_deref().ok_or("url: required for this kind")?;
    url::Url::parse(url).map_err(|_| "url: not an address".to_owned())
}
