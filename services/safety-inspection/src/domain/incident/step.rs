//! Who was reached, by what: receipts, which receivers give themselves, and notices that they were told.

use crate::domain::numbered::numbered;

numbered! {
    /// Who receives. The first four are levels that rise with the hierarchy; the numbers are those of
    /// the contract.
    Receiver {
        /// The school, where a chain begins.
        School = 1,
        /// The bureau of the district.
        District = 2,
        /// The bureau of the city.
        City = 3,
        /// The city's government.
        Government = 4,
        /// The police.
        Police = 5,
        /// The fire brigade.
        Fire = 6,
        /// The health authority.
        Health = 7,
        /// The guardians of those concerned.
        Guardians = 8,
    }
}

impl Receiver {
    /// Whether it stands in the chain, not beside it.
    pub fn is_level(self) -> bool {
        self <= Self::Government
    }

    /// As it stands in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::School => "SCHOOL",
            Self::District => "DISTRICT",
            Self::City => "CITY",
            Self::Government => "GOVERNMENT",
            Self::Police => "POLICE",
            Self::Fire => "FIRE",
            Self::Health => "HEALTH",
            Self::Guardians => "GUARDIANS",
        }
    }
}

numbered! {
    /// What was done; the numbers are those of the contract.
    Kind {
        /// The receiver says that it received.
        Received = 1,
        /// The school or bureau says that it told the receiver.
        Told = 2,
    }
}

numbered! {
    /// By what; the numbers are those of the contract.
    Medium {
        /// By telephone or in person.
        Phone = 1,
        /// In writing.
        Written = 2,
    }
}

/// A receipt or a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub kind: Kind,
    /// Who.
    pub receiver: Receiver,
    /// By what.
    pub medium: Medium,
    /// Of which occasion they know: how often there had been something new to tell.
    pub occasion: i32,
    /// When, in milliseconds since 1970: the server's time.
    pub time: i64,
    /// Who said so.
    pub actor: String,
    /// The receiver's own number of the matter.
    pub reference: String,
}
