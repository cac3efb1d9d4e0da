//! What a certificate says, and whether it was signed.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::event::Event;
use super::job::{Job, State};
use crate::domain::emergency::Emergency;

/// What stands before the manifest in what is signed.
const SIGNED: &[u8] = b"campus destruction certificate v1\0";

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    /// `destructionJobs/{id}`.
    destruction_job: String,
    /// `emergencies/{id}`.
    emergency: String,
    display_name: String,
    legal_basis: String,
    /// Milliseconds since 1970.
    emergency_start: i64,
    /// Milliseconds since 1970.
    emergency_end: i64,
    /// Every step with what services reported.
    events: Vec<Event>,
}

/// What a job did, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What is signed.
    pub manifest: Vec<u8>,
    /// The signature.
    pub signature: [u8; 64],
    /// The public key.
    pub public_key: [u8; 32],
}

/// The manifest of a certified job: a JSON text.
///
/// # Panics
/// Never: it holds nothing that JSON cannot.
pub fn manifest(name: &str, emergency: &Emergency, job: &Job) -> Vec<u8> {
    let manifest = Manifest {
        destruction_job: name.to_owned(),
        emergency: emergency.name(),
        display_name: emergency.display_name.clone(),
        legal_basis: emergency.legal_basis.clone(),
        emergency_start: emergency.start,
        emergency_end: emergency.end.as_ref().map_or(0, |end| end.time),
        events: job.events().to_vec(),
    };
    serde_json::to_vec(&manifest).expect("a manifest is texts and numbers")
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The key is no Ed25519 key, or it did not sign these bytes.
    #[error("the signature is not of this key")]
    Signature,
    /// What was signed is no history of a certified job.
    #[error("what was signed is no certified job")]
    History,
}

impl Certificate {
    /// Signs a manifest with the secret key `seed`.
    pub fn sign(manifest: Vec<u8>, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let signature = key.sign(&signed(&manifest)).to_bytes();
        Self {
            manifest,
            signature,
            public_key: key.verifying_key().to_bytes(),
        }
    }

    /// The job that it certifies, when `key` signed it and its steps are those of a certified job:
    /// the rules of approval, reports and backups are checked anew.
    ///
    /// # Errors
    /// When the signature is of another key, or the steps break a rule.
    pub fn verify(&self, key: &[u8; 32]) -> Result<Job, Invalid> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| Invalid::Signature)?;
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&signed(&self.manifest), &signature)
            .map_err(|_| Invalid::Signature)?;
        let manifest: Manifest =
            serde_json::from_slice(&self.manifest).map_err(|_| Invalid::History)?;
        Job::replay(manifest.events)
            .filter(|job| job.state() == State::Certified)
            .ok_or(Invalid::History)
    }
}

fn signed(manifest: &[u8]) -> Vec<u8> {
    [SIGNED, manifest].concat()
}
