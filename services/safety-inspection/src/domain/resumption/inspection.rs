//! The joint inspection of education, health and market regulation (rule 4.2).

use chrono::{DateTime, Utc};

/// Who inspects together; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Department {
    /// The education bureau.
    Education = 1,
    /// The health commission.
    Health = 2,
    /// Market regulation.
    MarketRegulation = 3,
}

impl Department {
    /// All three, in the order in which inspectors are named.
    pub const ALL: [Self; 3] = [Self::Education, Self::Health, Self::MarketRegulation];
}

/// What a department says; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may resume.
    Approve = 1,
    /// Items must be put right first.
    Rectify = 2,
    /// It may not.
    Reject = 3,
}

/// What one inspector says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The account that signs.
    pub inspector: String,
    /// What is said.
    pub decision: Decision,
    /// Why.
    pub opinion: String,
    /// The codes of the items that must be put right.
    pub items: Vec<String>,
    /// When.
    pub time: DateTime<Utc>,
}

/// The place of one department at the inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The department.
    pub department: Department,
    /// The account that was named for it.
    pub inspector: String,
    /// What was said, once it was.
    pub signature: Option<Signature>,
}

impl Seat {
    /// What was said, once it was.
    pub fn decision(&self) -> Option<Decision> {
        self.signature.as_ref().map(|signature| signature.decision)
    }
}

/// A joint inspection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The departments, in their order.
    pub seats: Vec<Seat>,
}

/// What the inspection comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody has not signed.
    Waiting,
    /// All approve.
    Approved,
    /// Somebody demands, nobody refuses.
    Rectify,
    /// Somebody refuses.
    Rejected,
}

/// Why a signature is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongSignature {
    /// The account was not named for a department.
    #[error("not an inspector of this inspection")]
    Stranger,
    /// The department has signed.
    #[error("signed before")]
    Signed,
    /// A demand names no item.
    #[error("a demand names its items")]
    Itemless,
}

impl Inspection {
    /// Begins, with one account for each department.
    pub fn begin(inspectors: [String; 3]) -> Self {
        let seats = Department::ALL.into_iter().zip(inspectors);
        Self {
            seats: seats
                .map(|(department, inspector)| Seat {
                    department,
                    inspector,
                    signature: None,
                })
                .collect(),
        }
    }

    /// The department for which an account was named.
    pub fn department_of(&self, inspector: &str) -> Option<Department> {
        let mut seats = self.seats.iter();
        let seat = seats.find(|seat| seat.inspector == inspector)?;
        Some(seat.department)
    }

    /// Takes a signature.
    ///
    /// # Errors
    /// When it is not one that is waited for.
    pub fn sign(mut self, signature: Signature) -> Result<Self, WrongSignature> {
        if signature.decision == Decision::Rectify && signature.items.is_empty() {
            return Err(WrongSignature::Itemless);
        }
        let mut seats = self.seats.iter_mut();
        let seat = seats
            .find(|seat| seat.inspector == signature.inspector)
            .ok_or(WrongSignature::Stranger)?;
        if seat.signature.is_some() {
            return Err(WrongSignature::Signed);
        }
        seat.signature = Some(signature);
        Ok(self)
    }

    /// What it comes to: nothing before all three have signed.
    pub fn verdict(&self) -> Verdict {
        let said: Option<Vec<Decision>> = self.seats.iter().map(Seat::decision).collect();
        match said {
            Some(said) if said.len() == Department::ALL.len() => {
                if said.contains(&Decision::Reject) {
                    Verdict::Rejected
                } else if said.contains(&Decision::Rectify) {
                    Verdict::Rectify
                } else {
                    Verdict::Approved
                }
            }
            _ => Verdict::Waiting,
        }
    }
}
