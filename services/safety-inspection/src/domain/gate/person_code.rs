//! The code that a person shows: an authenticated cipher text of the opaque id and the day.
//!
//! `tag = HMAC(k1, payload)[..12]`, `cipher = payload XOR HMAC(k2, tag)`: the construction of a
//! synthetic initialisation vector. One person's codes of two days have nothing in common that
//! others could follow, and nothing needs to be stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Days, NaiveDate};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::domain::person::{PersonKind, PersonName};

const TAG: usize = 12;
const PAYLOAD: usize = 19;

/// Days are counted from here.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day of the calendar");

/// The keys of the codes.
#[derive(Clone)]
pub struct CodeKeys {
    tag: Hmac<Sha256>,
    mask: Hmac<Sha256>,
}

impl std::fmt::Debug for CodeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeKeys").finish_non_exhaustive()
    }
}

/// The text is not a code of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a person code of this city")]
pub struct ForeignCode;

impl CodeKeys {
    /// Derives the keys from a secret.
    pub fn new(secret: &[u8]) -> Self {
        let derive = |label: &[u8]| keyed(&mac(keyed(secret), label));
        Self {
            tag: derive(b"campus/person-code/tag"),
            mask: derive(b"campus/person-code/mask"),
        }
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
        let tag = self.tag_of(&payload);
        let mut code = tag.to_vec();
        code.extend(self.masked(&tag, payload));
        URL_SAFE_NO_PAD.encode(code)
    }

    /// Whose code it is, and of which day.
    ///
    /// # Errors
    /// [`ForeignCode`] when it was not issued with these keys.
    pub fn open(&self, code: &str) -> Result<(PersonName, NaiveDate), ForeignCode> {
        let bytes = URL_SAFE_NO_PAD.decode(code).map_err(|_| ForeignCode)?;
        let (tag, cipher) = bytes.split_first_chunk::<TAG>().ok_or(ForeignCode)?;
        let cipher: [u8; PAYLOAD] = cipher.try_into().map_err(|_| ForeignCode)?;
        let payload = self.masked(tag, cipher);
        self.tag
            .clone()
            .chain_update(payload)
            .verify_truncated_left(tag)
            .map_err(|_| ForeignCode)?;
        let kind = match payload[0] {
            1 => PersonKind::Student,
            2 => PersonKind::Staff,
            _ => return Err(ForeignCode),
        };
        let id = Uuid::from_slice(&payload[1..17]).map_err(|_| ForeignCode)?;
        let days = u64::from(u16::from_be_bytes([payload[17], payload[18]]));
        Ok((PersonName { kind, id }, EPOCH + Days::new(days)))
    }

    /// What stands for a card's number in the database.
    pub fn card_hash(&self, card: &str) -> [u8; 32] {
        let mut labelled = b"campus/card/".to_vec();
        labelled.extend(card.as_bytes());
        mac(self.tag.clone(), &labelled)
    }

    fn tag_of(&self, payload: &[u8; PAYLOAD]) -> [u8; TAG] {
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac(self.tag.clone(), payload)[..TAG]);
        tag
    }

    fn masked(&self, tag: &[u8; TAG], mut payload: [u8; PAYLOAD]) -> [u8; PAYLOAD] {
        let mask = mac(self.mask.clone(), tag);
        payload
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, mask)| *byte ^= mask);
        payload
    }
}

/// The day on which a code of `issued` is no longer valid.
pub fn expires(issued: NaiveDate, ttl_days: i32) -> NaiveDate {
    issued + Days::new(u64::try_from(ttl_days).unwrap_or(0))
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn mac(keyed: Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    keyed.chain_update(message).finalize().into_bytes().into()
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
        fn a_code_names_its_person_and_no_changed_code_does(
            id in any::<u128>(), staff in any::<bool>(), offset in any::<u16>(),
            at in 0..31_usize, flip in 1..=255_u8,
        ) {
            let kind = if staff { PersonKind::Staff } else { PersonKind::Student };
            let person = PersonName { kind, id: Uuid::from_u128(id) };
            let code = keys().issue(person, day(offset));
            prop_assert_eq!(keys().open(&code), Ok((person, day(offset))));
            let mut changed = URL_SAFE_NO_PAD.decode(&code).unwrap();
            changed[at] ^= flip;
            prop_assert_eq!(keys().open(&URL_SAFE_NO_PAD.encode(changed)), Err(ForeignCode));
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
