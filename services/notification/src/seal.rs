//! Seals what people write in confidence and where they can be reached, and veils who they are: words
//! and addresses stand encrypted, and a person is found again by a keyed hash only.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::vault::{EmergencyVault, Vault, VaultError, emergency_of, keyed, tagged};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The name under which the master key wraps the keys of this service.
pub(crate) const SERVICE: &str = "campus notification";
/// The letters of receipt codes: none that is taken for another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// A receipt code has eighty bits: nobody finds one by trying.
const CODE: usize = 16;

/// Seals and hashes. It holds keys, so nothing of it is ever shown.
#[derive(Clone)]
pub struct Seal {
    /// For what no emergency takes along.
    lasting: Arc<Vault>,
    /// For what ends with the emergency in which it was gathered.
    vault: EmergencyVault,
    key: [u8; 32],
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// Seals with the keys of `vault`, addresses with the data keys that `lasting` took up, and
    /// hashes under one that lasts with them.
    ///
    /// # Panics
    /// When `lasting` did not take the root up.
    pub fn new(lasting: Arc<Vault>, vault: EmergencyVault) -> Self {
        let key = *lasting.derive("veils");
        Self {
            lasting,
            vault,
            key,
        }
    }

    /// Seals `value` for the row `owner`, which opens for no other row: under the key of the emergency in
    /// which the row was `gathered`, when there was one. What stood `before` under a key of no emergency
    /// goes on so: its destruction may have been past it.
    pub(crate) fn seal(
        &self,
        owner: Uuid,
        value: &impl Serialize,
        gathered: DateTime<Utc>,
        before: Option<&[u8]>,
    ) -> Vec<u8> {
        let value = serde_json::to_vec(value).unwrap_or_default();
        if before.is_some_and(|sealed| emergency_of(sealed).is_none()) {
            return self.lasting.seal(owner.as_bytes(), &value);
        }
        let gathered = gathered.timestamp_millis();
        self.vault.seal(owner.as_bytes(), &value, gathered)
    }

    /// Seals under a key of no emergency what is sealed for the row `owner` under the key of one.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn reseal(&self, owner: Uuid, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.vault.reseal(owner.as_bytes(), sealed)
    }

    /// Opens what was sealed for the row `owner`.
    ///
    /// # Errors
    /// When it was changed, belongs to another row, or its data key is gone.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        owner: Uuid,
        sealed: &[u8],
    ) -> Result<T, VaultError> {
        let opened = self.vault.open(owner.as_bytes(), sealed)?;
        serde_json::from_slice(&opened).map_err(|_| VaultError)
    }

    /// Seals bytes that are kept under `owner`, whatever ends.
    pub(crate) fn seal_bytes(&self, owner: &str, value: &[u8]) -> Vec<u8> {
        self.lasting.seal(owner.as_bytes(), value)
    }

    /// Seals bytes that are kept under `owner` and tell of a row that was `gathered` at an instant: they
    /// end with it.
    pub(crate) fn seal_told(&self, owner: &str, value: &[u8], gathered: DateTime<Utc>) -> Vec<u8> {
        let gathered = gathered.timestamp_millis();
        self.vault.seal(owner.as_bytes(), value, gathered)
    }

    /// Opens bytes that are kept under `owner`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_bytes(
        &self,
        owner: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.vault.open(owner.as_bytes(), sealed)
    }

    /// The keyed hash of `text` for a purpose: the same each time, and nobody can go back from it.
    pub(crate) fn hash(&self, purpose: &str, text: &str) -> [u8; 32] {
        tagged(&keyed(&self.key), &[purpose, text])
    }

    /// The same as hexadecimal digits.
    pub(crate) fn veil(&self, purpose: &str, text: &str) -> String {
        digits(&self.hash(purpose, text))
    }

    /// Stands for bytes: the same for the same ones, and nobody can go back from it.
    pub(crate) fn veil_bytes(&self, purpose: &str, bytes: &[u8]) -> String {
        self.veil(purpose, &digits(&Sha256::digest(bytes)))
    }

    /// The receipt code that follows from a request: a repeat of it gets the same one, though it
    /// stands nowhere. Such as `7K3D-90QX-M2VA-TB4E`.
    pub(crate) fn receipt_code(&self, request: &str) -> String {
        let hash = self.hash("receipt code", request);
        let mut code = String::with_capacity(CODE + CODE / 4);
        for (at, byte) in hash.iter().take(CODE).enumerate() {
            if at > 0 && at % 4 == 0 {
                code.push('-');
            }
            code.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        code
    }

    /// The hash of the receipt code of the concern `id`, however the code was typed.
    pub(crate) fn receipt(&self, id: Uuid, code: &str) -> Vec<u8> {
        let typed = code.chars().filter(char::is_ascii_alphanumeric);
        let code: String = typed.map(|letter| letter.to_ascii_uppercase()).collect();
        let text = format!("{} {code}", id.hyphenated());
        self.hash("receipt", &text).to_vec()
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use kit::vault::{MasterKeys, ROOT, Suite};

    use super::*;

    fn seal() -> Seal {
        let mut vault = Vault::new(&MasterKeys::from([7; 32]), SERVICE);
        let suite = Suite::International;
        for id in [ROOT, 1] {
            let key = vault.make_key(id, suite);
            vault.take_up(&key).unwrap();
        }
        let vault = Arc::new(vault);
        let emergencies = EmergencyVault::new(vault.clone(), suite, None);
        Seal::new(vault, emergencies)
    }

    #[test]
    fn words_open_for_their_own_row_only() {
        let seal = seal();
        let sealed = seal.seal(
            Uuid::from_u128(1),
            &"最近睡不好",
            DateTime::UNIX_EPOCH,
            None,
        );
        let opened: Result<String, _> = seal.open(Uuid::from_u128(1), &sealed);
        assert_eq!(opened.as_deref(), Ok("最近睡不好"));
        let other: Result<String, _> = seal.open(Uuid::from_u128(2), &sealed);
        assert_eq!(other, Err(VaultError));
    }

    #[test]
    fn a_request_has_one_receipt_code_and_another_has_another() {
        let seal = seal();
        let code = seal.receipt_code("a");
        assert_eq!(code, seal.receipt_code("a"));
        assert_ne!(code, seal.receipt_code("b"));
        assert_eq!(code.len(), 19);
        let id = Uuid::from_u128(1);
        let typed = code.replace('-', " ").to_lowercase();
        assert_eq!(seal.receipt(id, &code), seal.receipt(id, &typed));
        assert_ne!(
            seal.receipt(id, &code),
            seal.receipt(Uuid::from_u128(2), &code)
        );
    }
}
