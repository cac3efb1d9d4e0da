//! What somebody is told about concerns and care: that something happened, never what it says.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::care::{self, Task};
use super::concern::{Concern, Passed, State, Submitter};
use super::party::Party;
use super::support::{Clock, Reminder};

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
    /// The next contact in a case of support is due soon.
    ContactDue = 6,
    /// The next contact in a case of support was not made in time.
    ContactOverdue = 7,
    /// A counsellor did not make a contact in time: their head hears of it.
    ContactNeglected = 8,
    /// A concern came to whoever sees to it now.
    ConcernReceived = 9,
    /// An answer did not satisfy, and the concern begins again at whoever sees to it now.
    ConcernReopened = 10,
    /// A concern is theirs to answer.
    ConcernAssigned = 11,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 11] = [
        Self::ConcernAnswered,
        Self::ConcernUnsorted,
        Self::ConcernUnanswered,
        Self::CareDue,
        Self::CareOverdue,
        Self::ContactDue,
        Self::ContactOverdue,
        Self::ContactNeglected,
        Self::ConcernReceived,
        Self::ConcernReopened,
        Self::ConcernAssigned,
    ];

    /// It presses.
    pub fn is_urgent(self) -> bool {
        match self {
            Self::ConcernUnsorted
            | Self::ConcernUnanswered
            | Self::CareOverdue
            | Self::ContactOverdue
            | Self::ContactNeglected => true,
            Self::ConcernAnswered
            | Self::ConcernReceived
            | Self::ConcernReopened
            | Self::ConcernAssigned
            | Self::CareDue
            | Self::ContactDue => false,
        }
    }

    /// The id of the template that has the words for it, where there is one besides the sentence.
    pub fn template(self) -> Option<&'static str> {
        match self {
            Self::ConcernAnswered => Some("concern-answered"),
            Self::CareDue | Self::CareOverdue => Some("care-reminder"),
            Self::ConcernUnsorted
            | Self::ConcernUnanswered
            | Self::ConcernReceived
            | Self::ConcernReopened
            | Self::ConcernAssigned
            | Self::ContactDue
            | Self::ContactOverdue
            | Self::ContactNeglected => None,
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
            Self::ConcernReceived => (
                "收到一件师生家长诉求，请登录受理".to_owned(),
                "A concern has come in; sign in to sort it out".to_owned(),
            ),
            Self::ConcernReopened => (
                "一件师生家长诉求对答复不满意，已重新办理，请登录受理".to_owned(),
                "An answer to a concern did not satisfy and it was reopened; sign in to sort it out"
                    .to_owned(),
            ),
            Self::ConcernAssigned => (
                "有一件师生家长诉求交由您答复，请登录办理".to_owned(),
                "A concern was assigned to you; sign in to answer it".to_owned(),
            ),
            Self::CareDue => (
                format!("今日有 {count} 项居家学生关爱任务，请按时完成"),
                format!("{count} care tasks for pupils at home are due today"),
            ),
            Self::CareOverdue => (
                format!("有 {count} 项居家学生关爱任务逾期未完成，请立即落实"),
                format!("{count} care tasks for pupils at home are overdue; see to them at once"),
            ),
            // Of support nothing is counted: a small count tells of somebody.
            Self::ContactDue => (
                "您负责的心理支持工作临近联系时限，请登录办理".to_owned(),
                "A contact in your support work is due soon; sign in to see to it".to_owned(),
            ),
            Self::ContactOverdue => (
                "您负责的心理支持工作已超过联系时限，请立即联系".to_owned(),
                "A contact in your support work is overdue; make it at once".to_owned(),
            ),
            Self::ContactNeglected => (
                "本校心理支持工作有联系超过时限，请督促心理教师立即落实".to_owned(),
                "A contact in the support work of the school is overdue; see that it is made"
                    .to_owned(),
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

    /// The counsellor is reminded of a contact, and once it is overdue their head hears of it too. The
    /// case is not named.
    pub fn of_support(
        clock: &Clock,
        reminder: Reminder,
        counsellor: Option<Party>,
        head: Party,
    ) -> Vec<Self> {
        let (own, of_head) = match reminder {
            Reminder::Soon => (Event::ContactDue, None),
            Reminder::Overdue => (Event::ContactOverdue, Some(Event::ContactNeglected)),
        };
        let own = counsellor.map(|counsellor| (own, counsellor));
        let told = own.into_iter().chain(of_head.map(|event| (event, head)));
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
