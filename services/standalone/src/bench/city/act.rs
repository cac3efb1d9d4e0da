//! What is done in a day, by whom and to whom.

use proto::roster::check_policy::Slot;

use super::kind::Kind;

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// Somebody comes to a gate: the pupils come first by their place, class by class, then the staff.
    Enter {
        school: u32,
        place: u32,
        fever: bool,
    },
    Recheck {
        school: u32,
        place: u32,
    },
    Batch {
        batch: u32,
    },
    Check {
        group: u32,
        slot: Slot,
    },
    CheckRoom {
        room: u32,
    },
    Trace {
        group: u32,
    },
    Order,
    Sign {
        school: u32,
    },
    Open {
        tube: u32,
    },
    Scan {
        tube: u32,
        place: u32,
    },
    Seal {
        tube: u32,
    },
    Deliver {
        tube: u32,
    },
    Results {
        batch: u32,
    },
    Coverage {
        desk: u32,
    },
    Overview {
        desk: u32,
    },
    /// A visitor asks for a visit of the day; the host and then the epidemic group agree.
    AskVisit {
        visit: u32,
    },
    ConfirmVisit {
        visit: u32,
    },
    ApproveVisit {
        visit: u32,
    },
    /// The visitor comes, and goes.
    Arrive {
        visit: u32,
    },
    Depart {
        visit: u32,
    },
    /// A hazard is reported, and moved on by one of the acts that it takes until it is closed.
    Report {
        hazard: u32,
    },
    Handle {
        hazard: u32,
        step: u8,
    },
    /// The leader of the day and the guard sign in to their duty; in the evening those of the night do and take
    /// over.
    SignOn {
        school: u32,
    },
    HandOver {
        school: u32,
    },
    /// The guard of the day makes a round and notes that its point was passed.
    Patrol {
        school: u32,
        round: u8,
    },
    /// The city tells every family something.
    Notify,
    /// The guardians of a pupil, by the place on the roll, read their inbox.
    ReadInbox {
        group: u32,
        pupil: u32,
    },
}

impl Act {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Enter { .. } => Kind::Entry,
            Self::Recheck { .. } => Kind::Recheck,
            Self::Batch { .. } => Kind::Batch,
            Self::Check { .. } => Kind::Check,
            Self::CheckRoom { .. } => Kind::RoomCheck,
            Self::Trace { .. } => Kind::Trace,
            Self::Order => Kind::Order,
            Self::Sign { .. } => Kind::Signature,
            Self::Open { .. } => Kind::Opening,
            Self::Scan { .. } => Kind::Swab,
            Self::Seal { .. } => Kind::Sealing,
            Self::Deliver { .. } => Kind::Delivery,
            Self::Results { .. } => Kind::Results,
            Self::Coverage { .. } => Kind::Coverage,
            Self::Overview { .. } => Kind::Overview,
            Self::AskVisit { .. } => Kind::Appointment,
            Self::ConfirmVisit { .. } | Self::ApproveVisit { .. } => Kind::Approval,
            Self::Arrive { .. } => Kind::Arrival,
            Self::Depart { .. } => Kind::Departure,
            Self::Report { .. } => Kind::Hazard,
            Self::Handle { .. } => Kind::Handling,
            Self::SignOn { .. } => Kind::Attendance,
            Self::HandOver { .. } => Kind::Handover,
            Self::Patrol { .. } => Kind::Round,
            Self::Notify => Kind::Notice,
            Self::ReadInbox { .. } => Kind::Reading,
        }
    }
}
