//! The life cycle of a shift (rule 5.31).

use crate::domain::numbered::numbered;

numbered! {
    /// The place of a shift in its life cycle; the numbers are those of contract and table.
    ShiftState {
        /// To come.
        Scheduled = 1 "SCHEDULED",
        /// The leader is there.
        OnDuty = 2 "ON_DUTY",
        /// The next leader took over.
        HandedOver = 3 "HANDED_OVER",
        /// Nobody came in time.
        Alert = 4 "ALERT",
        /// Others were sent.
        Replaced = 5 "REPLACED",
    }
}

numbered! {
    /// What is done with a shift.
    ShiftStep {
        /// The leader has come.
        CheckIn = 1 "CHECK_IN",
        /// Somebody else of the shift has come.
        Arrive = 2 "ARRIVE",
        /// The handover is written.
        WriteHandover = 3 "WRITE_HANDOVER",
        /// The next leader takes over.
        TakeOver = 4 "TAKE_OVER",
        /// The time to check in is over.
        RaiseAlert = 5 "RAISE_ALERT",
        /// Others are sent.
        Replace = 6 "REPLACE",
        /// Somebody is put in place of another.
        Swap = 7 "SWAP",
        /// A point is passed.
        Patrol = 8 "PATROL",
        /// A bureau looks.
        SpotCheck = 9 "SPOT_CHECK",
    }
}

numbered! {
    /// Whether somebody is on duty at an organisation, the worst first; the numbers are those of the
    /// contract.
    Standing {
        /// No published shift covers this moment.
        Gap = 1 "GAP",
        /// Nobody came.
        Alert = 2 "ALERT",
        /// The leader may still come in time.
        Awaited = 3 "AWAITED",
        /// The leader is there.
        OnDuty = 4 "ON_DUTY",
    }
}

impl ShiftState {
    /// The state after `step`; none when the step does not start from here.
    pub fn next(self, step: ShiftStep) -> Option<Self> {
        match (step, self) {
            (ShiftStep::CheckIn, Self::Scheduled) => Some(Self::OnDuty),
            (ShiftStep::Arrive, Self::Scheduled | Self::OnDuty | Self::Alert) => Some(self),
            (ShiftStep::WriteHandover, Self::OnDuty) => Some(Self::OnDuty),
            (ShiftStep::TakeOver, Self::OnDuty) => Some(Self::HandedOver),
            (ShiftStep::RaiseAlert, Self::Scheduled) => Some(Self::Alert),
            (ShiftStep::Replace, Self::Alert) => Some(Self::Replaced),
            (ShiftStep::Swap, Self::Scheduled) => Some(Self::Scheduled),
            (ShiftStep::Patrol, Self::OnDuty) => Some(Self::OnDuty),
            (ShiftStep::SpotCheck, Self::Scheduled | Self::OnDuty | Self::Alert) => Some(self),
            _ => None,
        }
    }

    /// What it means while the shift runs; none for one that no longer answers.
    pub fn standing(self) -> Option<Standing> {
        match self {
            Self::Scheduled => Some(Standing::Awaited),
            // Who takes over early answers until the next shift begins.
            Self::OnDuty | Self::HandedOver => Some(Standing::OnDuty),
            Self::Alert => Some(Standing::Alert),
            Self::Replaced => None,
        }
    }
}
