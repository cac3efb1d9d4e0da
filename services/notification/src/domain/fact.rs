//! Facts of other services that ask somebody at a school to do something.

use chrono::{DateTime, Utc};

use super::hearer::Hearer;
pub use super::kinds::{Kind, Source};

/// How much an alert matters; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To know.
    Notice = 1,
    /// To deal with today.
    Warning = 2,
    /// To deal with at once.
    Critical = 3,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Warning, Self::Critical];
}

/// What the sentence of an alert may say of where or to whom; the numbers are those of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Word {
    /// Nothing.
    #[default]
    None = 0,
    /// A class group.
    ClassGroup = 1,
    /// A dormitory room.
    Dormitory = 2,
    /// A grade.
    Grade = 3,
    /// The whole school.
    School = 4,
    /// The morning check.
    Morning = 5,
    /// The noon check.
    Noon = 6,
    /// The evening check.
    Evening = 7,
    /// The county's health authority.
    CountyHealth = 8,
    /// The county's government.
    CountyGovernment = 9,
    /// The city.
    City = 10,
    /// The province.
    Province = 11,
    /// The health authority of the State Council.
    State = 12,
    /// The district's education bureau.
    DistrictBureau = 13,
    /// The city's education bureau.
    CityBureau = 14,
    /// The government.
    Government = 15,
    /// The police.
    Police = 16,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 17] = [
        Self::None,
        Self::ClassGroup,
        Self::Dormitory,
        Self::Grade,
        Self::School,
        Self::Morning,
        Self::Noon,
        Self::Evening,
        Self::CountyHealth,
        Self::CountyGovernment,
        Self::City,
        Self::Province,
        Self::State,
        Self::DistrictBureau,
        Self::CityBureau,
        Self::Government,
        Self::Police,
    ];

    /// In Chinese and in English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("", ""),
            Self::ClassGroup => ("一个班级", "a class group"),
            Self::Dormitory => ("一间宿舍", "a dormitory room"),
            Self::Grade => ("一个年级", "a grade"),
            Self::School => ("全校", "the school"),
            Self::Morning => ("晨检", "morning"),
            Self::Noon => ("午检", "noon"),
            Self::Evening => ("晚检", "evening"),
            Self::CountyHealth => ("县级卫生健康部门", "the county's health authority"),
            Self::CountyGovernment => ("县级人民政府", "the county's government"),
            Self::City => ("市级", "the city"),
            Self::Province => ("省级", "the province"),
            Self::State => (
                "国务院卫生健康主管部门",
                "the health authority of the State Council",
            ),
            Self::DistrictBureau => ("区县教育局", "the district's education bureau"),
            Self::CityBureau => ("市教育局", "the city's education bureau"),
            Self::Government => ("人民政府", "the government"),
            Self::Police => ("公安机关", "the police"),
        }
    }
}

/// The numbers of a fact, and its place in a word: all that a sentence about it may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many people it concerns, 0 when it is not about people.
    pub people: i32,
    /// What the kind counts: days, checks that are missing, or tasks that are overdue.
    pub amount: i32,
    /// Of how many.
    pub total: i32,
    /// Where, or to whom.
    pub word: Word,
}

/// The entity that a fact is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The resource name, such as `holds/{hold}`.
    pub name: String,
    /// The organisation id of the school.
    pub organization: String,
    /// The place of the school in the tree.
    pub org_path: String,
}

/// A fact as far as an alert may know it: resources and numbers, never a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What happened.
    pub kind: Kind,
    /// Of what it is a fact; one entity has at most one fact of a kind at a time.
    pub entity: Entity,
    /// What it is about besides, such as class groups and tubes.
    pub subjects: Vec<String>,
    /// Whom it names itself to hear of it, such as the recipients of the rule of a cluster.
    pub named: Vec<Hearer>,
    /// Its numbers.
    pub figures: Figures,
    /// It is the graver sort of its kind.
    pub grave: bool,
    /// When it came to be.
    pub occurred: DateTime<Utc>,
    /// Its own deadline, when it has one.
    pub limit: Option<DateTime<Utc>>,
    /// Nothing but a change of the fact ends its alert. False when the fact is decided and what is
    /// left to do is for a person to say done.
    pub stands: bool,
    /// Somebody has seen it where it was found.
    pub seen: bool,
}

impl Fact {
    /// A fact that stands and that nobody has seen, with no numbers yet.
    pub fn new(kind: Kind, entity: Entity, occurred: DateTime<Utc>) -> Self {
        Self {
            kind,
            entity,
            subjects: Vec::new(),
            named: Vec::new(),
            figures: Figures::default(),
            grave: false,
            occurred,
            limit: None,
            stands: true,
            seen: false,
        }
    }
}
