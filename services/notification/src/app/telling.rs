//! Tells people what rules and deadlines ask to tell: what waits in the queues becomes messages, in the
//! transaction that takes it from there, so that it is told once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::SecondsFormat;
use kit::drain::Drain;

use super::Base;
use super::messages::Messages;
use super::told::write;
use crate::domain::fact::{Figures, Severity};
use crate::domain::message::{Category, Urgency};
use crate::domain::notice;
use crate::domain::party::Party;
use crate::domain::telling::Told;
use crate::error::Error;
use crate::store::Store;
use crate::store::notices;

/// How many messages one transaction makes of each queue at most.
const TOGETHER: u64 = 100;
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
#[derive(Clone, Debug)]
pub(super) struct Telling {
    pub(super) party: Party,
    pub(super) category: Category,
    pub(super) urgency: Urgency,
    /// The template that has words of its own for it, with its values.
    pub(super) own: Option<(String, BTreeMap<String, String>)>,
    /// One sentence, Chinese and English.
    pub(super) sentence: (String, String),
    /// The resource name of what it tells of; its second part is the organisation that sends.
    pub(super) basis: String,
    /// Nobody but the recipient learns that it was told.
    pub(super) confidential: bool,
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
        let tellings = tellings.chain(others.into_iter().map(of_notice)).collect();
        write(&tx, tellings, &self.channels, now).await?;
        tx.commit().await?;
        self.messages.work.notify_one();
        Ok(more)
    }
}

/// The template of what is told of an alert whose rule names none.
const ALERT: &str = "alert";

fn of_alert(told: Told) -> Telling {
    let urgency = match told.severity {
        Severity::Notice => Urgency::Ordinary,
        Severity::Warning => Urgency::Urgent,
        Severity::Critical => Urgency::Emergency,
    };
    let own = match told.template.strip_prefix("templates/") {
        Some(template) => (template.to_owned(), values(&told.figures)),
        None => (ALERT.to_owned(), sentence(&told)),
    };
    Telling {
        party: told.party,
        category: Category::Alert,
        urgency,
        own: Some(own),
        sentence: (told.title, told.title_en),
        basis: told.bases.into_iter().next().unwrap_or_default(),
        confidential: false,
    }
}

/// What the template of alerts is filled with.
fn sentence(told: &Told) -> BTreeMap<String, String> {
    let first = told.bases.first().map_or("", |basis| &**basis);
    let organization = first.split('/').nth(1).unwrap_or_default();
    named([
        ("what", told.title.clone()),
        ("what_en", told.title_en.clone()),
        ("organization", format!("organizations/{organization}")),
        ("due", told.due.to_rfc3339_opts(SecondsFormat::Secs, true)),
    ])
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
        Event::ConcernAnswered
        | Event::ConcernUnsorted
        | Event::ConcernUnanswered
        | Event::ConcernReceived
        | Event::ConcernReopened
        | Event::ConcernAssigned
        | Event::ConcernLeftUnsorted
        | Event::ConcernLeftUnanswered => Category::Concern,
        Event::CareDue
        | Event::CareOverdue
        | Event::ContactDue
        | Event::ContactOverdue
        | Event::ContactNeglected
        | Event::CareLeft
        | Event::ContactLeft => Category::Reminder,
    };
    let urgency = if told.event.is_urgent() {
        Urgency::Urgent
    } else {
        Urgency::Ordinary
    };
    let own = told.event.template().map(|template| {
        let mut values = told.details;
        if category == Category::Reminder {
            values.insert("tasks".to_owned(), told.bases.len().to_string());
        }
        (template.to_owned(), values)
    });
    Telling {
        party: told.party,
        category,
        urgency,
        own,
        sentence,
        basis: told.bases.into_iter().next().unwrap_or_default(),
        // Nobody else learns who speaks up, of whom, and how many cases and tasks there are.
        confidential: true,
    }
}

pub(super) fn named<const N: usize>(values: [(&str, String); N]) -> BTreeMap<String, String> {
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
