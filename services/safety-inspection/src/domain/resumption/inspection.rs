//! The joint inspection of education, health and market regulation (rule 4.2).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::numbered::numbered;

numbered! {
    /// Who inspects together, in the order in which inspectors are named; the numbers are those of
    /// the contract.
    Department {
        /// The education bureau.
        Education = 1 "EDUCATION",
        /// The health commission or disease control.
        Health = 2 "HEALTH",
        /// Market regulation.
        MarketRegulation = 3 "MARKET_REGULATION",
    }
}

numbered! {
    /// What a department says; the numbers are those of the contract.
    Decision {
        /// It may resume.
        Approve = 1 "APPROVE",
        /// Items must be put right first.
        Rectify = 2 "RECTIFY",
        /// It may not.
        Reject = 3 "REJECT",
    }
}

/// What one inspector says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        let seats = Department::ALL.iter().zip(inspectors);
        Self {
            seats: seats
                .map(|(department, inspector)| Seat {
                    department: *department,
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

    /// The items that must be put right.
    pub fn demands(&self) -> BTreeSet<String> {
        let signatures = self.seats.iter().filter_map(|seat| seat.signature.as_ref());
        let demands = signatures.filter(|signature| signature.decision == Decision::Rectify);
        demands
            .flat_map(|signature| signature.items.iter().cloned())
            .collect()
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
