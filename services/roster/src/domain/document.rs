//! Identity documents: a number in the one spelling, and what a resident number tells of a person.

use std::fmt;

use chrono::{Datelike, NaiveDate};

use super::import::{Finding, IdKind, Reason, Sex, normal, other_id, resident_id};

/// How long the number of a document other than a resident identity card may be.
const LONGEST: usize = 32;

/// The identity document of a person. Its number is not shown for debugging.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its kind; none when nobody told.
    pub kind: Option<IdKind>,
    /// Its number in the one spelling that importing and looking up share.
    pub number: Option<String>,
    /// What a resident number tells.
    pub told: Option<Told>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Document");
        shown.field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a resident number tells of its holder (rule 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The birth month, YYYYMM.
    pub birth_month: i32,
    /// The sex.
    pub sex: Sex,
}

impl Document {
    /// Reads a document as people write it. A number without a kind is a resident number.
    ///
    /// # Errors
    /// The field that is wrong, `id_type` or `id_number`, and why.
    pub fn read(kind: Option<IdKind>, number: &str, today: NaiveDate) -> Result<Self, Finding> {
        let wrong = |reason| Finding {
            column: "id_number",
            reason,
        };
        let written = normal(number);
        let kind = match (kind, written.is_empty()) {
            (None, true) => return Ok(Self::default()),
            (Some(IdKind::None), true) => {
                return Ok(Self {
                    kind,
                    ..Self::default()
                });
            }
            (Some(IdKind::None), false) => {
                return Err(Finding {
                    column: "id_type",
                    reason: Reason::IdType,
                });
            }
            (Some(_), true) => return Err(wrong(Reason::Missing)),
            (Some(kind), false) => kind,
            (None, false) => IdKind::Resident,
        };
        if kind == IdKind::Resident {
            let (number, born, sex) = resident_id(&written, today).map_err(wrong)?;
            let told = Told {
                birth_month: month(born),
                sex,
            };
            return Ok(Self {
                kind: Some(kind),
                number: Some(number),
                told: Some(told),
            });
        }
        let number = other_id(&written);
        if number.chars().count() > LONGEST {
            return Err(wrong(Reason::TooLong));
        }
        if number.chars().any(|c| c.is_control() || c == '\u{fffd}') {
            return Err(wrong(Reason::BadCharacters));
        }
        Ok(Self {
            kind: Some(kind),
            number: Some(number),
            told: None,
        })
    }

    /// What a change makes of the stored document: `kind` and `number` as far as they were named. A
    /// number that is taken away takes its kind along, and who has no document has no number.
    ///
    /// # Errors
    /// The field that is wrong, `id_type` or `id_number`, and why.
    pub fn amended(
        self,
        kind: Option<Option<IdKind>>,
        number: Option<&str>,
        today: NaiveDate,
    ) -> Result<Self, Finding> {
        match (kind, number) {
            (None, None) => Ok(self),
            (None, Some(number)) if normal(number).is_empty() => Ok(Self::default()),
            (None, Some(number)) => {
                let kind = self.kind.filter(|kind| *kind != IdKind::None);
                Self::read(kind, number, today)
            }
            (Some(Some(IdKind::None)), None) => Self::read(Some(IdKind::None), "", today),
            (Some(kind), None) => {
                Self::read(kind, self.number.as_deref().unwrap_or_default(), today)
            }
            (Some(kind), Some(number)) => Self::read(kind, number, today),
        }
    }

    /// A document as it is stored.
    pub fn stored(kind: Option<IdKind>, number: Option<String>, today: NaiveDate) -> Self {
        let read = Self::read(kind, number.as_deref().unwrap_or_default(), today);
        read.unwrap_or(Self {
            kind,
            number,
            told: None,
        })
    }
}

/// The month of a day, YYYYMM.
pub fn month(day: NaiveDate) -> i32 {
    day.year() * 100 + day.month().cast_signed()
}

