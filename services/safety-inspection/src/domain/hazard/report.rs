//! What is said when a hazard is found (rules 5.3, 5.7).

use super::state::Grade;
use crate::domain::checklist::item::Clause;
use crate::domain::numbered::numbered;
use crate::domain::photo::Photo;

numbered! {
    /// The field of a hazard (rule 5.3); the numbers are those of the contract.
    Category {
        /// Fire.
        Fire = 1,
        /// School buildings.
        Building = 2,
        /// Food.
        Food = 3,
        /// Laboratories and practical training.
        Laboratory = 4,
        /// School buses and traffic on campus.
        Traffic = 5,
        /// Crowds and stampedes.
        Crowd = 6,
        /// Special equipment.
        SpecialEquipment = 7,
        /// Water, electricity, gas and heating.
        Utilities = 8,
        /// Gate, perimeter and security.
        Perimeter = 9,
        /// Landslides and floods.
        GeologyFlood = 10,
        /// Drowning.
        Drowning = 11,
        /// Bullying and violence.
        Violence = 12,
        /// Networks and data.
        Network = 13,
        /// Psychology.
        Psychology = 14,
        /// Training institutions.
        Training = 15,
        /// Off-campus bases.
        OffCampusBase = 16,
        /// Epidemic control.
        Epidemic = 17,
    }
}

numbered! {
    /// Who found a hazard (rule 5.7); the numbers are those of the contract.
    Source {
        /// The organisation itself.
        Own = 1,
        /// A parent.
        Parent = 2,
        /// A bureau.
        Bureau = 3,
        /// Another department, such as fire or police.
        OtherDepartment = 4,
        /// An inspection of this system.
        Inspection = 5,
        /// The review of a drill.
        Drill = 6,
        /// The review of an incident.
        Incident = 7,
        /// The sweep after a weather warning.
        Weather = 8,
    }
}

impl Category {
    /// The subject of the responsibility chain that answers for hazards of this field.
    pub fn subject(self) -> &'static str {
        match self {
            Self::Fire => "FIRE",
            Self::Building => "BUILDINGS",
            Self::Food => "FOOD",
            Self::Laboratory => "LABORATORIES",
            Self::Traffic => "TRAFFIC",
            Self::Perimeter | Self::Violence => "SECURITY",
            Self::GeologyFlood => "WEATHER",
            Self::Network => "DATA",
            Self::Psychology => "PSYCHOLOGY",
            Self::Epidemic => "EPIDEMIC_CONTROL",
            Self::Crowd
            | Self::SpecialEquipment
            | Self::Utilities
            | Self::Drowning
            | Self::Training
            | Self::OffCampusBase => "SAFETY",
        }
    }
}

/// A hazard as it is found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The place within the organisation, such as `building-3/floor-2`; empty for all of it.
    pub place: String,
    /// Its field.
    pub category: Category,
    /// What is wrong, in words.
    pub description: String,
    /// Evidence.
    pub photos: Vec<Photo>,
    /// Who found it.
    pub source: Source,
    /// The resource that led to it, such as an inspection or a drill; empty when found by itself.
    pub origin: String,
    /// The codes of rules by which it is major without further judgement (rule 5.4).
    pub major_rules: Vec<String>,
    /// The grade that the failed item of a checklist gives by the rules of the day.
    pub proposed: Option<Grade>,
    /// The law behind that item.
    pub clause: Option<Clause>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart() {
        for category in Category::ALL {
            assert_eq!(Category::from_number(*category as i32), Some(*category));
        }
        assert_eq!(Category::from_number(0), None);
        assert_eq!(Source::from_number(9), None);
    }
}
