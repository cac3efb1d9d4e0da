//! Who attends a meeting: one post of one organisation (rule 5.40).

use chrono::{DateTime, Duration, Utc};

use super::meeting::{self, Meeting};

/// How long before the begin somebody can sign in.
const EARLY: Duration = Duration::hours(1);

/// Whether somebody came; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet.
    Expected = 1,
    /// In the room.
    SignedIn = 2,
    /// Was in the room.
    SignedOut = 3,
    /// Did not come.
    Absent = 4,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [
        Self::Expected,
        Self::SignedIn,
        Self::SignedOut,
        Self::Absent,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expected => "EXPECTED",
            Self::SignedIn => "SIGNED_IN",
            Self::SignedOut => "SIGNED_OUT",
            Self::Absent => "ABSENT",
        }
    }
}

/// Where a request for a substitute stands; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Substitution {
    /// Nobody asked.
    None = 0,
    /// Asked.
    Requested = 1,
    /// Granted.
    Approved = 2,
    /// Refused.
    Refused = 3,
}

impl Substitution {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::None, Self::Requested, Self::Approved, Self::Refused];
}

/// One post of one organisation that is expected at a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// `{organization}~{post}`, the post in lower case with `-`.
    pub id: String,
    /// The organisation id.
    pub organization: String,
    /// The place in the tree.
    pub org_path: String,
    /// The post, such as `PRINCIPAL`.
    pub post: String,
    /// The id of the room where they are expected.
    pub venue: String,
    /// Whether somebody came.
    pub state: State,
    /// Where a request for a substitute stands.
    pub substitution: Substitution,
    /// Who is asked for: `staff/{staff_member}`.
    pub substitute: String,
    /// Why the holder of the post cannot come.
    pub substitute_reason: String,
    /// Who decided on it.
    pub substitute_decider: String,
    /// Who signed in: `staff/{staff_member}`.
    pub attendee: String,
    /// The id of the room where they signed in.
    pub sign_in_venue: String,
    /// When.
    pub signed_in: Option<DateTime<Utc>>,
    /// When they signed out, or the meeting was ended without.
    pub signed_out: Option<DateTime<Utc>>,
    /// They signed in after the begin.
    pub late: bool,
    /// They left without signing out.
    pub left_unsigned: bool,
    /// Guards against lost updates.
    pub version: i64,
}

/// What is done about an attendance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Somebody is there.
    SignIn {
        /// `staff/{staff_member}`.
        attendee: String,
        /// They hold the post.
        holds: bool,
        /// The id of the room.
        venue: String,
    },
    /// They leave.
    SignOut,
    /// Somebody else is to come.
    RequestSubstitute {
        /// `staff/{staff_member}`.
        substitute: String,
        /// Why the holder cannot.
        reason: String,
    },
    /// The request is decided on.
    Decide {
        /// Granted, or else refused.
        approved: bool,
        /// The subject of who decides.
        decider: String,
    },
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The meeting is over, or it is too early.
    #[error(transparent)]
    Meeting(#[from] meeting::Refused),
    /// The verb does not start from this state.
    #[error("the attendance is {}", .0.as_str())]
    State(State),
    /// Somebody other than the holder of the post needs approval.
    #[error("a substitute needs approval")]
    Substitute,
}

/// The id of the attendance of a post of an organisation.
pub fn attendance_id(organization: &str, post: &str) -> String {
    format!("{organization}~{}", post.to_lowercase().replace('_', "-"))
}

impl Attendance {
    /// A post of an organisation at `org_path` that is expected in a room.
    pub fn expected(organization: &str, org_path: &str, post: &str, venue: &str) -> Self {
        Self {
            id: attendance_id(organization, post),
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            post: post.to_owned(),
            venue: venue.to_owned(),
            state: State::Expected,
            substitution: Substitution::None,
            substitute: String::new(),
            substitute_reason: String::new(),
            substitute_decider: String::new(),
            attendee: String::new(),
            sign_in_venue: String::new(),
            signed_in: None,
            signed_out: None,
            late: false,
            left_unsigned: false,
            version: 1,
        }
    }

    /// Moves on, while the meeting is not over.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from here, now, or for this person.
    pub fn apply(self, verb: Verb, meeting: &Meeting, now: DateTime<Utc>) -> Result<Self, Refused> {
        if meeting.state != meeting::State::Convened {
            return Err(meeting::Refused(meeting.state).into());
        }
        match (verb, self.state) {
            (Verb::SignIn { .. }, State::Expected) if now < meeting.start - EARLY => {
                Err(meeting::Refused(meeting.state).into())
            }
            (
                Verb::SignIn {
                    attendee, holds, ..
                },
                State::Expected,
            ) if !holds && !self.may_stand_in(&attendee) => Err(Refused::Substitute),
            (
                Verb::SignIn {
                    attendee, venue, ..
                },
                State::Expected,
            ) => Ok(Self {
                state: State::SignedIn,
                attendee,
                sign_in_venue: venue,
                signed_in: Some(now),
                late: now > meeting.start,
                ..self
            }),
            (Verb::SignOut, State::SignedIn) => Ok(Self {
                state: State::SignedOut,
                signed_out: Some(now),
                ..self
            }),
            (Verb::RequestSubstitute { substitute, reason }, State::Expected) => Ok(Self {
                substitution: Substitution::Requested,
                substitute,
                substitute_reason: reason,
                substitute_decider: String::new(),
                ..self
            }),
            (Verb::Decide { approved, decider }, State::Expected)
                if self.substitution == Substitution::Requested =>
            {
                let decided = if approved {
                    Substitution::Approved
                } else {
                    Substitution::Refused
                };
                Ok(Self {
                    substitution: decided,
                    substitute_decider: decider,
                    ..self
                })
            }
            (_, state) => Err(Refused::State(state)),
        }
    }

    fn may_stand_in(&self, attendee: &str) -> bool {
        self.substitution == Substitution::Approved && self.substitute == attendee
    }
}

#[cfg(test)]
#[path = "attendance_tests.rs"]
mod tests;
