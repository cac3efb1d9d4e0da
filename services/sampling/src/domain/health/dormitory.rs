//! Dormitory rooms: who lives in them, as far as one class group knows.

use sha2::{Digest, Sha256};

use crate::domain::roll::{Malformed, PersonId, person};

/// Somebody who lives in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resident {
    /// Who.
    pub person: PersonId,
    /// On long leave: not expected.
    pub on_leave: bool,
}

const RESIDENT: usize = 17;

/// The identifier of a room within its school: `d` and twelve hexadecimal digits that follow from
/// the school's place and the room as the register writes it.
pub fn id(school: &str, room: &str) -> String {
    let digest = Sha256::new()
        .chain_update(school)
        .chain_update([0])
        .chain_update(room)
        .finalize();
    format!("d{}", hex::encode(&digest[..6]))
}

/// One row of bytes, ordered by person.
pub fn pack(residents: &[Resident]) -> Vec<u8> {
    let mut residents = residents.to_vec();
    residents.sort();
    let mut bytes = Vec::with_capacity(residents.len() * RESIDENT);
    for resident in residents {
        bytes.extend(resident.person.0);
        bytes.push(u8::from(resident.on_leave));
    }
    bytes
}

/// From one row of bytes.
///
/// # Errors
/// When the length is not a whole number of residents.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Resident>, Malformed> {
    let chunks = bytes.chunks_exact(RESIDENT);
    if !chunks.remainder().is_empty() {
        return Err(Malformed);
    }
    let residents = chunks.map(|chunk| Resident {
        person: person(chunk),
        on_leave: chunk[16] != 0,
    });
    Ok(residents.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_one_identifier_in_its_school_and_another_elsewhere() {
        let here = id("fz/350102/2135010001", "3-201");
        assert_eq!(here, id("fz/350102/2135010001", "3-201"));
        assert_eq!(here.len(), 13);
        assert!(here.starts_with('d'));
        assert_ne!(here, id("fz/350102/2135010002", "3-201"));
        assert_ne!(here, id("fz/350102/2135010001", "3-202"));
        assert_ne!(id("ab", "c"), id("a", "bc"));
    }

    #[test]
    fn residents_survive_packing_in_the_order_of_people() {
        let one = |number, on_leave| Resident {
            person: PersonId([number; 16]),
            on_leave,
        };
        let packed = pack(&[one(2, true), one(1, false)]);
        assert_eq!(unpack(&packed), Ok(vec![one(1, false), one(2, true)]));
        assert_eq!(unpack(&packed[1..]), Err(Malformed));
    }
}
