//! The two axes of rule 1.24 as far as a gate may know them.

use chrono::NaiveDate;

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
    /// Observed as a contact, and attends (rule 1.23).
    Observation,
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
    /// The same of somebody for whom a restricted region was lifted on the civil day `lifted`: the
    /// restriction goes on for `days` of watching the own health (rule 4.9).
    #[must_use]
    pub fn after_region(self, lifted: NaiveDate, days: i32, today: NaiveDate) -> Self {
        let watched = (today - lifted).num_days() < i64::from(days);
        match self.control {
            Control::Free | Control::Observation | Control::HealthMonitoring if watched => Self {
                control: Control::RegionRestricted,
                ..self
            },
            _ => self,
        }
    }

    /// What a gate makes of it: it admits only NORMAL and FREE or OBSERVATION, or HEALTH_MONITORING
    /// where the policy allows.
    pub fn finding(self, admit_health_monitoring: bool) -> Finding {
        match (self.control, self.medical) {
            (Control::PoolHold, _) => Finding::Held,
            (_, Medical::NotAdmitted) => Finding::NotAdmitted,
            (Control::Free, Medical::Normal) => Finding::Clear,
            (Control::Observation, Medical::Normal) => Finding::Observation,
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
    pub const ALL: [Self; 8] = [
        Self::Free,
        Self::PoolHold,
        Self::SecondaryContact,
        Self::CloseContact,
        Self::RegionRestricted,
        Self::HealthMonitoring,
        Self::Isolated,
        Self::Observation,
    ];
}
