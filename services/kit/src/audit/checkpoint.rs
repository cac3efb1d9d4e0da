//! Signed statements of what the log was.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};

use super::record::Canonical;
use crate::rows::row;

/// What the signature begins with.
const DOMAIN: &str = "campus audit checkpoint v1";

/// What is signed. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointKind {
    /// The head of the log.
    Head = 1,
    /// Where the log was cut.
    Anchor = 2,
}

row! {
    /// A checkpoint. `campus.audit.v1.AuditCheckpoint` says what each field means and what is signed.
    Checkpoint in "audit_checkpoints" by ["sequence", "kind"] {
        /// The last record that it speaks of.
        sequence: i64,
        /// A number of [`CheckpointKind`].
        kind: i32,
        /// The hash of that record.
        hash: Vec<u8>,
        /// When it was signed, in milliseconds of Unix time.
        time: i64,
        /// How many records up to an anchor are kept.
        kept_count: i64,
        /// The digest of what is kept; else empty.
        kept_digest: Vec<u8>,
        /// The key that verifies it.
        public_key: Vec<u8>,
        /// The signature.
        signature: Vec<u8>,
    }
}

impl Checkpoint {
    /// Signs it for the log of `service`.
    #[must_use]
    pub fn sign(mut self, service: &str, key: &SigningKey) -> Self {
        self.public_key = key.verifying_key().to_bytes().to_vec();
        self.signature = key.sign(&self.digest(service)).to_bytes().to_vec();
        self
    }

    /// Whether it was signed for the log of `service` with one of the keys that are `trusted`.
    pub fn is_signed(&self, service: &str, trusted: &[VerifyingKey]) -> bool {
        let Ok(signature) = Signature::from_slice(&self.signature) else {
            return false;
        };
        let mut keys = trusted.iter();
        let key = keys.find(|key| key.as_bytes()[..] == self.public_key[..]);
        key.is_some_and(|key| key.verify(&self.digest(service), &signature).is_ok())
    }

    /// Whether it is an anchor.
    pub(super) fn is_anchor(&self) -> bool {
        self.kind == CheckpointKind::Anchor as i32
    }

    /// The bytes that are signed: the hash of the canonical ones.
    fn digest(&self, service: &str) -> [u8; 32] {
        let mut bytes = Canonical(Sha256::new());
        bytes.text(DOMAIN);
        bytes.text(service);
        bytes.number(self.kind.into());
        bytes.number(self.sequence);
        bytes.bytes(&self.hash);
        bytes.number(self.time);
        bytes.number(self.kept_count);
        bytes.bytes(&self.kept_digest);
        bytes.0.finalize().into()
    }
}
