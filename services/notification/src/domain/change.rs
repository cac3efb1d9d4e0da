//! What happens to alerts: each change with what it adds to the history.

use chrono::{DateTime, Utc};

use super::alert::{Alert, Step};

/// What happened to an alert; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was raised.
    Raised = 1,
    /// Its owner was told.
    Told = 2,
    /// It was not told: inhibited or silenced.
    Withheld = 3,
    /// Somebody has seen it.
    Acknowledged = 4,
    /// Somebody deals with it, or took it over.
    Taken = 5,
    /// Somebody added words.
    Commented = 6,
    /// A deadline passed: it went up.
    Escalated = 7,
    /// What the fact says changed.
    Corrected = 8,
    /// It ended.
    Resolved = 9,
    /// Somebody else answers for it.
    HandedOver = 10,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::Raised,
        Self::Told,
        Self::Withheld,
        Self::Acknowledged,
        Self::Taken,
        Self::Commented,
        Self::Escalated,
        Self::Corrected,
        Self::Resolved,
        Self::HandedOver,
    ];
}

/// One line of the history of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// When.
    pub time: DateTime<Utc>,
    /// The subject of the token; `fact` or `clock` when nobody acted.
    pub subject: String,
    /// In their words; the name of what withholds it for [`Event::Withheld`].
    pub comment: String,
    /// Who was told or owns it from then on; may be empty.
    pub owner: String,
}

/// An alert after a change, and what the change adds to its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The alert as it is now.
    pub alert: Alert,
    /// What happened, in its order.
    pub entries: Vec<Entry>,
}

impl From<Alert> for Change {
    /// A change that its history does not mention.
    fn from(alert: Alert) -> Self {
        let entries = Vec::new();
        Self { alert, entries }
    }
}

impl Change {
    /// Adds a line to the history.
    #[must_use]
    pub fn entry(mut self, event: Event, step: &Step, owner: &str) -> Self {
        let Step {
            subject,
            time,
            comment,
        } = step.clone();
        self.entries.push(Entry {
            event,
            time,
            subject,
            comment,
            owner: owner.to_owned(),
        });
        self
    }

    /// What became of the alert after this change.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.entries.extend(later.entries);
        self.alert = later.alert;
        self
    }
}
