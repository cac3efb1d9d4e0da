//! What somebody is told about concerns and care: that something happened, never what it says.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::care::{self, Task};
use super::concern::{Concern, Passed};
use super::party::Party;

/// What somebody is told; the numbers stand in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Their concern was answered.
    ConcernAnswered = 1,
    /// A concern was not sorted out in time.
    ConcernUnsorted = 2,
    /// A concern was not answered in time.
    ConcernUnanswered = 3,
    /// A pupil at home is to be cared for.
    CareDue = 4,
    /// A pupil at home was not cared for in time.
    CareOverdue = 5,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::ConcernAnswered,
        Self::ConcernUnsorted,
        Self::ConcernUnanswered,
        Self::CareDue,
        Self::CareOverdue,
    ];

    /// It presses.
    pub fn is_urgent(self) -> bool {
        match self {
            Self::ConcernUnsorted | Self::ConcernUnanswered | Self::CareOverdue => true,
            Self::ConcernAnswered | Self::CareDue => false,
        }
    }

    /// One sentence, Chinese and English, about so many.
    pub fn sentences(self, count: usize) -> (String, String) {
        match self {
            Self::ConcernAnswered => (
                "您反映的事项已有答复，请登录查看并评价".to_owned(),
                "Your concern was answered; read the answer and say whether it satisfies"
                    .to_owned(),
            ),
            Self::ConcernUnsorted => (
                format!("有 {count} 件师生家长诉求逾期未受理，请立即分类处理"),
                format!("{count} concerns were not sorted out in time; sort them out at once"),
            ),
            Self::ConcernUnanswered => (
                format!("有 {count} 件师生家长诉求逾期未答复，请立即答复"),
                format!("{count} concerns were not answered in time; answer them at once"),
            ),
            Self::CareDue => (
                format!("今日有 {count} 项居家学生关爱任务，请按时完成"),
                format!("{count} care tasks for pupils at home are due today"),
            ),
            Self::CareOverdue => (
                format!("有 {count} 项居家学生关爱任务逾期未完成，请立即落实"),
                format!("{count} care tasks for pupils at home are overdue; see to them at once"),
            ),
        }
    }
}

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
}

impl Notice {
    /// Who handed a concern in is told of its answer. None when nobody knows who it was.
    pub fn of_answer(concern: &Concern, basis: &str) -> Option<Self> {
        let party = Party::parse(&concern.words.person)?;
        let round = concern.reopened.to_string();
        let id = id(&["concern answered", basis, &round]);
        Some(Self {
            id,
            event: Event::ConcernAnswered,
            basis: basis.to_owned(),
            party,
            together: id.hyphenated().to_string(),
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
        })
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
            party,
        })
    }
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
