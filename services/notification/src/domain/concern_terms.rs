//! Where a concern stands, who handed it in and what it is about (rule 5.41).

/// The place of a concern in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Handed in.
    Received = 1,
    /// Somebody has read it and says what it is about.
    Triaged = 2,
    /// Somebody answers it.
    Assigned = 3,
    /// Answered, and not judged yet.
    Answered = 4,
    /// Satisfied, or nothing was said.
    Closed = 5,
    /// Not satisfied: it begins again.
    Reopened = 6,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::Triaged,
        Self::Assigned,
        Self::Answered,
        Self::Closed,
        Self::Reopened,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Triaged => "TRIAGED",
            Self::Assigned => "ASSIGNED",
            Self::Answered => "ANSWERED",
            Self::Closed => "CLOSED",
            Self::Reopened => "REOPENED",
        }
    }
}

/// Who handed a concern in; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitter {
    /// A pupil.
    Student = 1,
    /// A parent or guardian.
    Guardian = 2,
    /// A member of staff.
    Staff = 3,
    /// Somebody else.
    Public = 4,
}

impl Submitter {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Student, Self::Guardian, Self::Staff, Self::Public];
}

/// What a concern is about; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Not known yet.
    Unknown = 0,
    /// Epidemic control.
    EpidemicControl = 1,
    /// Teaching and lessons at home.
    Teaching = 2,
    /// Safety on campus and around it.
    Safety = 3,
    /// Food and dormitories.
    Living = 4,
    /// Bullying and harm.
    Harm = 5,
    /// Fees.
    Fees = 6,
    /// Conduct of staff.
    Conduct = 7,
    /// Need of psychological support.
    Psychological = 8,
    /// Anything else.
    Other = 9,
}

impl Category {
    /// Every value.
    pub const ALL: [Self; 10] = [
        Self::Unknown,
        Self::EpidemicControl,
        Self::Teaching,
        Self::Safety,
        Self::Living,
        Self::Harm,
        Self::Fees,
        Self::Conduct,
        Self::Psychological,
        Self::Other,
    ];

    /// Whether it goes to the organisation above at once: the one that it is about may be at fault.
    pub(super) fn goes_up(self) -> bool {
        match self {
            Self::Harm | Self::Conduct => true,
            Self::Unknown
            | Self::EpidemicControl
            | Self::Teaching
            | Self::Safety
            | Self::Living
            | Self::Fees
            | Self::Psychological
            | Self::Other => false,
        }
    }
}
