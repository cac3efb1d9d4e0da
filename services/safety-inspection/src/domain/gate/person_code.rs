//! The code that a person shows: the opaque id and the day, unreadable for others.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

pub use crate::domain::opaque_code::ForeignCode;
use crate::domain::opaque_code::OpaqueKeys;
use crate::domain::person::{PersonKind, PersonName};

const PAYLOAD: usize = 19;

/// Days are counted from here.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day of the calendar");

/// The keys of the codes.
#[derive(Clone, Debug)]
pub struct CodeKeys(OpaqueKeys);

impl CodeKeys {
    /// Derives the keys from a secret.
    pub fn new(secret: &[u8]) -> Self {
        Self(OpaqueKeys::new(secret, "person-code"))
    }

    /// The code of `person` on `day`.
    pub fn issue(&self, person: PersonName, day: NaiveDate) -> String {
        let days = day
            .signed_duration_since(EPOCH)
            .num_days()
            .clamp(0, i64::from(u16::MAX));
        let mut payload = [0_u8; PAYLOAD];
        payload[0] = match person.kind {
            PersonKind::Student => 1,
            PersonKind::Staff => 2,
        };
        payload[1..17].copy_from_slice(person.id.as_bytes());
        payload[17..].copy_from_slice(&u16::try_from(days).unwrap_or(u16::MAX).to_be_bytes());
        self.0.issue(payload)
    }

    /// Whose code it is, and of which day.
    ///
    /// # Errors
    /// [`ForeignCode`] when it was not issued with these keys.
    pub fn open(&self, code: &str) -> Result<(PersonName, NaiveDate), ForeignCode> {
        let payload: [u8; PAYLOAD] = self.0.open(code)?;
        let kind = match payload[0] {
            1 => PersonKind::Student,
            2 => PersonKind::Staff,
            _ => return Err(ForeignCode),
        };
        let id = Uuid::from_slice(&payload[1..17]).map_err(|_| ForeignCode)?;
        let days = u64::from(u16::from_be_bytes([payload[17], payload[18]]));
        Ok((PersonName { kind, id }, EPOCH + Days::new(days)))
    }

    /// The key by which gates without a network hash what is shown; neither codes nor the numbers of cards
    /// follow from it.
    pub fn credential_key(&self) -> [u8; 32] {
        self.0.hash("campus/gate-credential", "")
    }

    /// What stands for a card's number in the database.
    pub fn card_hash(&self, card: &str) -> [u8; 32] {
        self.0.hash("campus/card/", card)
    }
}

/// The day on which a code of `issued` is no longer valid.
pub fn expires(issued: NaiveDate, ttl_days: i32) -> NaiveDate {
    issued + Days::new(u64::try_from(ttl_days).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> CodeKeys {
        CodeKeys::new(b"a secret for tests")
    }

    fn day(offset: u16) -> NaiveDate {
        EPOCH + Days::new(u64::from(offset))
    }

    proptest! {
        #[test]
        fn a_code_names_its_person_and_day(
            id in any::<u128>(), staff in any::<bool>(), offset in any::<u16>(),
        ) {
            let kind = if staff { PersonKind::Staff } else { PersonKind::Student };
            let person = PersonName { kind, id: Uuid::from_u128(id) };
            let code = keys().issue(person, day(offset));
            prop_assert_eq!(keys().open(&code), Ok((person, day(offset))));
            prop_assert_eq!(CodeKeys::new(b"another").open(&code), Err(ForeignCode));
        }
    }

    #[test]
    fn a_code_changes_with_the_day_and_shows_nothing_of_the_id() {
        let person = PersonName {
            kind: PersonKind::Student,
            id: Uuid::from_u128(7),
        };
        let (one, two) = (
            keys().issue(person, day(800)),
            keys().issue(person, day(801)),
        );
        assert_eq!(one.len(), 42);
        assert_ne!(one[..20], two[..20]);
        assert_eq!(one, keys().issue(person, day(800)));
        assert_eq!(keys().open("nonsense"), Err(ForeignCode));
        assert_eq!(expires(day(1), 30), day(31));
    }
}
