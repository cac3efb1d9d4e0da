//! Tells people what rules and deadlines ask to tell: what waits in the queues becomes messages, in the
//! transaction that takes it from there, so that it is told once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::drain::Drain;

use super::messages::{Messages, NewMessage, queue};
use super::{Base, Organization};
use crate::domain::fact::{Figures, Severity};
use crate::domain::message::{Category, Recipients, Urgency};
use crate::domain::notice;
use crate::domain::party::Party;
use crate::domain::telling::Told;
use crate::error::Error;
use crate::store::Store;
use crate::store::notices;

/// How many messages one transaction makes of each queue at most.
const TOGETHER: u64 = 100;
/// How long what is told is sent at most.
const LASTS: chrono::Duration = chrono::Duration::days(3);
/// The author of what a rule tells.
const AUTHOR: &str = "campus";
/// The template of what a rule tells in one sentence.
const SENTENCE: &str = "told";

/// Tells what is to be told.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    base: Base,
    messages: Messages,
    /// The channels besides the inbox.
    channels: Vec<String>,
    drain: Drain,
}

/// What is told to somebody.
struct Telling {
    party: Party,
    category: Category,
    urgency: Urgency,
    /// The template of the city's own for it, with its values.
    own: Option<(String, BTreeMap<String, String>)>,
    /// One sentence, Chinese and English.
    sentence: (String, String),
    basis: String,
}

impl Teller {
    /// Begins to tell, looking each `poll`, by the inbox and `channels`.
    pub(crate) fn start(
        base: Base,
        messages: Messages,
        channels: Vec<String>,
        poll: Duration,
        drain: Drain,
    ) {
        let teller = Self {
            base,
            messages,
            channels,
            drain,
        };
        tokio::spawn(teller.work(poll));
    }

    async fn work(self, poll: Duration) {
        loop {
            let more = match self.round().await {
                Ok(more) => more,
                Err(err) => {
                    tracing::warn!(error = %err, "cannot tell what is to be told, trying again");
                    false
                }
            };
            if self.drain.is_draining() || (!more && !self.drain.sleep(poll).await) {
                return;
            }
        }
    }

    /// Tells what is due; whether there may be more.
    async fn round(&self) -> Result<bool, Error> {
        let (store, now) = (&self.base.store, self.base.clock.now());
        if !store.is_telling_due(now).await? {
            return Ok(false);
        }
        let tx = store.database().begin().await?;
        let alerts = Store::take_told(&tx, now, TOGETHER).await?;
        let others = Store::take_notices(&tx, TOGETHER).await?;
        let more = alerts.len().max(others.len()) as u64 == TOGETHER;
        let tellings = alerts.into_iter().map(of_alert);
        for telling in tellings.chain(others.into_iter().map(of_notice)) {
            self.tell(&tx, telling, now).await?;
        }
        tx.commit().await?;
        self.messages.work.notify_one();
        Ok(more)
    }

    async fn tell(&self, tx: &Tx, telling: Telling, now: DateTime<Utc>) -> Result<(), Error> {
        let Telling {
            party,
            category,
            urgency,
            own,
            sentence: (what, what_en),
            basis,
        } = telling;
        let id = basis.split('/').nth(1).unwrap_or_default();
        let path = self.base.path(tx, id).await?;
        let message = NewMessage {
            sender: Organization {
                id: id.to_owned(),
                path: path.unwrap_or_default(),
            },
            category,
            urgency,
            template: SENTENCE.to_owned(),
            values: named([("what", what), ("what_en", what_en)]),
            recipients: Recipients {
                parties: vec![party],
                ..Recipients::default()
            },
            channels: self.channels.clone(),
            expires: now + LASTS,
            exercise: false,
            basis,
            author: AUTHOR.to_owned(),
        };
        if let Some((template, values)) = own {
            let message = NewMessage {
                template,
                values,
                ..message.clone()
            };
            match queue(tx, message, now).await {
                // A template that is gone or asks for more keeps nobody from being told.
                Err(Error::TemplateUnknown | Error::TemplateValues(_)) => {}
                told => return told.map(drop),
            }
        }
        queue(tx, message, now).await.map(drop)
    }
}

fn of_alert(told: Told) -> Telling {
    let urgency = match told.severity {
        Severity::Notice => Urgency::Ordinary,
        Severity::Warning => Urgency::Urgent,
        Severity::Critical => Urgency::Emergency,
    };
    let own = told.template.strip_prefix("templates/");
    let own = own.map(|template| (template.to_owned(), values(&told.figures)));
    Telling {
        party: told.party,
        category: Category::Alert,
        urgency,
        own,
        sentence: (told.title, told.title_en),
        basis: told.bases.into_iter().next().unwrap_or_default(),
    }
}

/// What a template of the city's own is filled with.
pub(super) fn values(figures: &Figures) -> BTreeMap<String, String> {
    let (word, _) = figures.word.words();
    named([
        ("people", figures.people.to_string()),
        ("amount", figures.amount.to_string()),
        ("total", figures.total.to_string()),
        ("word", if word.is_empty() { "—" } else { word }.to_owned()),
    ])
}

fn of_notice(told: notices::Message) -> Telling {
    use notice::Event;
    let sentence = told.event.sentences(told.bases.len());
    let category = match told.event {
        Event::ConcernAnswered | Event::ConcernUnsorted | Event::ConcernUnanswered => {
            Category::Concern
        }
        Event::CareDue | Event::CareOverdue => Category::Reminder,
    };
    let urgency = if told.event.is_urgent() {
        Urgency::Urgent
    } else {
        Urgency::Ordinary
    };
    Telling {
        party: told.party,
        category,
        urgency,
        own: None,
        sentence,
        basis: told.bases.into_iter().next().unwrap_or_default(),
    }
}

fn named<const N: usize>(values: [(&str, String); N]) -> BTreeMap<String, String> {
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
