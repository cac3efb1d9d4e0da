//! Organisations: what they are, where they may stand, and when they may close.

use chrono::NaiveDate;

macro_rules! coded {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $each:literal])* $variant:ident = $code:literal $word:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $each])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number in the contract and in the database.
            pub fn code(self) -> i16 { match self { $(Self::$variant => $code,)* } }

            /// From its number.
            pub fn from_code(code: i16) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }

            /// The word in the contract, without prefix.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word,)* } }

            /// From its word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// What an organisation is (rule 7.2).
    Kind {
        /// The city's education bureau: the root.
        CityBureau = 1 "CITY_BUREAU",
        /// The education bureau of a district or county.
        CountyBureau = 2 "COUNTY_BUREAU",
        /// A zone with its own education office and no division code.
        FunctionalZone = 3 "FUNCTIONAL_ZONE",
        /// A school that the city runs itself.
        MunicipalSchool = 4 "MUNICIPAL_SCHOOL",
        /// A primary, secondary, vocational or special school.
        School = 5 "SCHOOL",
        /// A kindergarten.
        Kindergarten = 6 "KINDERGARTEN",
        /// A training institution.
        TrainingInstitution = 7 "TRAINING_INSTITUTION",
        /// An off-campus base.
        OffCampusBase = 8 "OFF_CAMPUS_BASE",
        /// A laboratory that tests tubes.
        Laboratory = 9 "LABORATORY",
        /// A centre for disease control.
        DiseaseControl = 10 "DISEASE_CONTROL",
        /// A university or college.
        University = 11 "UNIVERSITY",
    }
}

coded! {
    /// A stage of education (rule 7.9).
    Stage {
        /// Small, middle and big class.
        Kindergarten = 1 "KINDERGARTEN",
        /// Grades 1 to 6.
        Primary = 2 "PRIMARY",
        /// Grades 7 to 9.
        Junior = 3 "JUNIOR",
        /// Grades 10 to 12.
        Senior = 4 "SENIOR",
        /// Secondary vocational education.
        Vocational = 5 "VOCATIONAL",
        /// Special education.
        Special = 6 "SPECIAL",
        /// University or college.
        University = 7 "UNIVERSITY",
    }
}

impl Kind {
    /// Whether one of this kind may stand right below one of kind `parent`, or be the root.
    pub fn may_stand_below(self, parent: Option<Self>) -> bool {
        let Some(parent) = parent else {
            return self == Self::CityBureau;
        };
        match self {
            Self::CityBureau | Self::CountyBureau | Self::FunctionalZone => parent.is_bureau(),
            // A school may have parts of its own: campuses and departments.
            Self::School | Self::Kindergarten => parent.is_bureau() || parent.teaches(),
            Self::MunicipalSchool
            | Self::TrainingInstitution
            | Self::OffCampusBase
            | Self::Laboratory
            | Self::DiseaseControl
            | Self::University => parent.is_bureau(),
        }
    }

    /// Whether it governs others.
    pub fn is_bureau(self) -> bool {
        matches!(
            self,
            Self::CityBureau | Self::CountyBureau | Self::FunctionalZone
        )
    }

    /// Whether it has class groups.
    pub fn teaches(self) -> bool {
        match self {
            Self::MunicipalSchool
            | Self::School
            | Self::Kindergarten
            | Self::TrainingInstitution
            | Self::University => true,
            Self::CityBureau
            | Self::CountyBureau
            | Self::FunctionalZone
            | Self::OffCampusBase
            | Self::Laboratory
            | Self::DiseaseControl => false,
        }
    }
}

impl Stage {
    /// The letter at the head of a class group's id.
    pub fn letter(self) -> char {
        match self {
            Self::Kindergarten => 'k',
            Self::Primary => 'p',
            Self::Junior => 'j',
            Self::Senior => 's',
            Self::Vocational => 'v',
            Self::Special => 'x',
            Self::University => 'u',
        }
    }

    /// The grade before the first year, and the years of study. Grades run from 1 to 12 through
    /// primary, junior and senior; other stages count their own years.
    pub fn grades(self) -> (i32, i32) {
        match self {
            Self::Primary => (0, 6),
            Self::Junior => (6, 3),
            Self::Senior => (9, 3),
            Self::Kindergarten | Self::Vocational => (0, 3),
            Self::Special => (0, 12),
            Self::University => (0, 8),
        }
    }

    /// Whether its years are grades of the city, 1 to 12.
    pub fn counts_grades(self) -> bool {
        matches!(self, Self::Primary | Self::Junior | Self::Senior)
    }
}

/// The stages that a school teaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages(i32);

impl Stages {
    /// From how they are stored: one bit for each number of a stage.
    pub fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// As they are stored.
    pub fn bits(self) -> i32 {
        self.0
    }

    /// Each stage, in order.
    pub fn iter(self) -> impl Iterator<Item = Stage> {
        Stage::ALL
            .iter()
            .copied()
            .filter(move |stage| self.0 & (1 << stage.code()) != 0)
    }
}

impl FromIterator<Stage> for Stages {
    fn from_iter<I: IntoIterator<Item = Stage>>(stages: I) -> Self {
        Self(
            stages
                .into_iter()
                .fold(0, |bits, stage| bits | (1 << stage.code())),
        )
    }
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The code that names it.
    pub id: String,
    /// The codes from the root joined by `/`.
    pub org_path: String,
    /// What it is.
    pub kind: Kind,
    /// Shown to people.
    pub display_name: String,
    /// The code of the one above; empty for the root.
    pub parent: String,
    /// GB/T 2260 division; empty for zones without one.
    pub division_code: String,
    /// 学校（机构）标识码.
    pub school_code: Option<String>,
    /// Unified social credit code.
    pub uscc: Option<String>,
    /// The stages taught.
    pub stages: Stages,
    /// The code under which a laboratory's tokens name it.
    pub laboratory_code: Option<String>,
    /// Has dormitories.
    pub boarding: bool,
    /// The last civil day, once closed.
    pub closed: Option<NaiveDate>,
    /// The first civil day; none when always.
    pub valid_from: Option<NaiveDate>,
    /// Who took over when it closed; empty for nobody.
    pub replaced_by: String,
    /// The key in the system it was imported from; empty for none.
    pub external_id: String,
    /// Grows with each change.
    pub version: i64,
    /// The instant of the last change, in milliseconds since 1970.
    pub update_time: i64,
}

impl Organization {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("organizations/{}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_city_is_the_root_and_schools_stand_below_bureaus() {
        for kind in Kind::ALL {
            assert_eq!(
                kind.may_stand_below(None),
                *kind == Kind::CityBureau,
                "{kind:?}"
            );
            assert!(kind.may_stand_below(Some(Kind::CityBureau)), "{kind:?}");
            assert!(!kind.may_stand_below(Some(Kind::Laboratory)), "{kind:?}");
        }
        assert!(!Kind::CountyBureau.may_stand_below(Some(Kind::School)));
        assert!(!Kind::Laboratory.may_stand_below(Some(Kind::School)));
    }

    #[test]
    fn codes_and_words_are_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert_eq!(Kind::from_word(kind.as_str()), Some(*kind));
        }
        assert_eq!(Kind::from_code(0), None);
    }

    #[test]
    fn stages_survive_being_stored() {
        let stages: Stages = [Stage::Junior, Stage::Primary].into_iter().collect();
        let read: Vec<Stage> = Stages::from_bits(stages.bits()).iter().collect();
        assert_eq!(read, [Stage::Primary, Stage::Junior]);
    }
}
