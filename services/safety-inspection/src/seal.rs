//! Seals what identifies a visitor and what was seen of one: it opens for its own row only.

use std::fmt;
use std::sync::Arc;

use kit::vault::{Vault, VaultError, derive, keyed, tagged};
use zeroize::Zeroizing;

/// The name by which keys of this service are derived.
pub(crate) const SERVICE: &str = "campus safety-inspection";

/// Seals and hashes. It holds keys, so nothing of it is ever shown.
#[derive(Clone)]
pub(crate) struct Seal {
    vault: Arc<Vault>,
    key: [u8; 32],
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// Seals with the data keys that `vault` took up, and hashes under the `master` key.
    pub(crate) fn new(vault: Arc<Vault>, master: &[u8; 32]) -> Self {
        let key = *derive(master, SERVICE, "veils");
        Self { vault, key }
    }

    /// Seals bytes that are kept under `owner`.
    pub(crate) fn seal(&self, owner: &str, value: &[u8]) -> Vec<u8> {
        self.vault.seal(owner.as_bytes(), value)
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
