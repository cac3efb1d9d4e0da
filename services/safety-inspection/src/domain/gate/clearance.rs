//! The two axes of rule 1.24 as far as a gate may know them.

use super::finding::Finding;

/// The control axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// No measure.
    #[default]
    Free,
    /// Shares a positive or suspect tube.
    PoolHold,
    /// Contact of a contact.
    SecondaryContact,
    /// Close contact.
    CloseContact,
    /// From a restricted region.
    RegionRestricted,
    /// Watches the own health.
    HealthMonitoring,
    /// Isolated.
    Isolated,
}

/// The medical axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medical {
    /// Nothing known.
    #[default]
    Normal,
    /// Must not attend.
    NotAdmitted,
}

/// Somebody's place on both axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clearance {
    /// The control axis.
    pub control: Control,
    /// The medical axis.
    pub medical: Medical,
}

impl Clearance {
    /// What a gate makes of it: it admits only NORMAL and FREE, or HEALTH_MONITORING where the
    /// policy allows.
    pub fn finding(self, admit_health_monitoring: bool) -> Finding {
        match (self.control, self.medical) {
            (Control::PoolHold, _) => Finding::Held,
            (_, Medical::NotAdmitted) => Finding::NotAdmitted,
            (Control::Free, Medical::Normal) => Finding::Clear,
            (Control::HealthMonitoring, Medical::Normal) if admit_health_monitoring => {
                Finding::HealthMonitoring
            }
            (
                Control::HealthMonitoring
                | Control::SecondaryContact
                | Control::CloseContact
                | Control::RegionRestricted
                | Control::Isolated,
                Medical::Normal,
            ) => Finding::UnderControl,
        }
    }
}

impl Control {
    /// Every value.
    pub const ALL: [Self; 7] = [
        Self::Free,
        Self::PoolHold,
        Self::SecondaryContact,
        Self::CloseContact,
        Self::RegionRestricted,
        Self::HealthMonitoring,
        Self::Isolated,
    ];
}
