//! Organisations as far as their safety is concerned.

/// What an organisation is; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The city's education bureau.
    CityBureau = 1,
    /// The education bureau of a district or county.
    CountyBureau = 2,
    /// A zone with its own education office.
    FunctionalZone = 3,
    /// A school that the city runs itself.
    MunicipalSchool = 4,
    /// A primary, secondary, vocational or special school.
    School = 5,
    /// A kindergarten.
    Kindergarten = 6,
    /// A training institution.
    TrainingInstitution = 7,
    /// An off-campus base.
    OffCampusBase = 8,
    /// A laboratory.
    Laboratory = 9,
    /// A centre for disease control.
    DiseaseControl = 10,
    /// A university or college.
    University = 11,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::CityBureau,
        Self::CountyBureau,
        Self::FunctionalZone,
        Self::MunicipalSchool,
        Self::School,
        Self::Kindergarten,
        Self::TrainingInstitution,
        Self::OffCampusBase,
        Self::Laboratory,
        Self::DiseaseControl,
        Self::University,
    ];

    /// The kind of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i16 == number)
    }

    /// Whether it supervises others.
    pub fn is_bureau(self) -> bool {
        matches!(
            self,
            Self::CityBureau | Self::CountyBureau | Self::FunctionalZone
        )
    }

    /// Whether it is a school or a kindergarten, which the three demands of rule 5.10 bind.
    pub fn is_school(self) -> bool {
        matches!(
            self,
            Self::MunicipalSchool | Self::School | Self::Kindergarten
        )
    }

    /// Whether it has to keep duty round the clock (rule 5.31).
    pub fn keeps_duty(self) -> bool {
        self.is_bureau() || self.has_campus()
    }

    /// Whether pupils or trainees come together there, so that all of section 5 binds it.
    pub fn has_campus(self) -> bool {
        matches!(
            self,
            Self::MunicipalSchool
                | Self::School
                | Self::Kindergarten
                | Self::TrainingInstitution
                | Self::OffCampusBase
                | Self::University
        )
    }
}

/// A level of the hierarchy: who decides there. A higher one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// A school or another place with a campus.
    School,
    /// The bureau of a district, county or zone.
    District,
    /// The bureau of the city.
    City,
}

/// The number of the stage of kindergartens in the contract.
const KINDERGARTEN: i16 = 1;

/// The number of the stage of a grade in the contract; none for a class group without a grade.
fn stage_of(grade: i32) -> Option<i16> {
    match grade {
        1..=6 => Some(2),
        7..=9 => Some(3),
        10..=12 => Some(4),
        _ => None,
    }
}

/// An organisation and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The id.
    pub id: String,
    /// The place in the tree, such as `fz/350102/2135010001`.
    pub org_path: String,
    /// What it is.
    pub kind: Kind,
    /// Shown to people.
    pub display_name: String,
    /// One bit for each number of the contract's `Stage`.
    pub stages: i32,
    /// GB/T 2260 division of the place; may be empty.
    pub division: String,
    /// It has dormitories.
    pub boarding: bool,
    /// It is neither closed nor merged.
    pub open: bool,
}

impl Organization {
    /// Whether it teaches the stage of this number.
    pub fn teaches(&self, stage: i16) -> bool {
        (0..=30).contains(&stage) && self.stages & (1 << stage) != 0
    }

    /// The same, with the stages of its class groups, by their grades, where the register states none.
    #[must_use]
    pub fn with_stages_of(self, grades: impl IntoIterator<Item = i32>) -> Self {
        if self.stages != 0 {
            return self;
        }
        let small = (self.kind == Kind::Kindergarten).then_some(KINDERGARTEN);
        let stages = grades.into_iter().filter_map(stage_of).chain(small);
        Self {
            stages: stages.fold(0, |bits, stage| bits | (1 << stage)),
            ..self
        }
    }

    /// Who decides there.
    pub fn level(&self) -> Level {
        match self.kind {
            Kind::CityBureau => Level::City,
            Kind::CountyBureau | Kind::FunctionalZone => Level::District,
            _ => Level::School,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_contract() {
        for (number, kind) in (1..).zip(Kind::ALL) {
            assert_eq!(Kind::from_number(number), Some(kind));
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_number(12), None);
    }

    #[test]
    fn who_supervises_has_no_campus() {
        for kind in Kind::ALL {
            assert!(!(kind.is_bureau() && kind.has_campus()), "{kind:?}");
        }
        assert!(Level::City > Level::District && Level::District > Level::School);
    }

    #[test]
    fn grades_tell_the_stages_that_the_register_leaves_out_and_no_others() {
        let told = |kind, stages| Organization {
            id: "s".to_owned(),
            org_path: "fz/d/s".to_owned(),
            kind,
            display_name: String::new(),
            stages,
            division: String::new(),
            boarding: false,
            open: true,
        };
        let derived = |kind, stages, grades: &[i32]| {
            let known = told(kind, stages).with_stages_of(grades.iter().copied());
            (0..=7)
                .filter(|stage| known.teaches(*stage))
                .collect::<Vec<_>>()
        };
        assert_eq!(derived(Kind::School, 0, &[1, 6, 7]), [2, 3]);
        assert_eq!(derived(Kind::School, 0, &[10, 12]), [4]);
        assert_eq!(derived(Kind::School, 0, &[0, 13, -1]), [0; 0]);
        assert_eq!(derived(Kind::Kindergarten, 0, &[0]), [1]);
        // What the register states is not put right by who happens to be there.
        assert_eq!(derived(Kind::School, 1 << 4, &[1]), [4]);
    }
}
