//! The words of cases of support: how much they press, their states, and what is done in them (rule 5.42).

/// How much a case presses; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Danger.
    Red = 1,
    /// Grave.
    Orange = 2,
    /// To be looked after.
    Yellow = 3,
    /// To be kept in mind.
    Blue = 4,
}

impl Grade {
    /// Every grade, the gravest first.
    pub const ALL: [Self; 4] = [Self::Red, Self::Orange, Self::Yellow, Self::Blue];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "RED",
            Self::Orange => "ORANGE",
            Self::Yellow => "YELLOW",
            Self::Blue => "BLUE",
        }
    }

    /// A case this grave is not ended while the person is there.
    pub fn is_grave(self) -> bool {
        match self {
            Self::Red | Self::Orange => true,
            Self::Yellow | Self::Blue => false,
        }
    }
}

/// The place of a case in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody or something pointed to it, and nobody has assessed it yet.
    Screened = 1,
    /// Ended.
    Closed = 2,
    /// Assessed: what is done follows.
    Assessed = 3,
    /// Supported in the school.
    Supported = 4,
    /// The guardian was told, and a referral or the decision against it follows.
    GuardianInformed = 5,
    /// With a body outside the school.
    Referred = 6,
    /// Looked after until it can be ended.
    FollowUp = 7,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Screened,
        Self::Closed,
        Self::Assessed,
        Self::Supported,
        Self::GuardianInformed,
        Self::Referred,
        Self::FollowUp,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screened => "SCREENED",
            Self::Closed => "CLOSED",
            Self::Assessed => "ASSESSED",
            Self::Supported => "SUPPORTED",
            Self::GuardianInformed => "GUARDIAN_INFORMED",
            Self::Referred => "REFERRED",
            Self::FollowUp => "FOLLOW_UP",
        }
    }
}

/// Why a case was ended; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The person is well again.
    Recovered = 1,
    /// The assessment showed that no support is needed.
    NotNeeded = 2,
    /// The person left the school, and somebody else looks after them.
    Left = 3,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Recovered, Self::NotNeeded, Self::Left];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "RECOVERED",
            Self::NotNeeded => "NOT_NEEDED",
            Self::Left => "LEFT",
        }
    }

    /// Whether a case in this state is ended for this reason.
    fn ends(self, state: State) -> bool {
        match self {
            Self::Recovered => state == State::FollowUp,
            Self::NotNeeded => state == State::Assessed,
            Self::Left => state != State::Closed,
        }
    }
}

/// What happened in a case; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was opened.
    Opened = 1,
    /// It was assessed.
    Graded = 2,
    /// Somebody was in contact.
    Contacted = 3,
    /// The person was referred.
    Referred = 4,
    /// It was ended.
    Closed = 5,
    /// Support in the school began.
    Supported = 6,
    /// The guardian was told.
    Informed = 7,
    /// It is followed up.
    Followed = 8,
    /// It was opened again.
    Reopened = 9,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 9] = [
        Self::Opened,
        Self::Graded,
        Self::Contacted,
        Self::Referred,
        Self::Closed,
        Self::Supported,
        Self::Informed,
        Self::Followed,
        Self::Reopened,
    ];
}

/// What a counsellor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It presses so much, as it was assessed.
    Grade(Grade),
    /// Somebody was in contact.
    Contact,
    /// Support in the school begins.
    Support,
    /// The guardian was told.
    Inform,
    /// The person was referred to a body outside the school.
    Refer,
    /// It is followed up.
    FollowUp,
    /// It is ended.
    Close(Reason),
    /// It is opened again, and seems to press so much.
    Reopen(Grade),
}

impl Verb {
    /// What is recorded of it.
    pub fn event(self) -> Event {
        match self {
            Self::Grade(_) => Event::Graded,
            Self::Contact => Event::Contacted,
            Self::Support => Event::Supported,
            Self::Inform => Event::Informed,
            Self::Refer => Event::Referred,
            Self::FollowUp => Event::Followed,
            Self::Close(_) => Event::Closed,
            Self::Reopen(_) => Event::Reopened,
        }
    }

    /// Where it leads from `from`; none when it does not start there.
    pub(super) fn leads(self, from: State) -> Option<State> {
        use State::{Assessed, Closed, FollowUp, GuardianInformed, Referred, Screened, Supported};
        match (self, from) {
            (Self::Grade(_), Screened) => Some(Assessed),
            (Self::Grade(_), Assessed | Supported | GuardianInformed | Referred | FollowUp)
            | (
                Self::Contact,
                Screened | Assessed | Supported | GuardianInformed | Referred | FollowUp,
            ) => Some(from),
            (Self::Support, Assessed | GuardianInformed | FollowUp) => Some(Supported),
            (Self::Inform, Assessed | Supported | FollowUp) => Some(GuardianInformed),
            (Self::Refer, Assessed | Supported | GuardianInformed | FollowUp) => Some(Referred),
            (Self::FollowUp, Supported | Referred) => Some(FollowUp),
            (Self::Close(reason), from) => reason.ends(from).then_some(Closed),
            (Self::Reopen(_), Closed) => Some(Screened),
            (Self::Grade(_) | Self::Contact, Closed)
            | (Self::Support, Screened | Supported | Referred | Closed)
            | (Self::Inform, Screened | GuardianInformed | Referred | Closed)
            | (Self::Refer, Screened | Referred | Closed)
            | (Self::FollowUp, Screened | Assessed | GuardianInformed | FollowUp | Closed)
            | (
                Self::Reopen(_),
                Screened | Assessed | Supported | GuardianInformed | Referred | FollowUp,
            ) => None,
        }
    }
}
