//! Seals what identifies a visitor and what was seen of one: it opens for its own row only.

use chrono::{DateTime, Utc};
use kit::vault::{EmergencyVault, VaultError, keyed, tagged};
use std::fmt;
use zeroize::Zeroizing;

/// The name under which the master key wraps the keys of this service.
pub(crate) const SERVICE: &str = "campus safety-inspection";

/// Seals and hashes. It holds keys, so nothing of it is ever shown.
#[derive(Clone)]
pub(crate) struct Seal {
    vault: EmergencyVault,
    key: [u8; 32],
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// Seals with the keys of `vault`, and hashes under one that lasts with them.
    pub(crate) fn new(vault: EmergencyVault) -> Self {
        let key = *vault.derive("veils");
        Self { vault, key }
    }

    /// Seals bytes that are kept under `owner`: under the key of the emergency in which they were
    /// gathered, when there was one.
    pub(crate) fn seal(&self, owner: &str, value: &[u8], gathered: DateTime<Utc>) -> Vec<u8> {
        let gathered = gathered.timestamp_millis();
        self.vault.seal(owner.as_bytes(), value, gathered)
    }

    /// Seals under a key of no emergency what is sealed under the key of one.
    ///
    /// # Errors
    /// As [`Seal::open`].
    pub(crate) fn reseal(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.vault.reseal(owner.as_bytes(), sealed)
    }

    /// Opens bytes that are kept under `owner`.
    ///
    /// # Errors
    /// When they were changed, belong to another row, or their data key is gone.
    pub(crate) fn open(
        &self,
        owner: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.vault.open(owner.as_bytes(), sealed)
    }

    /// Stands for `text` where requests are compared: the same each time, and nobody can go back
    /// from it, though numbers are few enough to be guessed from a hash without a key.
    pub(crate) fn veil(&self, purpose: &str, text: &str) -> String {
        hex::encode(tagged(&keyed(&self.key), &[purpose, text]))
    }
}
