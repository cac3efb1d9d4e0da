//! Who returns later than the others, and why (rules 4.8 and 4.9).

use chrono::NaiveDate;

use crate::domain::gate::clearance::{Clearance, Control, Medical};
use crate::domain::person::PersonName;

/// Why somebody returns later; the numbers are those of the contract. Never an illness: that stays with the
/// school doctor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Waits for a single test after a pool (rule 2.19).
    PoolHold = 1,
    /// Contact of a contact.
    SecondaryContact = 2,
    /// Close contact.
    CloseContact = 3,
    /// In a restricted region, or watching the own health after it was lifted (rule 4.9).
    RegionRestricted = 4,
    /// Watches the own health, and the policy does not admit that.
    HealthMonitoring = 5,
    /// Isolated.
    Isolated = 6,
    /// Must not attend.
    NotAdmitted = 7,
}

/// Somebody who returns later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateReturn {
    /// Who.
    pub person: PersonName,
    /// The place of the class group, or of the organisation for staff.
    pub org_path: String,
    /// 1 to 12, or 0.
    pub grade: u8,
    /// Why.
    pub reason: Reason,
    /// The first civil day on which the reason alone keeps nobody away; none where it is not known.
    pub earliest: Option<NaiveDate>,
}

impl Reason {
    /// Why somebody with a clearance that no gate admits returns later; none for one that it admits.
    pub fn of(clearance: Clearance) -> Option<Self> {
        match (clearance.control, clearance.medical) {
            (Control::PoolHold, _) => Some(Self::PoolHold),
            (_, Medical::NotAdmitted) => Some(Self::NotAdmitted),
            (Control::SecondaryContact, Medical::Normal) => Some(Self::SecondaryContact),
            (Control::CloseContact, Medical::Normal) => Some(Self::CloseContact),
            (Control::RegionRestricted, Medical::Normal) => Some(Self::RegionRestricted),
            (Control::HealthMonitoring, Medical::Normal) => Some(Self::HealthMonitoring),
            (Control::Isolated, Medical::Normal) => Some(Self::Isolated),
            (Control::Free | Control::Observation, Medical::Normal) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_no_gate_admits_has_a_reason_and_nobody_else() {
        for control in Control::ALL {
            for medical in [Medical::Normal, Medical::NotAdmitted] {
                let clearance = Clearance { control, medical };
                let admitted = matches!(control, Control::Free | Control::Observation)
                    && medical == Medical::Normal;
                assert_eq!(Reason::of(clearance).is_none(), admitted, "{clearance:?}");
            }
        }
    }
}
