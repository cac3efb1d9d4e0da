//! How the class groups of a part of the tree are taught, counted.

use std::collections::BTreeMap;

use super::class_group::TeachingMode;

/// How many class groups are taught in which mode, and at how many schools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TeachingSummary {
    /// Class groups that are taught in person.
    pub in_person: i64,
    /// Class groups that are taught at home.
    pub online: i64,
    /// Class groups of which teaching is suspended.
    pub suspended: i64,
    /// Schools that have class groups.
    pub schools: i64,
    /// Of them, those of which every class group is taught in person.
    pub in_person_schools: i64,
}

impl TeachingSummary {
    /// One school with so many class groups in each mode.
    pub fn of_school(in_person: i64, online: i64, suspended: i64) -> Self {
        Self {
            in_person,
            online,
            suspended,
            schools: 1,
            in_person_schools: i64::from(online == 0 && suspended == 0),
        }
    }

    /// How many class groups there are.
    pub fn class_groups(&self) -> i64 {
        self.in_person + self.online + self.suspended
    }

    /// How many class groups are taught in a mode.
    pub fn taught(&self, mode: TeachingMode) -> i64 {
        match mode {
            TeachingMode::InPerson => self.in_person,
            TeachingMode::Online => self.online,
            TeachingMode::Suspended => self.suspended,
        }
    }

    fn add(&mut self, other: &Self) {
        let Self {
            in_person,
            online,
            suspended,
            schools,
            in_person_schools,
        } = other;
        self.in_person += in_person;
        self.online += online;
        self.suspended += suspended;
        self.schools += schools;
        self.in_person_schools += in_person_schools;
    }
}

/// What schools, each with its place, amount to for each place right below `above`, by the id of that place.
/// A school that stands at `above` itself, or elsewhere, is below none of them.
pub fn right_below(
    above: &str,
    schools: impl IntoIterator<Item = (String, TeachingSummary)>,
) -> BTreeMap<String, TeachingSummary> {
    let mut sums: BTreeMap<String, TeachingSummary> = BTreeMap::new();
    for (place, school) in schools {
        let rest = place.strip_prefix(above);
        let Some(below) = rest.and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let id = below.split('/').next().unwrap_or_default();
        sums.entry(id.to_owned()).or_default().add(&school);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_teaches_in_person_when_all_of_its_class_groups_do() {
        let in_person =
            |online, suspended| TeachingSummary::of_school(3, online, suspended).in_person_schools;
        assert_eq!(
            (in_person(0, 0), in_person(1, 0), in_person(0, 1)),
            (1, 0, 0)
        );
    }

    #[test]
    fn every_mode_is_counted_once() {
        let counted = TeachingSummary::of_school(4, 2, 1);
        let modes = TeachingMode::ALL.iter().map(|mode| counted.taught(*mode));
        assert_eq!(modes.sum::<i64>(), counted.class_groups());
        assert_eq!(counted.class_groups(), 7);
    }

    #[test]
    fn schools_are_added_up_right_below_a_place_and_nowhere_else() {
        let schools = [
            ("fz", TeachingSummary::of_school(9, 9, 9)),
            ("fz/350102/a", TeachingSummary::of_school(5, 0, 0)),
            ("fz/350102/b", TeachingSummary::of_school(0, 1, 2)),
            ("fz/350102-1", TeachingSummary::of_school(7, 0, 0)),
            ("fz2/350102/c", TeachingSummary::of_school(1, 1, 1)),
        ];
        let schools = schools.map(|(place, counted)| (place.to_owned(), counted));
        let district = TeachingSummary {
            in_person: 5,
            online: 1,
            suspended: 2,
            schools: 2,
            in_person_schools: 1,
        };
        let expected = [
            ("350102".to_owned(), district),
            ("350102-1".to_owned(), TeachingSummary::of_school(7, 0, 0)),
        ];
        assert_eq!(right_below("fz", schools), BTreeMap::from(expected));
    }
}
