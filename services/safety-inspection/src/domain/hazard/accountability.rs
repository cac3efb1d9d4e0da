//! Who is told what about a hazard, and what else is written down of who heard of what (失职追责, rule 5.1).

use super::clock::Passed;
use super::entry::Hazard;
use super::state::{Bureau, State};
use super::terms::Setting;
use super::verb::Verb;

/// What is told; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A hazard was found.
    Found = 1,
    /// It was assigned.
    Assigned = 2,
    /// It is somebody else's now.
    Relieved = 3,
    /// Somebody reminds.
    Reminded = 4,
    /// A report of progress did not come.
    ProgressOverdue = 5,
    /// The deadline is over.
    Overdue = 6,
    /// It went up.
    Escalated = 7,
    /// The removal was returned.
    Returned = 8,
    /// It is on a list of supervision.
    Supervised = 9,
    /// The bureau above was told that it is major (rule 5.2).
    Reported = 10,
    /// Something else than a hazard was not done in time.
    NotDone = 11,
    /// An incident was reported up to them, and they gave the receipt of their level.
    Received = 12,
    /// Its removal was reported, and is to be reviewed.
    Submitted = 13,
    /// The review is late.
    ReviewOverdue = 14,
}

impl Act {
    /// Every value.
    pub const ALL: [Self; 14] = [
        Self::Found,
        Self::Assigned,
        Self::Relieved,
        Self::Reminded,
        Self::ProgressOverdue,
        Self::Overdue,
        Self::Escalated,
        Self::Returned,
        Self::Supervised,
        Self::Reported,
        Self::NotDone,
        Self::Received,
        Self::Submitted,
        Self::ReviewOverdue,
    ];
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// This person at the organisation of the hazard.
    Person(String),
    /// Whoever answers for its category at its place.
    Answerable,
    /// Whoever answers for its category at the bureau.
    Bureau(Bureau),
    /// Whoever answers for its category at its place when they may review its removal, else whoever
    /// does at the bureau above (rule 5.9).
    Reviewer,
}

/// Somebody is told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// What.
    pub act: Act,
    /// Who.
    pub to: Recipient,
}

impl Telling {
    fn new(act: Act, to: Recipient) -> Self {
        Self { act, to }
    }

    /// What is told when a hazard is found.
    pub fn of_opening() -> Self {
        Self::new(Act::Found, Recipient::Answerable)
    }

    /// What is told when `verb` was done to `before`.
    pub fn of(verb: &Verb, before: &Hazard) -> Vec<Self> {
        let owner = || responsible(before);
        match verb {
            Verb::Assign(plan) => vec![Self::new(
                Act::Assigned,
                Recipient::Person(plan.owner.clone()),
            )],
            Verb::HandOver {
                owner: successor,
                reason: _,
            } => vec![
                Self::new(Act::Relieved, owner()),
                Self::new(Act::Assigned, Recipient::Person(successor.clone())),
            ],
            Verb::Remind(_) => vec![Self::new(Act::Reminded, owner())],
            Verb::Return(_) => vec![Self::new(Act::Returned, owner())],
            Verb::Supervise(_) => vec![Self::new(Act::Supervised, owner())],
            Verb::Submit { .. } => vec![Self::new(Act::Submitted, Recipient::Reviewer)],
            Verb::Verify { .. }
            | Verb::Dismiss(_)
            | Verb::Control(..)
            | Verb::Rectify
            | Verb::Review
            | Verb::Close(_)
            | Verb::Progress(..)
            | Verb::RequestExtension(..)
            | Verb::DecideExtension(..)
            | Verb::RecordSupervision(_)
            | Verb::LiftSupervision(_) => Vec::new(),
        }
    }

    /// What is told of `hazard` once it is verified: of a major one the bureau above (rule 5.2).
    pub fn of_verification(hazard: &Hazard, setting: &Setting) -> Option<Self> {
        let bureau = Recipient::Bureau(setting.first_bureau());
        hazard.is_major().then(|| Self::new(Act::Reported, bureau))
    }

    /// What is told when time did something to `hazard`.
    pub fn of_time(passed: Passed, hazard: &Hazard) -> Self {
        match passed {
            Passed::Overdue => Self::new(Act::Overdue, responsible(hazard)),
            Passed::Escalated(bureau) => Self::new(Act::Escalated, Recipient::Bureau(bureau)),
            Passed::ProgressOverdue => Self::new(Act::ProgressOverdue, responsible(hazard)),
            Passed::ReviewOverdue => Self::new(Act::ReviewOverdue, reviewer(hazard)),
        }
    }
}

/// Who reviews it, before somebody does whoever can.
fn reviewer(hazard: &Hazard) -> Recipient {
    let person = hazard.course.reviewer.as_str();
    if hazard.state == State::Reviewing && person.starts_with("staff/") {
        Recipient::Person(person.to_owned())
    } else {
        Recipient::Reviewer
    }
}

/// Its owner, before it has one whoever answers for it.
fn responsible(hazard: &Hazard) -> Recipient {
    match hazard.owner() {
        "" => Recipient::Answerable,
        owner => Recipient::Person(owner.to_owned()),
    }
}
