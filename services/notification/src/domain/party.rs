//! Whom something can reach: a pupil, the pupil's guardians, a member of staff, an organisation.

use uuid::Uuid;

/// Whom something can reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A pupil. What is for the pupil is not for the guardians.
    Student(Uuid),
    /// All guardians of a pupil: they have one inbox, apart from that of the pupil.
    Family(Uuid),
    /// One guardian of a pupil, by the ids of both: with addresses and preferences of their own, told what
    /// the family is told.
    Guardian(Uuid, Uuid),
    /// A member of staff.
    Staff(Uuid),
    /// An organisation.
    Organization(String),
}

impl Party {
    /// From a resource name: `students/{student}`, `students/{student}/guardians/-` for all guardians,
    /// `students/{student}/guardians/{guardian}` for one, `staff/{staff_member}` or
    /// `organizations/{organization}`. None for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.splitn(5, '/');
        let parts = [(); 5].map(|()| parts.next());
        match parts {
            [Some("students"), Some(id), None, ..] => uuid(id).map(Self::Student),
            [
                Some("students"),
                Some(id),
                Some("guardians"),
                Some("-"),
                None,
            ] => uuid(id).map(Self::Family),
            [
                Some("students"),
                Some(id),
                Some("guardians"),
                Some(guardian),
                None,
            ] => Some(Self::Guardian(uuid(id)?, uuid(guardian)?)),
            [Some("staff"), Some(id), None, ..] => uuid(id).map(Self::Staff),
            [Some("organizations"), Some(id), None, ..] => {
                is_id(id).then(|| Self::Organization(id.to_owned()))
            }
            _ => None,
        }
    }

    /// The resource name.
    pub fn name(&self) -> String {
        match self {
            Self::Student(id) => format!("students/{}", id.hyphenated()),
            Self::Family(id) => format!("students/{}/guardians/-", id.hyphenated()),
            Self::Guardian(student, id) => {
                format!(
                    "students/{}/guardians/{}",
                    student.hyphenated(),
                    id.hyphenated()
                )
            }
            Self::Staff(id) => format!("staff/{}", id.hyphenated()),
            Self::Organization(id) => format!("organizations/{id}"),
        }
    }

    /// Whether an inbox is theirs. One guardian reads that of the family.
    pub fn has_inbox(&self) -> bool {
        match self {
            Self::Student(_) | Self::Family(_) | Self::Staff(_) | Self::Organization(_) => true,
            Self::Guardian(..) => false,
        }
    }
}

/// A UUID as resource names have it: in lower case, with hyphens.
fn uuid(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().to_string() == text).then_some(uuid)
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
            Party::Family(id),
            Party::Guardian(id, Uuid::from_u128(8)),
            Party::Staff(id),
            Party::Organization("2135010001".to_owned()),
        ];
        for party in parties {
            assert_eq!(Party::parse(&party.name()), Some(party));
        }
        let upper = format!("students/{}", id.simple());
        let (student, staff) = (Party::Student(id).name(), Party::Staff(id).name());
        let guardians = format!("{student}/guardians/");
        let deeper = format!("{student}/guardians/-/inbox");
        let siblings = format!("{student}/siblings/-");
        let of_staff = format!("{staff}/guardians/-");
        for name in [
            "",
            &guardians,
            &deeper,
            &siblings,
            &of_staff,
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
