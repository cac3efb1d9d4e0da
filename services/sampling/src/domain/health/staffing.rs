//! How many health technicians a school has to have (rule 1.9): a finding, never a bar.

/// The number of the roster's `StaffMember.Post` of medical staff.
pub const MEDICAL_POST: u32 = 7;

/// How a school's number of technicians follows from its pupils.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staffing {
    /// One full-time technician for as many pupils.
    pub pupils: u32,
    /// One for about as many children of a kindergarten.
    pub children: u32,
    /// The text that it comes from.
    pub source: String,
}

/// Whom a school teaches and who looks after their health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    /// Pupils on the rolls.
    pub pupils: u32,
    /// Children of its kindergarten classes.
    pub children: u32,
    /// Staff with the post of medical staff who are not on long leave.
    pub medical: u32,
}

impl Staffing {
    /// How many a school needs: one for every full number of pupils, and one where there are fewer. A
    /// school without pupils needs none.
    pub fn required(&self, strength: Strength) -> u32 {
        let parts = [
            (strength.pupils, self.pupils),
            (strength.children, self.children),
        ];
        let full: u32 = parts
            .iter()
            .map(|(people, each)| people.checked_div(*each).unwrap_or(0))
            .sum();
        let anybody = strength.pupils + strength.children > 0;
        full.max(u32::from(anybody))
    }

    /// Whether somebody full-time is asked for: not of a school that is smaller than one number.
    pub fn full_time(&self, strength: Strength) -> bool {
        strength.pupils >= self.pupils.max(1)
    }

    /// How many a school lacks.
    pub fn lacks(&self, strength: Strength) -> u32 {
        self.required(strength).saturating_sub(strength.medical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law() -> Staffing {
        Staffing {
            pupils: 600,
            children: 150,
            source: String::new(),
        }
    }

    fn school(pupils: u32, children: u32, medical: u32) -> Strength {
        Strength {
            pupils,
            children,
            medical,
        }
    }

    #[test]
    fn one_for_every_six_hundred_pupils_and_one_in_a_smaller_school() {
        let required = |pupils, children| law().required(school(pupils, children, 0));
        let pupils = [0, 1, 599, 600, 1199, 1200, 3000].map(|pupils| required(pupils, 0));
        assert_eq!(pupils, [0, 1, 1, 1, 1, 2, 5]);
        let children = [1, 149, 150, 300].map(|children| required(0, children));
        assert_eq!(children, [1, 1, 1, 2]);
        assert_eq!(required(600, 300), 3, "a school with a kindergarten");
    }

    #[test]
    fn a_part_time_teacher_is_enough_below_six_hundred() {
        assert!(!law().full_time(school(599, 0, 1)));
        assert!(law().full_time(school(600, 0, 1)));
        assert_eq!(law().lacks(school(1200, 0, 1)), 1);
        assert_eq!(law().lacks(school(1200, 0, 4)), 0);
    }

    #[test]
    fn without_a_number_one_is_enough() {
        let none = Staffing::default();
        assert_eq!(none.required(school(5000, 900, 0)), 1);
    }
}
