//! Directives: an order whose text never changes once approved (rule 5.39).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::audience::Audience;
use super::content::{Content, TextHash};

/// The place of a directive in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being written.
    Draft = 1,
    /// Approved, not sent.
    Approved = 2,
    /// Sent.
    Issued = 3,
    /// Done.
    Closed = 4,
    /// Replaced.
    Superseded = 5,
    /// Withdrawn.
    Revoked = 6,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Approved,
        Self::Issued,
        Self::Closed,
        Self::Superseded,
        Self::Revoked,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Approved => "APPROVED",
            Self::Issued => "ISSUED",
            Self::Closed => "CLOSED",
            Self::Superseded => "SUPERSEDED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// How soon a directive is signed for; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// 平件.
    Routine = 1,
    /// 加急.
    Urgent = 2,
    /// 特急.
    ExtraUrgent = 3,
}

impl Urgency {
    /// Every urgency.
    pub const ALL: [Self; 3] = [Self::Routine, Self::Urgent, Self::ExtraUrgent];
}

/// An order to organisations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The organisation id of who orders.
    pub organization: String,
    /// The id.
    pub id: Uuid,
    /// Where the orderer stands in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// How soon it is signed for.
    pub urgency: Urgency,
    /// What it says.
    pub content: Content,
    /// The hash of what it says.
    pub text_hash: TextHash,
    /// Whom it is addressed to.
    pub audience: Audience,
    /// Class groups receive it too, from their schools.
    pub to_class_groups: bool,
    /// The resource name of the meeting whose notice it is, or whose minutes; may be empty.
    pub meeting: String,
    /// Who wrote it.
    pub author: String,
    /// Who approved it; empty before.
    pub approver: String,
    /// When it was written.
    pub created: DateTime<Utc>,
    /// When it was sent.
    pub issued: Option<DateTime<Utc>>,
    /// What replaces it.
    pub superseded_by: String,
    /// Why it was withdrawn; empty unless it was.
    pub revoke_reason: String,
    /// Guards against lost updates.
    pub version: i64,
}

/// How a directive ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Closed,
    /// It is withdrawn, with the reason.
    Revoked(String),
    /// Another one replaces it.
    Superseded(String),
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the directive is {}", .0.as_str())]
    State(State),
    /// The author does not approve.
    #[error("the author does not approve")]
    SelfApproval,
}

impl Directive {
    /// Approves a draft.
    ///
    /// # Errors
    /// When it is no draft, or by the one who wrote it.
    pub fn approve(self, approver: &str) -> Result<Self, Refused> {
        match self.state {
            State::Draft if approver == self.author => Err(Refused::SelfApproval),
            State::Draft => Ok(Self {
                state: State::Approved,
                approver: approver.to_owned(),
                ..self
            }),
            state => Err(Refused::State(state)),
        }
    }

    /// Sends an approved directive.
    ///
    /// # Errors
    /// When it is not approved or was sent before.
    pub fn issue(self, now: DateTime<Utc>) -> Result<Self, Refused> {
        match self.state {
            State::Approved => Ok(Self {
                state: State::Issued,
                issued: Some(now),
                ..self
            }),
            state => Err(Refused::State(state)),
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end this way from where it is.
    pub fn end(self, end: End) -> Result<Self, Refused> {
        match (self.state, end) {
            (State::Issued, End::Closed) => Ok(Self {
                state: State::Closed,
                ..self
            }),
            (State::Draft | State::Approved | State::Issued, End::Revoked(revoke_reason)) => {
                Ok(Self {
                    state: State::Revoked,
                    revoke_reason,
                    ..self
                })
            }
            (State::Issued, End::Superseded(superseded_by)) => Ok(Self {
                state: State::Superseded,
                superseded_by,
                ..self
            }),
            (state, _) => Err(Refused::State(state)),
        }
    }
}

#[cfg(test)]
#[path = "directive_tests.rs"]
mod tests;