/// Whether somebody who lives on `today` can be born in `birth_month`, YYYYMM.
pub fn is_birth_month(birth_month: i32, today: NaiveDate) -> bool {
    (1..=12).contains(&(birth_month % 100)) && (190_001..=month(today)).contains(&birth_month)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RESIDENT: &str = "11010519491231002X";

    fn today() -> NaiveDate {
        "2022-04-07".parse().unwrap()
    }

    fn read(kind: Option<IdKind>, number: &str) -> Result<Document, (&'static str, Reason)> {
        Document::read(kind, number, today()).map_err(|finding| (finding.column, finding.reason))
    }

    #[test]
    fn a_number_without_a_kind_is_a_resident_number_and_tells_month_and_sex() {
        let document = read(None, RESIDENT).unwrap();
        let expected = Document {
            kind: Some(IdKind::Resident),
            number: Some(RESIDENT.to_owned()),
            told: Some(Told {
                birth_month: 194_912,
                sex: Sex::Female,
            }),
        };
        assert_eq!(document, expected);
    }

    #[test]
    fn kind_and_number_must_fit_each_other() {
        assert_eq!(read(None, "  ").unwrap(), Document::default());
        assert_eq!(
            read(Some(IdKind::None), "").unwrap().kind,
            Some(IdKind::None)
        );
        assert_eq!(
            read(Some(IdKind::None), RESIDENT),
            Err(("id_type", Reason::IdType))
        );
        assert_eq!(
            read(Some(IdKind::Passport), ""),
            Err(("id_number", Reason::Missing))
        );
        assert_eq!(
            read(Some(IdKind::Passport), &"E1".repeat(17)),
            Err(("id_number", Reason::TooLong))
        );
        assert_eq!(
            read(Some(IdKind::Passport), "E1\u{7}"),
            Err(("id_number", Reason::BadCharacters))
        );
        assert_eq!(
            read(None, "110105194912310021"),
            Err(("id_number", Reason::IdChecksum))
        );
    }

    #[test]
    fn a_change_names_kind_or_number_or_both() {
        let resident = || Document::stored(Some(IdKind::Resident), Some(RESIDENT.into()), today());
        let amended = |kind, number| resident().amended(kind, number, today());
        let passport = |number: &str| read(Some(IdKind::Passport), number).unwrap();
        assert_eq!(amended(None, None), Ok(resident()));
        assert_eq!(amended(None, Some("")), Ok(Document::default()));
        assert_eq!(amended(Some(None), Some("")), Ok(Document::default()));
        assert_eq!(
            amended(Some(Some(IdKind::Passport)), Some("e 12")),
            Ok(passport("E12"))
        );
        assert_eq!(
            amended(Some(Some(IdKind::Passport)), None),
            Ok(passport(RESIDENT))
        );
        let none = read(Some(IdKind::None), "").unwrap();
        assert_eq!(amended(Some(Some(IdKind::None)), None), Ok(none.clone()));
        // A number for somebody who had none is a resident number again.
        assert_eq!(none.amended(None, Some(RESIDENT), today()), Ok(resident()));
        assert!(amended(None, Some("123")).is_err());
    }

    #[test]
    fn a_number_is_not_shown_for_debugging() {
        assert!(!format!("{:?}", read(None, RESIDENT)).contains("110105"));
    }

    #[test]
    fn birth_months_lie_between_1900_and_now() {
        for (month, fits) in [
            (190_001, true),
            (202_204, true),
            (202_205, false),
            (201_200, false),
            (201_213, false),
            (189_912, false),
        ] {
            assert_eq!(is_birth_month(month, today()), fits, "{month}");
        }
    }

    proptest! {
        #[test]
        fn every_way_of_writing_a_number_is_one_spelling(
            wide in proptest::collection::vec(any::<bool>(), 18),
            blank in 0..18_usize,
            small in any::<bool>(),
            kind in prop_oneof![Just(IdKind::Resident), Just(IdKind::Passport)],
        ) {
            let mut written = String::new();
            for (place, character) in RESIDENT.chars().enumerate() {
                if place == blank {
                    written.push('\u{3000}');
                }
                let character = if small { character.to_ascii_lowercase() } else { character };
                let full = char::from_u32(u32::from(character) + 0xfee0).unwrap_or(character);
                written.push(if wide[place] { full } else { character });
            }
            let document = Document::read(Some(kind), &written, today()).unwrap();
            prop_assert_eq!(document.number.as_deref(), Some(RESIDENT));
        }
    }
}
