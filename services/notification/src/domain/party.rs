//! Whom something can reach: a pupil's family, a member of staff, an organisation.

use uuid::Uuid;

/// Whom something can reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A pupil, and for messages the family.
    Student(Uuid),
    /// A member of staff.
    Staff(Uuid),
    /// An organisation.
    Organization(String),
}

impl Party {
    /// From a resource name: `students/{student}`, `staff/{staff_member}` or
    /// `organizations/{organization}`. None for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        let (collection, id) = name.split_once('/')?;
        let uuid = || {
            let uuid = Uuid::try_parse(id).ok()?;
            (uuid.hyphenated().to_string() == id).then_some(uuid)
        };
        match collection {
            "students" => uuid().map(Self::Student),
            "staff" => uuid().map(Self::Staff),
            "organizations" => is_id(id).then(|| Self::Organization(id.to_owned())),
            _ => None,
        }
    }

    /// The resource name.
    pub fn name(&self) -> String {
        match self {
            Self::Student(id) => format!("students/{}", id.hyphenated()),
            Self::Staff(id) => format!("staff/{}", id.hyphenated()),
            Self::Organization(id) => format!("organizations/{id}"),
        }
    }
}

/// Whether a text is an organisation id: 1 to 32 lower-case letters, digits and hyphens.
fn is_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        let id = Uuid::from_u128(7);
        let parties = [
            Party::Student(id),
            Party::Staff(id),
            Party::Organization("2135010001".to_owned()),
        ];
        for party in parties {
            assert_eq!(Party::parse(&party.name()), Some(party));
        }
        let upper = format!("students/{}", id.simple());
        for name in [
            "",
            "students/",
            "students/1",
            "organizations/A b",
            "people/1",
            &upper,
        ] {
            assert_eq!(Party::parse(name), None, "{name}");
        }
    }
}
