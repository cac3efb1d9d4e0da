//! The people of a school.

use chrono::NaiveDate;
use uuid::Uuid;

/// Male or female.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Sex {
    Male,
    Female,
}

/// A pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Student {
    /// The identifier in the source.
    pub id: Uuid,
    /// The surname.
    pub surname: &'static str,
    /// The given name.
    pub given: String,
    /// The sex, which the resident id tells too.
    pub sex: Sex,
    /// The birth date, which the resident id tells too.
    pub birth: NaiveDate,
    /// The resident id.
    pub id_number: String,
    /// Whether the student lives at the school.
    pub boarder: bool,
    /// The dormitory room, such as `1-203`; empty for who lives at home.
    pub dormitory: String,
    /// The first guardian.
    pub guardian: Guardian,
}

impl Student {
    /// Surname and given name.
    pub fn name(&self) -> String {
        format!("{}{}", self.surname, self.given)
    }

    /// The national student number of a pupil with a resident id: `G` and the id.
    pub fn student_number(&self) -> String {
        format!("G{}", self.id_number)
    }
}

/// How a guardian is related to the student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Relation {
    Father,
    Mother,
    Grandparent,
}

impl Relation {
    /// The Chinese word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Father => "父亲",
            Self::Mother => "母亲",
            Self::Grandparent => "祖父母",
        }
    }
}

/// Somebody to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    /// The identifier in the source.
    pub id: Uuid,
    /// The surname.
    pub surname: &'static str,
    /// The given name.
    pub given: String,
    /// How they are related to the student.
    pub relation: Relation,
    /// The phone number.
    pub phone: String,
}

impl Guardian {
    /// Surname and given name.
    pub fn name(&self) -> String {
        format!("{}{}", self.surname, self.given)
    }
}

/// What a member of the staff does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Post {
    Principal,
    PartySecretary,
    SafetyDeputy,
    HeadTeacher,
    Teacher,
    Medical,
    EpidemicReporter,
    Guard,
    Cleaner,
    Canteen,
    Dormitory,
    Counsellor,
    Administration,
}

impl Post {
    /// The Chinese word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Principal => "校长",
            Self::PartySecretary => "党组织书记",
            Self::SafetyDeputy => "安全副校长",
            Self::HeadTeacher => "班主任",
            Self::Teacher => "教师",
            Self::Medical => "校医",
            Self::EpidemicReporter => "疫情报告人",
            Self::Guard => "保安",
            Self::Cleaner => "保洁",
            Self::Canteen => "食堂",
            Self::Dormitory => "宿管",
            Self::Counsellor => "心理教师",
            Self::Administration => "行政",
        }
    }

    /// The name in the contracts, without its prefix.
    pub fn code(self) -> &'static str {
        match self {
            Self::Principal => "PRINCIPAL",
            Self::PartySecretary => "PARTY_SECRETARY",
            Self::SafetyDeputy => "SAFETY_DEPUTY",
            Self::HeadTeacher => "HEAD_TEACHER",
            Self::Teacher => "TEACHER",
            Self::Medical => "MEDICAL",
            Self::EpidemicReporter => "EPIDEMIC_REPORTER",
            Self::Guard => "GUARD",
            Self::Cleaner => "CLEANER",
            Self::Canteen => "CANTEEN",
            Self::Dormitory => "DORMITORY",
            Self::Counsellor => "COUNSELLOR",
            Self::Administration => "ADMINISTRATION",
        }
    }
}

/// Somebody who works at a school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// The identifier in the source.
    pub id: Uuid,
    /// The number at the school.
    pub staff_code: String,
    /// The surname.
    pub surname: &'static str,
    /// The given name.
    pub given: String,
    /// The sex.
    pub sex: Sex,
    /// The birth date.
    pub birth: NaiveDate,
    /// The resident id.
    pub id_number: String,
    /// The phone number.
    pub phone: String,
    /// What they do.
    pub post: Post,
    /// The class group that a head teacher leads.
    pub class: Option<String>,
    /// The grade taught, 0 for none in particular.
    pub grade: u32,
}

impl StaffMember {
    /// Surname and given name.
    pub fn name(&self) -> String {
        format!("{}{}", self.surname, self.given)
    }
}
