//! About whom a request is.

use uuid::Uuid;

/// Somebody of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Who learns.
    Student(Uuid),
    /// Who works.
    Staff(Uuid),
}

impl Person {
    /// From a resource name, `students/{student}` or `staff/{staff_member}`; none for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        let (collection, id) = name.split_once('/')?;
        let uuid = Uuid::try_parse(id).ok()?;
        // One person has one name: other spellings of the same id are refused.
        let spelt = uuid.hyphenated().to_string() == id;
        match collection {
            "students" if spelt => Some(Self::Student(uuid)),
            "staff" if spelt => Some(Self::Staff(uuid)),
            _ => None,
        }
    }

    /// The resource name.
    pub fn name(self) -> String {
        match self {
            Self::Student(id) => format!("students/{id}"),
            Self::Staff(id) => format!("staff/{id}"),
        }
    }

    /// The opaque id.
    pub fn id(self) -> Uuid {
        match self {
            Self::Student(id) | Self::Staff(id) => id,
        }
    }

    /// How it is stored: a number for the kind, and the id.
    pub fn parts(self) -> (i16, Uuid) {
        match self {
            Self::Student(id) => (1, id),
            Self::Staff(id) => (2, id),
        }
    }

    /// From how it is stored.
    pub fn from_parts(kind: i16, id: Uuid) -> Option<Self> {
        match kind {
            1 => Some(Self::Student(id)),
            2 => Some(Self::Staff(id)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_name_and_survives_being_stored() {
        let id = Uuid::from_u128(7);
        for person in [Person::Student(id), Person::Staff(id)] {
            assert_eq!(Person::parse(&person.name()), Some(person));
            let (kind, id) = person.parts();
            assert_eq!(Person::from_parts(kind, id), Some(person));
            let shouted = person.name().to_uppercase();
            assert_eq!(Person::parse(&shouted), None);
        }
        for wrong in [
            "",
            "staff",
            "staff/",
            "guardians/7",
            &format!("staff/{}", id.simple()),
        ] {
            assert_eq!(Person::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Person::from_parts(3, id), None);
    }
}
