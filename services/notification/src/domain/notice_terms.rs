//! What somebody may be told about concerns, support and care, and the words for it.

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
    /// Below, a concern was not sorted out for as long again.
    ConcernLeftUnsorted = 12,
    /// Below, a concern was not answered for as long again.
    ConcernLeftUnanswered = 13,
    /// At a school below, a pupil at home was not cared for, long after it was due.
    CareLeft = 14,
    /// At a school below, a contact in a case of support was not made for as long again.
    ContactLeft = 15,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 15] = [
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
        Self::ConcernLeftUnsorted,
        Self::ConcernLeftUnanswered,
        Self::CareLeft,
        Self::ContactLeft,
    ];

    /// It presses.
    pub fn is_urgent(self) -> bool {
        match self {
            Self::ConcernUnsorted
            | Self::ConcernUnanswered
            | Self::CareOverdue
            | Self::ContactOverdue
            | Self::ContactNeglected
            | Self::ConcernLeftUnsorted
            | Self::ConcernLeftUnanswered
            | Self::CareLeft
            | Self::ContactLeft => true,
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
            | Self::ContactNeglected
            | Self::ConcernLeftUnsorted
            | Self::ConcernLeftUnanswered
            | Self::CareLeft
            | Self::ContactLeft => None,
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
            Self::ConcernLeftUnsorted => (
                format!("下级单位有 {count} 件师生家长诉求逾期后仍未受理，请督促办理"),
                format!("{count} concerns below are still not sorted out; see that they are"),
            ),
            Self::ConcernLeftUnanswered => (
                format!("下级单位有 {count} 件师生家长诉求逾期后仍未答复，请督促办理"),
                format!("{count} concerns below are still not answered; see that they are"),
            ),
            Self::CareLeft => (
                format!("下级学校有 {count} 项居家学生关爱任务逾期后仍未完成，请督促落实"),
                format!("{count} care tasks at a school below are still not done; see that they are"),
            ),
            Self::ContactLeft => (
                "下级学校的心理支持工作有联系逾期后仍未落实，请督促落实".to_owned(),
                "A contact in the support work of a school below is still not made; see that it is"
                    .to_owned(),
            ),
        }
    }
}
