//! What is done at a level (rule 5.28).

use crate::domain::checklist::item::PlaceKind;
use crate::domain::numbered::numbered;
use crate::domain::weather::suspension::Cover;

numbered! {
    /// An action of the table. The numbers are those of the policy.
    Action {
        /// Duty round the clock.
        Duty = 1,
        /// Inspect the campus.
        Inspect = 2,
        /// Stop outdoor activities.
        StopOutdoor = 3,
        /// Check low-lying and geological points.
        CheckLowPoints = 4,
        /// Be ready to suspend.
        PrepareSuspension = 5,
        /// Suspend schools and kindergartens.
        SuspendSchools = 6,
        /// Suspend training institutions.
        SuspendTraining = 7,
        /// Stop school buses.
        StopBuses = 8,
        /// Open shelters.
        OpenShelters = 9,
        /// Leaders on site round the clock.
        LeadersOnSite = 10,
    }
}

impl Action {
    /// The word in data and in the names of tasks.
    pub fn word(self) -> &'static str {
        match self {
            Self::Duty => "duty",
            Self::Inspect => "inspect",
            Self::StopOutdoor => "stop-outdoor",
            Self::CheckLowPoints => "check-low-points",
            Self::PrepareSuspension => "prepare-suspension",
            Self::SuspendSchools => "suspend-schools",
            Self::SuspendTraining => "suspend-training",
            Self::StopBuses => "stop-buses",
            Self::OpenShelters => "open-shelters",
            Self::LeadersOnSite => "leaders-on-site",
        }
    }

    /// The kind of places of which each that is entered has a task of its own; none when there is one for
    /// all of the organisation.
    pub fn each(self) -> Option<PlaceKind> {
        match self {
            Self::StopBuses => Some(PlaceKind::Bus),
            _ => None,
        }
    }

    /// What it suspends, if it does.
    pub fn cover(self) -> Option<Cover> {
        match self {
            Self::SuspendSchools => Some(Cover::Schools),
            Self::SuspendTraining => Some(Cover::Training),
            Self::StopBuses => Some(Cover::Buses),
            _ => None,
        }
    }
}
