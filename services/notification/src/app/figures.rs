//! What operators are told of messages: how long the oldest has waited that was not delivered, and how late
//! inboxes were filled; and of what nobody has done in time.

use std::borrow::Cow;

use chrono::DateTime;
use kit::drain::Drain;
use kit::telemetry::figures::{self, Figure, Name, Spans};

use super::Base;
use super::channels::Channels;
use crate::domain::message::{Message, Urgency};
use crate::error::Error;
use crate::store::Store;
use crate::store::late::Late;

const WAITING: Name = Name::count(
    "campus.notification.undelivered",
    "Deliveries that wait for a channel, ten thousand at most",
);
const OLDEST: Name = Name::seconds(
    "campus.notification.undelivered.age",
    "How long the oldest message has waited of which a delivery waits for a channel, by urgency",
);
const EXPANDING: Name = Name::seconds(
    "campus.notification.expanding.age",
    "How long the oldest message has waited that not everybody has in the inbox",
);
const OVERDUE: Name = Name::count(
    "campus.notification.overdue",
    "What nobody has done in time and is still to be done, by what it is, ten thousand at most",
);
const MISSED: Name = Name::seconds(
    "campus.notification.deadlines.age",
    "How long ago the first time passed on which something was to happen by itself and has not",
);
const INBOX: Name = Name::seconds(
    "campus.notification.inbox",
    "How long after it was stored a message was in the inbox of everybody, by category and urgency",
);

/// Tells how late inboxes were filled.
#[derive(Clone, Debug)]
pub(super) struct Inboxes {
    service: &'static str,
    late: Spans,
}

impl Inboxes {
    pub(super) fn of(base: &Base) -> Self {
        Self {
            service: base.store.database().service(),
            late: INBOX.lateness(),
        }
    }

    /// Everybody has a message in the inbox now.
    pub(super) fn filled(&self, message: &Message, now: DateTime<chrono::Utc>) {
        let labels = [
            ("service", self.service),
            ("category", message.category.as_str()),
            ("urgency", message.urgency.as_str()),
        ];
        let late = now - message.created;
        self.late.note(late.as_seconds_f64(), labels);
    }
}

/// The figures of one channel.
struct Told {
    channel: String,
    waiting: Figure,
    oldest: Vec<(Urgency, Figure)>,
}

impl Told {
    fn of(service: &'static str, channel: &str) -> Self {
        let labels = || {
            let channel = Cow::from(channel.to_owned());
            [("service", Cow::from(service)), ("channel", channel)]
        };
        let oldest = Urgency::ALL.map(|urgency| {
            let label = ("urgency", Cow::from(urgency.as_str()));
            (urgency, OLDEST.kept(labels().into_iter().chain([label])))
        });
        Self {
            channel: channel.to_owned(),
            waiting: WAITING.kept(labels()),
            oldest: oldest.into(),
        }
    }
}

/// The figures of the city.
struct City {
    expanding: Figure,
    missed: Figure,
    overdue: [(Late, Figure); 7],
}

impl City {
    fn of(service: &'static str) -> Self {
        let labels = [("service", service)];
        let overdue = |what: Late| {
            let figure = OVERDUE.kept([("service", service), ("what", what.as_str())]);
            (what, figure)
        };
        Self {
            expanding: EXPANDING.kept(labels),
            missed: MISSED.kept(labels),
            overdue: Late::ALL.map(overdue),
        }
    }
}

/// Looks at what waits until the drain.
pub(crate) fn start(base: Base, channels: &Channels, drain: Drain) {
    let service = base.store.database().service();
    let told = channels.all().iter();
    let told: Vec<Told> = told.map(|one| Told::of(service, &one.id)).collect();
    let city = City::of(service);
    tokio::spawn(async move {
        figures::keep(drain, || look(&base, &told, &city)).await;
    });
}

async fn look(base: &Base, told: &[Told], city: &City) -> Result<(), Error> {
    let db = base.store.database().read();
    let time = (base.clock.now(), base.clock.today());
    let now = time.0.timestamp_millis();
    let age = |since: Option<i64>| since.map_or(0.0, |since| (now - since).max(0) as f64 / 1000.0);
    for channel in told {
        channel
            .waiting
            .set(Store::waiting(db, &channel.channel).await? as f64);
        let oldest = Store::oldest_waiting(db, &channel.channel).await?;
        for (urgency, figure) in &channel.oldest {
            let found = oldest.iter().find(|(found, _)| *found == *urgency as i16);
            figure.set(age(found.map(|(_, since)| *since)));
        }
    }
    city.expanding.set(age(Store::oldest_expanding(db).await?));
    let missed = Store::first_missed(db, time).await?;
    city.missed
        .set(age(missed.map(|missed| missed.timestamp_millis())));
    for (what, figure) in &city.overdue {
        figure.set(Store::late(db, *what, time).await? as f64);
    }
    Ok(())
}
