//! Names of people: opaque, never personal data.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Whether somebody learns or works at a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PersonKind {
    /// A student.
    Student,
    /// A member of staff.
    Staff,
}

/// The resource name of a person, such as `students/0b9c…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonName {
    /// Student or staff.
    pub kind: PersonKind,
    /// The opaque id.
    pub id: Uuid,
}

/// The text is not `students/{uuid}` or `staff/{uuid}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a person")]
pub struct InvalidPersonName;

impl FromStr for PersonName {
    type Err = InvalidPersonName;

    fn from_str(text: &str) -> Result<Self, InvalidPersonName> {
        let (collection, id) = text.split_once('/').ok_or(InvalidPersonName)?;
        let kind = match collection {
            "students" => PersonKind::Student,
            "staff" => PersonKind::Staff,
            _ => return Err(InvalidPersonName),
        };
        let uuid = Uuid::try_parse(id).map_err(|_| InvalidPersonName)?;
        // One person has one name: other spellings of the same id are refused.
        let canonical = uuid.hyphenated().to_string() == id;
        if canonical {
            Ok(Self { kind, id: uuid })
        } else {
            Err(InvalidPersonName)
        }
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collection = match self.kind {
            PersonKind::Student => "students",
            PersonKind::Staff => "staff",
        };
        write!(f, "{collection}/{}", self.id.hyphenated())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_has_one_spelling() {
        let text = "students/0b9c3f5e-1111-4222-8333-444455556666";
        let name: PersonName = text.parse().unwrap();
        assert_eq!(name.to_string(), text);
        for wrong in [
            "",
            "students",
            "students/",
            "guardians/0b9c3f5e-1111-4222-8333-444455556666",
            "students/0B9C3F5E-1111-4222-8333-444455556666",
            "students/0b9c3f5e111142228333444455556666",
        ] {
            assert_eq!(
                wrong.parse::<PersonName>(),
                Err(InvalidPersonName),
                "{wrong}"
            );
        }
    }
}
