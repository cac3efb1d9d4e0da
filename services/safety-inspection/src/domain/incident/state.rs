//! How far an incident is (rule 5.36): every move in one table.

use crate::domain::numbered::numbered;

numbered! {
    /// The state; the numbers are those of the contract.
    State {
        /// Noticed; nothing is written yet.
        Detected = 1,
        /// The first report is written.
        FirstReported = 2,
        /// A bureau confirmed it and its level.
        Verified = 3,
        /// Being responded to.
        Responding = 4,
        /// Being responded to; a follow-up said how things stand.
        FollowUp = 5,
        /// The danger is over.
        Controlled = 6,
        /// The final report is written.
        FinalReported = 7,
        /// Causes and accountability are found.
        Reviewed = 8,
        /// Over.
        Closed = 9,
        /// There was none.
        FalseAlarm = 10,
    }
}

numbered! {
    /// What was done; the numbers are those of the contract's history.
    Verb {
        /// Noticed.
        Detect = 1,
        /// The first report.
        FirstReport = 2,
        /// Confirmed with its level.
        Confirm = 3,
        /// Response begun or resumed.
        Respond = 4,
        /// A follow-up.
        FollowUp = 5,
        /// Under control.
        Control = 6,
        /// The final report.
        FinalReport = 7,
        /// Reviewed.
        Review = 8,
        /// Closed.
        Close = 9,
        /// A false alarm.
        Dismiss = 10,
        /// Another level.
        Relevel = 11,
        /// Casualties supplemented.
        Supplement = 12,
        /// A receipt.
        Receive = 13,
        /// A notice.
        Tell = 14,
        /// Found to be confidential.
        MakeConfidential = 15,
    }
}

impl State {
    /// Where `verb` leads from here; none when it does not start here. Receipts and notices move
    /// nothing and are taken in any state: what arrives late is seen late.
    pub fn after(self, verb: Verb) -> Option<Self> {
        use State as S;
        match (verb, self) {
            (Verb::FirstReport, S::Detected) => Some(S::FirstReported),
            (Verb::Confirm, S::FirstReported) => Some(S::Verified),
            (Verb::Respond, S::Verified | S::FollowUp) => Some(S::Responding),
            (Verb::FollowUp, S::Responding | S::FollowUp) => Some(S::FollowUp),
            (Verb::Control, S::FollowUp) => Some(S::Controlled),
            (Verb::FinalReport, S::Controlled) => Some(S::FinalReported),
            (Verb::Review, S::FinalReported) => Some(S::Reviewed),
            (Verb::Close, S::Reviewed) => Some(S::Closed),
            (
                Verb::Dismiss,
                S::Detected | S::FirstReported | S::Verified | S::Responding | S::FollowUp,
            ) => Some(S::FalseAlarm),
            (
                Verb::Relevel,
                S::Verified | S::Responding | S::FollowUp | S::Controlled | S::FinalReported,
            ) => Some(self),
            (Verb::Supplement, S::Detected | S::FalseAlarm) => None,
            (Verb::Supplement | Verb::Receive | Verb::Tell, _) => Some(self),
            (Verb::MakeConfidential, state) if !state.is_over() => Some(self),
            _ => None,
        }
    }

    /// Whether nothing is left to be done.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::FalseAlarm)
    }

    /// Whether follow-ups are owed (rule 5.35): from the first report until the danger is over.
    pub fn owes_follow_ups(self) -> bool {
        matches!(
            self,
            Self::FirstReported | Self::Verified | Self::Responding | Self::FollowUp
        )
    }
}

impl Verb {
    /// Whether whoever did this handled the incident, and so does not judge it.
    pub fn handles(self) -> bool {
        matches!(
            self,
            Self::Detect
                | Self::FirstReport
                | Self::Respond
                | Self::FollowUp
                | Self::Control
                | Self::FinalReport
        )
    }
}
