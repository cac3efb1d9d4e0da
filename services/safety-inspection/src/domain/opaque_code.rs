//! Codes that people show: an authenticated cipher text of a few bytes.
//!
//! `tag = HMAC(k1, payload)[..12]`, `cipher = payload XOR HMAC(k2, tag)`: the construction of a
//! synthetic initialisation vector. Two payloads that differ a little give codes that have nothing in
//! common that others could follow, and nothing needs to be stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const TAG: usize = 12;

/// The keys of one kind of code.
#[derive(Clone)]
pub struct OpaqueKeys {
    tag: Hmac<Sha256>,
    mask: Hmac<Sha256>,
}

impl std::fmt::Debug for OpaqueKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpaqueKeys").finish_non_exhaustive()
    }
}

/// The text is not a code of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code of this city")]
pub struct ForeignCode;

impl OpaqueKeys {
    /// Derives the keys of the codes of `kind` from a secret.
    pub fn new(secret: &[u8], kind: &str) -> Self {
        let derive = |part: &str| {
            let label = format!("campus/{kind}/{part}");
            keyed(&mac(keyed(secret), label.as_bytes()))
        };
        Self {
            tag: derive("tag"),
            mask: derive("mask"),
        }
    }

    /// The code of a payload of at most 32 bytes; the same payload has the same code.
    pub fn issue<const N: usize>(&self, payload: [u8; N]) -> String {
        const { assert!(N <= 32) };
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac(self.tag.clone(), &payload)[..TAG]);
        let mut code = tag.to_vec();
        code.extend(self.masked(&tag, payload));
        URL_SAFE_NO_PAD.encode(code)
    }

    /// The payload of a code.
    ///
    /// # Errors
    /// [`ForeignCode`] when it was not issued with these keys.
    pub fn open<const N: usize>(&self, code: &str) -> Result<[u8; N], ForeignCode> {
        let bytes = URL_SAFE_NO_PAD.decode(code).map_err(|_| ForeignCode)?;
        let (tag, cipher) = bytes.split_first_chunk::<TAG>().ok_or(ForeignCode)?;
        let cipher: [u8; N] = cipher.try_into().map_err(|_| ForeignCode)?;
        let payload = self.masked(tag, cipher);
        self.tag
            .clone()
            .chain_update(payload)
            .verify_truncated_left(tag)
            .map_err(|_| ForeignCode)?;
        Ok(payload)
    }

    /// What stands for `text` where the text itself is not kept.
    pub fn hash(&self, label: &str, text: &str) -> [u8; 32] {
        let mut labelled = label.as_bytes().to_vec();
        labelled.extend(text.as_bytes());
        mac(self.tag.clone(), &labelled)
    }

    fn masked<const N: usize>(&self, tag: &[u8; TAG], mut payload: [u8; N]) -> [u8; N] {
        let mask = mac(self.mask.clone(), tag);
        payload
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, mask)| *byte ^= mask);
        payload
    }
}

/// HMAC-SHA-256 of a message.
pub fn keyed_hash(key: &[u8], message: &[u8]) -> [u8; 32] {
    mac(keyed(key), message)
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

    fn keys() -> OpaqueKeys {
        OpaqueKeys::new(b"a secret for tests", "one-kind")
    }

    proptest! {
        #[test]
        fn a_code_opens_and_no_changed_code_does(
            payload in any::<[u8; 20]>(), at in 0..32_usize, flip in 1..=255_u8,
        ) {
            let code = keys().issue(payload);
            prop_assert_eq!(keys().open(&code), Ok(payload));
            let mut changed = URL_SAFE_NO_PAD.decode(&code).unwrap();
            changed[at] ^= flip;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            prop_assert_eq!(keys().open::<20>(&changed), Err(ForeignCode));
            let other = OpaqueKeys::new(b"a secret for tests", "another-kind");
            prop_assert_eq!(other.open::<20>(&code), Err(ForeignCode));
            prop_assert_eq!(keys().open::<19>(&code), Err(ForeignCode));
        }

        #[test]
        fn no_text_makes_opening_panic(text in ".*") {
            let _ = keys().open::<20>(&text);
        }
    }
}
