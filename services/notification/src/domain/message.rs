//! What is to be told, to whom, and how far its ledger is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::audience::Audience;
use super::party::Party;

/// The place of a message in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its ledger is being written.
    Expanding = 1,
    /// There is a row for everybody.
    Expanded = 2,
    /// It was stopped.
    Cancelled = 3,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Expanding, Self::Expanded, Self::Cancelled];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expanding => "EXPANDING",
            Self::Expanded => "EXPANDED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// What a message is about; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Something to know.
    Notice = 1,
    /// An alert.
    Alert = 2,
    /// A directive has come, or is overdue.
    Directive = 3,
    /// Something is to be done in time.
    Reminder = 4,
    /// A warning of weather or another danger.
    Warning = 5,
    /// An answer to a concern.
    Concern = 6,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 6] = [
        Self::Notice,
        Self::Alert,
        Self::Directive,
        Self::Reminder,
        Self::Warning,
        Self::Concern,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "NOTICE",
            Self::Alert => "ALERT",
            Self::Directive => "DIRECTIVE",
            Self::Reminder => "REMINDER",
            Self::Warning => "WARNING",
            Self::Concern => "CONCERN",
        }
    }
}

/// How much a message presses; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It may wait for a digest.
    Ordinary = 1,
    /// Each by itself, outside quiet hours.
    Urgent = 2,
    /// At once, whatever the hour and the preferences.
    Emergency = 3,
}

impl Urgency {
    /// Every urgency.
    pub const ALL: [Self; 3] = [Self::Ordinary, Self::Urgent, Self::Emergency];

    /// Those who have waited longest are sent to first: by how much longer than others each seems to
    /// have waited. Nothing overtakes an emergency.
    pub fn head_start(self) -> Duration {
        match self {
            Self::Ordinary => Duration::zero(),
            Self::Urgent => Duration::days(1),
            Self::Emergency => Message::LONGEST,
        }
    }

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ORDINARY",
            Self::Urgent => "URGENT",
            Self::Emergency => "EMERGENCY",
        }
    }
}

/// A group of recipients; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The families of the pupils.
    Families = 1,
    /// The staff.
    Staff = 2,
    /// The organisations themselves.
    Organizations = 3,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 3] = [Self::Families, Self::Staff, Self::Organizations];
}

/// Who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// The organisations.
    pub audience: Option<Audience>,
    /// Class groups by resource name.
    pub class_groups: Vec<String>,
    /// Who at the organisations and in the class groups.
    pub groups: BTreeSet<Group>,
    /// Of the staff only the holders of these posts; all when empty.
    pub posts: Vec<String>,
    /// Each of these besides.
    pub parties: Vec<Party>,
}

impl Recipients {
    /// Whether people are told besides those at the organisations, who may be among these.
    pub fn names_people(&self) -> bool {
        let is_person = |party: &Party| match party {
            Party::Student(_) | Party::Family(_) | Party::Guardian(..) | Party::Staff(_) => true,
            Party::Organization(_) => false,
        };
        !self.class_groups.is_empty() || self.parties.iter().any(is_person)
    }
}

/// A part of the recipients whose rows are written together; the numbers are those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Those named one by one, organisations and class groups.
    Few = 1,
    /// The families at organisations.
    Families = 2,
    /// The staff at organisations.
    Staff = 3,
    /// Nobody is left.
    Done = 4,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 4] = [Self::Few, Self::Families, Self::Staff, Self::Done];

    /// The next phase that has somebody in it.
    #[must_use]
    pub fn next(self, recipients: &Recipients) -> Self {
        let has = |group| recipients.audience.is_some() && recipients.groups.contains(&group);
        match self {
            Self::Few if has(Group::Families) => Self::Families,
            Self::Few | Self::Families if has(Group::Staff) => Self::Staff,
            Self::Few | Self::Families | Self::Staff | Self::Done => Self::Done,
        }
    }
}

/// How far the ledger is written. People are gone through in the order of their ids, so that nobody
/// is left out who moves meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The part that comes next.
    pub phase: Phase,
    /// The last person of the part whose row is written; nil when none is.
    pub after: Uuid,
    /// How many transactions have written rows.
    pub parts: i32,
}

impl Progress {
    /// Nothing is written.
    pub const BEGIN: Self = Self {
        phase: Phase::Few,
        after: Uuid::nil(),
        parts: 0,
    };
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The organisation id of the sender.
    pub organization: String,
    /// The id: it grows with time.
    pub id: Uuid,
    /// The place of the sender in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// What it is about.
    pub category: Category,
    /// How much it presses.
    pub urgency: Urgency,
    /// The id of the template.
    pub template: String,
    /// The version that it was written with.
    pub template_version: i32,
    /// The values of its variables by name.
    pub values: BTreeMap<String, String>,
    /// Who is told.
    pub recipients: Recipients,
    /// The ids of channels besides the inbox.
    pub channels: Vec<String>,
    /// An exercise.
    pub exercise: bool,
    /// The subject of the token of the one who sent it; `campus` when a rule did.
    pub author: String,
    /// What it tells of; may be empty.
    pub basis: String,
    /// The service tells of a concern or of support: nobody but the recipients learns that there is such
    /// a message.
    pub confidential: bool,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// Nothing is sent from then on.
    pub expires: DateTime<Utc>,
    /// When there was a row for everybody.
    pub expanded: Option<DateTime<Utc>>,
    /// How far its ledger is written.
    pub progress: Progress,
}

/// The verb does not start from this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is {}", .0.as_str())]
pub struct Refused(pub State);

impl Message {
    /// How long a message is sent when nothing else is said.
    pub const LIFE: Duration = Duration::days(3);
    /// The shortest life.
    pub const SHORTEST: Duration = Duration::minutes(1);
    /// The longest life.
    pub const LONGEST: Duration = Duration::days(30);

    /// Whether it has come to its end.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires <= now
    }

    /// Stops it.
    ///
    /// # Errors
    /// [`Refused`] when it was stopped before.
    pub fn cancel(self) -> Result<Self, Refused> {
        match self.state {
            State::Expanding | State::Expanded => Ok(Self {
                state: State::Cancelled,
                ..self
            }),
            State::Cancelled => Err(Refused(self.state)),
        }
    }

    /// One more part of its ledger is written: up to a person, or to the end of the phase.
    ///
    /// # Errors
    /// [`Refused`] when its ledger is not being written.
    pub fn advance(self, up_to: Option<Uuid>, now: DateTime<Utc>) -> Result<Self, Refused> {
        match self.state {
            State::Expanding => {}
            State::Expanded | State::Cancelled => return Err(Refused(self.state)),
        }
        let Progress { phase, parts, .. } = self.progress;
        let phase = match up_to {
            Some(_) => phase,
            None => phase.next(&self.recipients),
        };
        let done = phase == Phase::Done;
        let progress = Progress {
            phase,
            after: up_to.unwrap_or_default(),
            parts: parts + 1,
        };
        Ok(Self {
            state: if done { State::Expanded } else { self.state },
            expanded: done.then_some(now),
            progress,
            ..self
        })
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
