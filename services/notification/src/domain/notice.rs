//! What somebody is told about concerns and care: that something happened, never what it says.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::care::{self, Task};
use super::concern::{Concern, Passed, State, Submitter};
use super::party::Party;
use super::place::above;
use super::support::{Clock, Reminder};

pub use super::notice_terms::Event;

/// Somebody to be told of something, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Follows from what happened: the same for the same.
    pub id: Uuid,
    /// What happened.
    pub event: Event,
    /// The resource name of what it happened to.
    pub basis: String,
    /// Who is told.
    pub party: Party,
    /// Notices that have this in common are one message.
    pub together: String,
    /// What a template is filled with, besides how many there are.
    pub details: BTreeMap<String, String>,
}

fn details<const N: usize>(values: [(&str, String); N]) -> BTreeMap<String, String> {
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl Notice {
    /// Who handed a concern in is told of its answer, of which they can say until the day `until` that it
    /// does not satisfy. None when nobody knows who it was.
    pub fn of_answer(concern: &Concern, basis: &str, until: NaiveDate) -> Option<Self> {
        // A version before kept a guardian in the name of the pupil.
        let party = match Party::parse(&concern.words.person)? {
            Party::Student(id) if concern.submitter == Submitter::Guardian => Party::Family(id),
            party => party,
        };
        let round = concern.reopened.to_string();
        let id = id(&["concern answered", basis, &round]);
        let details = details([
            ("number", concern.id.hyphenated().to_string()),
            ("organization", format!("organizations/{}", concern.handler)),
            ("until", until.to_string()),
        ]);
        Some(Self {
            id,
            details,
            event: Event::ConcernAnswered,
            basis: basis.to_owned(),
            party,
            together: id.hyphenated().to_string(),
        })
    }

    /// What is told as a concern has become what it is `now`, from what it was before: whoever sees to it
    /// newly that it came or was reopened, and whoever is newly to answer that it was assigned.
    pub fn of_move(
        before: Option<&Concern>,
        concern: &Concern,
        basis: &str,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let handler = || Party::Organization(concern.handler.clone());
        let is_handed_on = before.is_none_or(|before| before.handler != concern.handler);
        let is_assigned = before.is_some_and(|before| before.assignee != concern.assignee);
        let (event, party) = match concern.state {
            State::Reopened => (Event::ConcernReopened, handler()),
            State::Received | State::Triaged if is_handed_on => (Event::ConcernReceived, handler()),
            State::Assigned if is_assigned => {
                (Event::ConcernAssigned, Party::parse(&concern.assignee)?)
            }
            State::Received
            | State::Triaged
            | State::Assigned
            | State::Answered
            | State::Closed => return None,
        };
        let id = id(&[
            &format!("{event:?}"),
            basis,
            &party.name(),
            &now.timestamp_millis().to_string(),
        ]);
        Some(Self {
            id,
            event,
            basis: basis.to_owned(),
            party,
            together: id.hyphenated().to_string(),
            details: BTreeMap::new(),
        })
    }

    /// Who sees to a concern is told that a deadline passed.
    pub fn of_deadline(concern: &Concern, passed: Passed, basis: &str) -> Option<Self> {
        let event = match passed {
            Passed::Acknowledgement => Event::ConcernUnsorted,
            Passed::Answer => Event::ConcernUnanswered,
            Passed::Silence => return None,
        };
        let handler = || Party::Organization(concern.handler.clone());
        let party = Party::parse(&concern.assignee).unwrap_or_else(handler);
        let round = concern.reopened.to_string();
        let kind = format!("{event:?} {}", concern.state.as_str());
        let id = id(&[&kind, basis, &round]);
        Some(Self {
            id,
            event,
            basis: basis.to_owned(),
            party,
            together: id.hyphenated().to_string(),
            details: BTreeMap::new(),
        })
    }

    /// The organisation above whoever sees to a concern is told that a deadline has been past for as long
    /// again. Those of a day are told together; neither the concern nor whom it is about is named. None at
    /// the top.
    pub fn of_neglect(
        concern: &Concern,
        passed: Passed,
        (basis, today): (&str, NaiveDate),
    ) -> Option<Self> {
        let event = match passed {
            Passed::Acknowledgement => Event::ConcernLeftUnsorted,
            Passed::Answer => Event::ConcernLeftUnanswered,
            Passed::Silence => return None,
        };
        let party = Party::Organization(above(&concern.handler_path).next()?.to_owned());
        let round = concern.reopened.to_string();
        Some(Self {
            id: id(&[&format!("{event:?}"), basis, &round]),
            event,
            basis: format!("organizations/{}", concern.handler),
            together: format!("{event:?} {} {today}", concern.handler),
            party,
            details: BTreeMap::new(),
        })
    }

    /// `party`, above the school, is told of a task that is still not done. Those of a school and a day are
    /// told together; no pupil is named.
    pub fn of_left_care(task: &Task, basis: &str, party: Party) -> Self {
        let event = Event::CareLeft;
        Self {
            id: id(&[&format!("{event:?}"), basis]),
            event,
            basis: format!("organizations/{}", task.organization),
            together: format!("{event:?} {} {} {}", task.organization, task.day, task.due),
            party,
            details: BTreeMap::new(),
        }
    }

    /// `party` is told of a task that came to be, or was not done in time. Those of a class group
    /// and a day are told together.
    pub fn of_care(task: &Task, basis: &str, party: Party) -> Option<Self> {
        let event = match task.state {
            care::State::Due => Event::CareDue,
            care::State::Overdue => Event::CareOverdue,
            care::State::Done | care::State::Dropped => return None,
        };
        let together = format!("{event:?} {} {} {}", task.org_path, task.day, task.due);
        Some(Self {
            id: id(&[&format!("{event:?}"), basis]),
            event,
            basis: basis.to_owned(),
            together: format!("{together} {}", party.name()),
            details: details([
                (
                    "organization",
                    format!("organizations/{}", task.organization),
                ),
                ("day", task.day.to_string()),
            ]),
            party,
        })
    }

    /// The counsellor is reminded of a contact, once it is overdue their head hears of it too, and when it
    /// has been so for as long again those above the school. The case is not named.
    pub fn of_support(clock: &Clock, reminder: Reminder, hearers: Hearers) -> Vec<Self> {
        let Hearers {
            counsellor,
            head,
            above,
        } = hearers;
        let told: Vec<(Event, Option<Party>)> = match reminder {
            Reminder::Soon => vec![(Event::ContactDue, counsellor)],
            Reminder::Overdue => vec![
                (Event::ContactOverdue, counsellor),
                (Event::ContactNeglected, Some(head)),
            ],
            Reminder::Left => vec![(Event::ContactLeft, above)],
        };
        let told = told
            .into_iter()
            .filter_map(|(event, party)| Some((event, party?)));
        let case = clock.id.hyphenated().to_string();
        let due = clock.due.timestamp_millis().to_string();
        let notice = |(event, party): (Event, Party)| {
            let id = id(&[&format!("{event:?}"), &case, &due]);
            Self {
                id,
                event,
                basis: format!("organizations/{}", clock.organization),
                party,
                together: id.hyphenated().to_string(),
                details: BTreeMap::new(),
            }
        };
        told.map(notice).collect()
    }
}

/// Who hears of contacts in cases of support at a school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearers {
    /// The counsellor; none where nobody is known.
    pub counsellor: Option<Party>,
    /// The head of the school.
    pub head: Party,
    /// Those above the school; none at the top.
    pub above: Option<Party>,
}

/// The same for the same parts, which cannot run into each other.
fn id(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
