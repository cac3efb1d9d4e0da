//! The steps of a tube from the school to the end, with what each brings along.

use super::tube::Verb;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is added any more.
    Seal,
    /// A courier takes it.
    HandOver {
        /// Who signs.
        courier: String,
    },
    /// The laboratory takes it: both sign (rule 2.16).
    Receive {
        /// Who brings it.
        courier: String,
        /// Who takes it.
        receiver: String,
    },
    /// The test begins.
    StartTesting,
    /// It is given up.
    Void {
        /// Why.
        reason: String,
    },
    /// It was lost on the way.
    ReportLost {
        /// What happened.
        reason: String,
    },
    /// The laboratory refuses it.
    Reject {
        /// The cause as the contract writes it.
        cause: &'static str,
    },
    /// Its matter is settled.
    Close,
}

impl Step {
    /// The move of the state machine.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Seal => Verb::Seal,
            Self::HandOver { .. } => Verb::HandOver,
            Self::Receive { .. } => Verb::Receive,
            Self::StartTesting => Verb::StartTesting,
            Self::Void { .. } => Verb::Void,
            Self::ReportLost { .. } => Verb::ReportLost,
            Self::Reject { .. } => Verb::Reject,
            Self::Close => Verb::Close,
        }
    }

    /// The method of the contract, as the custody notes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Seal => "SealTube",
            Self::HandOver { .. } => "HandOverTube",
            Self::Receive { .. } => "ReceiveTube",
            Self::StartTesting => "StartTesting",
            Self::Void { .. } => "VoidTube",
            Self::ReportLost { .. } => "ReportTubeLost",
            Self::Reject { .. } => "RejectTube",
            Self::Close => "CloseTube",
        }
    }

    /// Whether a laboratory takes it.
    pub fn is_of_laboratory(&self) -> bool {
        match self {
            Self::Receive { .. } | Self::StartTesting | Self::Reject { .. } => true,
            Self::Seal
            | Self::HandOver { .. }
            | Self::Void { .. }
            | Self::ReportLost { .. }
            | Self::Close => false,
        }
    }

    /// Signatures, a reason or a cause, as the custody notes them.
    pub fn note(&self) -> String {
        match self {
            Self::Seal | Self::StartTesting | Self::Close => String::new(),
            Self::HandOver { courier } => format!("courier {courier}"),
            Self::Receive { courier, receiver } => {
                format!("courier {courier}, receiver {receiver}")
            }
            Self::Void { reason } | Self::ReportLost { reason } => reason.clone(),
            Self::Reject { cause } => (*cause).to_owned(),
        }
    }
}

/// Whether courier and receiver both signed: the courier is who took it over, and they are two
/// people (rule 2.16).
pub fn signed_by_two(taken_by: &str, courier: &str, receiver: &str) -> bool {
    courier == taken_by && courier != receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_people_sign_and_the_courier_is_who_took_it() {
        assert!(signed_by_two("courier-7", "courier-7", "desk-2"));
        assert!(!signed_by_two("courier-7", "courier-8", "desk-2"));
        assert!(!signed_by_two("courier-7", "courier-7", "courier-7"));
    }
}
