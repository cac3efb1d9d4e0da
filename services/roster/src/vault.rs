//! Seals identity and phone numbers, and makes the keyed hashes by which they are found.

use chrono::{DateTime, Utc};
use hmac::Hmac;
use kit::db::Database;
use kit::vault::{MasterKeys, Suite, UnlockError, keyed, tagged};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use kit::vault::VaultError;

/// The name under which the master key wraps the keys of this service.
pub(crate) const SERVICE: &str = "campus roster";

/// Seals, opens and hashes. It holds keys, so nothing of it is ever shown.
#[derive(Clone)]
pub struct Vault {
    values: kit::vault::Vault,
    index: Hmac<Sha256>,
    names: Hmac<Sha256>,
    certificates: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.values.fmt(f)
    }
}

impl Vault {
    /// Takes every stored data key up, and makes what is missing for `suite` to write with.
    ///
    /// # Errors
    /// When the database fails, or another master key wrapped a key.
    pub async fn unlock(
        masters: &MasterKeys,
        db: &Database,
        suite: Suite,
        now: DateTime<Utc>,
    ) -> Result<Self, UnlockError> {
        let mut values = kit::vault::Vault::new(masters, SERVICE);
        values.unlock(db, suite, now).await?;
        Ok(Self::new(values))
    }

    /// Seals and hashes by the keys that `values` took up.
    ///
    /// # Panics
    /// When the root was not taken up.
    pub fn new(values: kit::vault::Vault) -> Self {
        Self {
            index: keyed(&*values.derive("identity index")),
            names: keyed(&*values.derive("names")),
            certificates: values.derive("destruction certificates"),
            values,
        }
    }

    /// Seals `value` for the row `owner`: it opens for no other row.
    ///
    /// # Panics
    /// When no data key was taken up, which starting the service does.
    pub fn seal(&self, owner: Uuid, value: &[u8]) -> Vec<u8> {
        self.values.seal(owner.as_bytes(), value)
    }

    /// Opens what was sealed for the row `owner`.
    ///
    /// # Errors
    /// When it was changed, belongs to another row, or its data key is gone.
    pub fn open(&self, owner: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.values.open(owner.as_bytes(), sealed)
    }

    /// The Ed25519 secret that signs certificates of destruction: the same in each replica.
    pub(crate) fn certificates(&self) -> &[u8; 32] {
        &self.certificates
    }

    /// The keyed hash by which somebody is found by identity number. `number` must be in the one
    /// spelling that import and look-up share.
    pub fn identity(&self, kind: &str, number: &str) -> [u8; 16] {
        half(tagged(&self.index, &[kind, number]))
    }

    /// The identifier of the person whom `source` calls `external_id`: the same each time, so that
    /// an import that is repeated finds whom it made, and nobody can go back from it.
    pub fn person(&self, kind: &str, source: &str, external_id: &str) -> Uuid {
        let bytes = half(tagged(&self.names, &[kind, source, external_id]));
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

fn half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// The first half of SHA-256 over bytes: tells whether contents are the same.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    half(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use kit::vault::ROOT;

    use super::*;

    fn vault() -> Vault {
        let mut values = kit::vault::Vault::new(&MasterKeys::from([1; 32]), SERVICE);
        let root = values.make_key(ROOT, Suite::International);
        values.take_up(&root).unwrap();
        Vault::new(values)
    }

    #[test]
    fn hashes_depend_on_the_root_and_on_every_part() {
        let (one, other) = (vault(), vault());
        let number = "11010519491231002X";
        assert_eq!(
            one.identity("RESIDENT", number),
            one.identity("RESIDENT", number)
        );
        assert_ne!(
            one.identity("RESIDENT", number),
            other.identity("RESIDENT", number)
        );
        assert_ne!(
            one.identity("RESIDENT", number),
            one.identity("PASSPORT", number)
        );
        assert_ne!(
            one.person("student", "ab", "c"),
            one.person("student", "a", "bc")
        );
    }
}
