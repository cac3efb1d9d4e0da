//! Who is in a group, packed into one row of the database.

use super::day::Day;

/// Somebody of whom nothing is known but this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub [u8; 16]);

/// What kind of people a group holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// A class group of students.
    Students,
    /// The staff of one school who work with one grade.
    Staff,
}

impl GroupKind {
    /// The collection of its people in resource names.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Students => "students",
            Self::Staff => "staff",
        }
    }

    /// As it is stored.
    pub fn code(self) -> i16 {
        match self {
            Self::Students => 1,
            Self::Staff => 2,
        }
    }

    /// From how it is stored.
    pub fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Students),
            2 => Some(Self::Staff),
            _ => None,
        }
    }
}

/// One person on a roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// Not expected at school: on the roll, on long leave.
    pub on_leave: bool,
    /// May not be asked for a swab for medical reasons.
    pub exempt: bool,
    /// The first day on which the person could be drawn since the last time they could not.
    pub since: Day,
    /// The posts held: one bit for each number of the roster's `StaffMember.Post`.
    pub posts: u32,
}

impl Member {
    /// Whether the person may be drawn as far as the roll can tell.
    pub fn is_eligible(&self) -> bool {
        !self.on_leave && !self.exempt
    }
}

/// Everybody in a group, ordered by person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    members: Vec<Member>,
}

/// Bytes that are no packed roll or rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a packed row")]
pub struct Malformed;

/// Bytes of one student on a packed roll.
pub const STUDENT: usize = 19;
const STAFF: usize = 23;
const ON_LEAVE: u8 = 1;
const EXEMPT: u8 = 2;

impl Roll {
    /// Orders the members; of one person named twice, the first stays.
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by_key(|member| member.person);
        members.dedup_by_key(|member| member.person);
        Self { members }
    }

    /// The members, ordered by person.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many are expected at school while their group is taught in person.
    pub fn expected(&self) -> usize {
        let expected = self.members.iter().filter(|member| !member.on_leave);
        expected.count()
    }

    /// The member with this identity.
    pub fn get(&self, person: PersonId) -> Option<&Member> {
        let place = self
            .members
            .binary_search_by_key(&person, |member| member.person)
            .ok()?;
        self.members.get(place)
    }

    /// Takes over since when people have waited from the roll `before` this one: whoever was
    /// eligible then still waits since the same day; whoever was not, begins on `today`.
    /// `were_taught` tells whether the group was present in person.
    #[must_use]
    pub fn after(mut self, before: &Self, were_taught: bool, today: Day) -> Self {
        for member in &mut self.members {
            member.since = match before.get(member.person) {
                Some(old) if were_taught && old.is_eligible() => old.since,
                _ => member.since.max(today),
            };
        }
        self
    }

    /// One row of bytes.
    pub fn pack(&self, kind: GroupKind) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.members.len() * STAFF);
        for member in &self.members {
            bytes.extend(member.person.0);
            let leave = if member.on_leave { ON_LEAVE } else { 0 };
            bytes.push(leave | if member.exempt { EXEMPT } else { 0 });
            bytes.extend(member.since.number().to_le_bytes());
            if kind == GroupKind::Staff {
                bytes.extend(member.posts.to_le_bytes());
            }
        }
        bytes
    }

    /// From one row of bytes.
    ///
    /// # Errors
    /// When the length is not a whole number of members.
    pub fn unpack(kind: GroupKind, bytes: &[u8]) -> Result<Self, Malformed> {
        let size = match kind {
            GroupKind::Students => STUDENT,
            GroupKind::Staff => STAFF,
        };
        let chunks = bytes.chunks_exact(size);
        if !chunks.remainder().is_empty() {
            return Err(Malformed);
        }
        let members = chunks.map(|chunk| Member {
            person: person(chunk),
            on_leave: chunk[16] & ON_LEAVE != 0,
            exempt: chunk[16] & EXEMPT != 0,
            since: Day::from_number(u16::from_le_bytes([chunk[17], chunk[18]])),
            posts: chunk.get(19..23).map_or(0, |posts| {
                u32::from_le_bytes([posts[0], posts[1], posts[2], posts[3]])
            }),
        });
        Ok(Self {
            members: members.collect(),
        })
    }
}

/// The person at the head of a chunk of at least 16 bytes.
pub(crate) fn person(chunk: &[u8]) -> PersonId {
    let mut id = [0; 16];
    id.copy_from_slice(&chunk[..16]);
    PersonId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u8, since: u16) -> Member {
        Member {
            person: PersonId([id; 16]),
            on_leave: false,
            exempt: false,
            since: Day::from_number(since),
            posts: u32::from(id) << 9,
        }
    }

    #[test]
    fn a_roll_survives_packing() {
        let roll = Roll::new(vec![
            Member {
                on_leave: true,
                ..member(3, 7)
            },
            Member {
                exempt: true,
                ..member(1, 8000)
            },
        ]);
        assert_eq!(
            Roll::unpack(GroupKind::Staff, &roll.pack(GroupKind::Staff)),
            Ok(roll.clone())
        );
        let students = Roll::unpack(GroupKind::Students, &roll.pack(GroupKind::Students)).unwrap();
        assert_eq!(
            students.get(PersonId([1; 16])),
            Some(&Member {
                posts: 0,
                ..roll.members()[0]
            })
        );
        assert_eq!(Roll::unpack(GroupKind::Students, &[0; 18]), Err(Malformed));
    }

    #[test]
    fn waiting_begins_anew_for_joiners_and_returners_only() {
        let before = Roll::new(vec![
            member(1, 10),
            Member {
                on_leave: true,
                ..member(2, 10)
            },
        ]);
        let today = Day::from_number(50);
        let after = Roll::new(vec![member(1, 20), member(2, 10), member(3, 30)]);
        let since = |roll: &Roll| {
            roll.members()
                .iter()
                .map(|m| m.since.number())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            since(&after.clone().after(&before, true, today)),
            [10, 50, 50]
        );
        assert_eq!(since(&after.after(&before, false, today)), [50, 50, 50]);
    }
}
