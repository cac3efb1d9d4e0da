//! The states of a visit and every move between them (rule 3.7); the numbers are those of the contract
//! and of the tables.

/// The place of a visit in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Asked for.
    Requested = 1,
    /// The host agreed.
    HostApproved = 2,
    /// The epidemic group agreed.
    EpidemicApproved = 3,
    /// At the gate with a live pass.
    Arrived = 4,
    /// Inside.
    Admitted = 5,
    /// The checks speak against entry.
    Denied = 6,
    /// Outside again.
    Left = 7,
    /// Inside for longer than agreed.
    Overstay = 8,
    /// Inside at once, an emergency.
    AdmittedEmergency = 9,
    /// Host or epidemic group did not agree.
    Refused = 10,
    /// Called off.
    Cancelled = 11,
    /// The day passed without an entry.
    Expired = 12,
}

/// What is done to a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// It is asked for.
    Request = 1,
    /// The host agrees.
    Confirm = 2,
    /// The epidemic group agrees.
    Approve = 3,
    /// Host or epidemic group refuses.
    Refuse = 4,
    /// It is called off.
    Cancel = 5,
    /// The pass is shown at the gate.
    Arrive = 6,
    /// Something is to be measured or shown again.
    Observe = 7,
    /// The checks let in.
    Admit = 8,
    /// The checks keep out.
    Deny = 9,
    /// A person lets in instead of the checks.
    Override = 10,
    /// Out again.
    Leave = 11,
    /// The clock: inside for longer than agreed.
    Overstay = 12,
    /// The clock: the day passed.
    Expire = 13,
    /// An emergency lets in.
    AdmitEmergency = 14,
    /// The book is filled in afterwards.
    AfterEntry = 15,
    /// The clock: the book was not filled in in time.
    AfterEntryOverdue = 16,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Self::Requested,
        Self::HostApproved,
        Self::EpidemicApproved,
        Self::Arrived,
        Self::Admitted,
        Self::Denied,
        Self::Left,
        Self::Overstay,
        Self::AdmittedEmergency,
        Self::Refused,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The state of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i16 == number)
    }

    /// The name in error texts and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::HostApproved => "HOST_APPROVED",
            Self::EpidemicApproved => "EPIDEMIC_APPROVED",
            Self::Arrived => "ARRIVED",
            Self::Admitted => "ADMITTED",
            Self::Denied => "DENIED",
            Self::Left => "LEFT",
            Self::Overstay => "OVERSTAY",
            Self::AdmittedEmergency => "ADMITTED_EMERGENCY",
            Self::Refused => "REFUSED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }

    /// Where `verb` leads from `from`, which is none before a visit exists; none where the rule knows
    /// no such move.
    pub fn next(from: Option<Self>, verb: Verb) -> Option<Self> {
        use State as S;
        use Verb as V;
        match (from, verb) {
            (None, V::Request) => Some(S::Requested),
            (None, V::AdmitEmergency) => Some(S::AdmittedEmergency),
            (Some(S::Requested), V::Confirm) => Some(S::HostApproved),
            (Some(S::HostApproved), V::Approve) => Some(S::EpidemicApproved),
            (Some(S::Requested | S::HostApproved | S::EpidemicApproved), V::Refuse) => {
                Some(S::Refused)
            }
            (Some(S::Requested | S::HostApproved | S::EpidemicApproved), V::Cancel) => {
                Some(S::Cancelled)
            }
            (Some(S::EpidemicApproved), V::Arrive) => Some(S::Arrived),
            (Some(S::Arrived), V::Observe) => Some(S::Arrived),
            (Some(S::Arrived), V::Admit) => Some(S::Admitted),
            (Some(S::Arrived), V::Deny) => Some(S::Denied),
            (Some(S::Denied), V::Override) => Some(S::Admitted),
            (Some(S::Admitted | S::Overstay | S::AdmittedEmergency), V::Leave) => Some(S::Left),
            (Some(S::Admitted), V::Overstay) => Some(S::Overstay),
            (
                Some(S::Requested | S::HostApproved | S::EpidemicApproved | S::Arrived),
                V::Expire,
            ) => Some(S::Expired),
            (Some(S::AdmittedEmergency), V::AfterEntry | V::AfterEntryOverdue) => {
                Some(S::AdmittedEmergency)
            }
            (Some(S::Left), V::AfterEntry | V::AfterEntryOverdue) => Some(S::Left),
            _ => None,
        }
    }
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 16] = [
        Self::Request,
        Self::Confirm,
        Self::Approve,
        Self::Refuse,
        Self::Cancel,
        Self::Arrive,
        Self::Observe,
        Self::Admit,
        Self::Deny,
        Self::Override,
        Self::Leave,
        Self::Overstay,
        Self::Expire,
        Self::AdmitEmergency,
        Self::AfterEntry,
        Self::AfterEntryOverdue,
    ];

    /// The verb of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| *verb as i16 == number)
    }
}
