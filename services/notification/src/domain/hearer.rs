//! Who hears of an alert besides its owner.

use serde::Deserialize;

/// Who hears of an alert from the start besides its owner; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hearer {
    /// Whoever reads what is sent to the school, its head among them.
    School = 1,
    /// Whoever reads what is sent to the organisation right above.
    Above = 2,
    /// Whoever answers overall at the school.
    Principal = 3,
    /// The school doctors.
    SchoolDoctor = 4,
    /// Whoever answers for epidemic control at the school.
    EpidemicReporter = 5,
    /// Whoever reads what is sent to the city's bureau.
    CityBureau = 6,
    /// The centre for disease control that is nearest above the school.
    DiseaseControl = 7,
    /// Those whom the fact itself names.
    Named = 8,
}

impl Hearer {
    /// Everybody.
    pub const ALL: [Self; 8] = [
        Self::School,
        Self::Above,
        Self::Principal,
        Self::SchoolDoctor,
        Self::EpidemicReporter,
        Self::CityBureau,
        Self::DiseaseControl,
        Self::Named,
    ];

    /// From the number in contract and table.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|hearer| *hearer as i32 == code)
    }
}

/// Those who hear of an alert by its rule, each once: `named` stands in the place of those whom the
/// fact names.
pub fn hearers(also: &[Hearer], named: &[Hearer]) -> Vec<Hearer> {
    let mut found = Vec::new();
    for hearer in also {
        let these = match hearer {
            Hearer::Named => named,
            hearer => std::slice::from_ref(hearer),
        };
        let fresh = these.iter().filter(|one| **one != Hearer::Named);
        for one in fresh {
            if !found.contains(one) {
                found.push(*one);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whom_the_fact_names_stand_where_the_rule_says_so_each_once() {
        use Hearer::{Above, DiseaseControl, Named, Principal};
        let named = [Principal, DiseaseControl, Principal, Named];
        assert_eq!(
            hearers(&[Named, Above, Principal], &named),
            [Principal, DiseaseControl, Above]
        );
        assert_eq!(hearers(&[Above], &named), [Above]);
        assert_eq!(hearers(&[Named], &[]), []);
    }

    #[test]
    fn the_numbers_are_read_back() {
        for hearer in Hearer::ALL {
            assert_eq!(Hearer::from_code(hearer as i32), Some(hearer));
        }
        assert_eq!((Hearer::from_code(0), Hearer::from_code(9)), (None, None));
    }
}
