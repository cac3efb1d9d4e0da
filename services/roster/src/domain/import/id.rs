//! Ids as the register writes them.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use crate::domain::organization::Stage;

/// The id of an organisation, 1 to 32 characters of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganizationId(pub(super) String);

/// The id of a class group within its organisation: stage letter, entry year and number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassGroupId {
    pub(super) text: String,
    stage: Stage,
    entry_year: i32,
    number: i32,
}

/// A kind of identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// 居民身份证.
    Resident,
    /// 护照.
    Passport,
    /// 港澳居民来往内地通行证.
    HongKongMacao,
    /// 台湾居民来往大陆通行证.
    Taiwan,
    /// 外国人永久居留身份证.
    ForeignResident,
    /// There is none.
    None,
}

impl FromStr for OrganizationId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let formed = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        formed.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClassGroupId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (head, number) = text.split_once('-').ok_or(())?;
        let letter = head.chars().next().ok_or(())?;
        let stage = Stage::ALL
            .iter()
            .copied()
            .find(|stage| stage.letter() == letter)
            .ok_or(())?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let year = head.get(1..).ok_or(())?;
        if year.len() != 4 || !digits(year) || number.len() != 2 || !digits(number) {
            return Err(());
        }
        let entry_year = year.parse().map_err(|_| ())?;
        let number = number.parse().map_err(|_| ())?;
        Self::new(stage, entry_year, number).ok_or(())
    }
}

impl fmt::Display for ClassGroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ClassGroupId {
    /// The grade on a day, 1 to 12 from primary to senior, the year of study otherwise; none
    /// before the cohort entered and after it left.
    pub fn grade(&self, day: NaiveDate) -> Option<i32> {
        let (before, years) = self.stage.grades();
        let year = school_year(day) - self.entry_year + 1;
        (1..=years).contains(&year).then_some(before + year)
    }

    /// Whether the cohort has left its stage by `day`.
    pub fn has_finished(&self, day: NaiveDate) -> bool {
        let (_, years) = self.stage.grades();
        school_year(day) - self.entry_year >= years
    }

    /// The class group of a stage, a cohort and a number within it; none when the year is outside
    /// of 1980 to 2100 or the number of 1 to 99.
    pub fn new(stage: Stage, entry_year: i32, number: i32) -> Option<Self> {
        let formed = (1980..=2100).contains(&entry_year) && (1..=99).contains(&number);
        formed.then(|| Self {
            text: format!("{}{entry_year}-{number:02}", stage.letter()),
            stage,
            entry_year,
            number,
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The stage.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The year in which the cohort entered the stage.
    pub fn entry_year(&self) -> i32 {
        self.entry_year
    }

    /// The number within the cohort.
    pub fn number(&self) -> i32 {
        self.number
    }
}

/// The year in which the school year of a day began, on 1 September.
pub fn school_year(day: NaiveDate) -> i32 {
    if day.month() >= 9 {
        day.year()
    } else {
        day.year() - 1
    }
}

impl OrganizationId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdKind {
    const ALL: [Self; 6] = [
        Self::Resident,
        Self::Passport,
        Self::HongKongMacao,
        Self::Taiwan,
        Self::ForeignResident,
        Self::None,
    ];

    /// From its number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The number in the contract and in the database.
    pub fn code(self) -> i16 {
        match self {
            Self::Resident => 1,
            Self::Passport => 2,
            Self::HongKongMacao => 3,
            Self::Taiwan => 4,
            Self::ForeignResident => 5,
            Self::None => 6,
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "" | "居民身份证" | "身份证" | "户口簿" | "1" | "RESIDENT_ID" => {
                Self::Resident
            }
            "护照" | "外国护照" | "PASSPORT" => Self::Passport,
            "港澳居民来往内地通行证"
            | "港澳通行证"
            | "香港特区护照/身份证明"
            | "澳门特区护照/身份证明" => Self::HongKongMacao,
            "台湾居民来往大陆通行证" | "台胞证" => Self::Taiwan,
            "外国人永久居留身份证" | "境外永久居住证" => Self::ForeignResident,
            "无" | "无证件" | "NONE" => Self::None,
            _ => return None,
        })
    }

    /// The word that is hashed and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resident => "RESIDENT",
            Self::Passport => "PASSPORT",
            Self::HongKongMacao => "HONG_KONG_MACAO",
            Self::Taiwan => "TAIWAN",
            Self::ForeignResident => "FOREIGN_RESIDENT",
            Self::None => "NONE",
        }
    }
}
