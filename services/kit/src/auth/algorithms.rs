//! The signatures that tokens may have. Without `none`, and without any that are made with a shared
//! secret, nobody can sign with what everybody may read.

use std::sync::Once;

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKeyKind};
use ring::signature as ring;
use serde::Deserialize;
use signature::{Error as SignatureError, Signer, Verifier};

/// A signature that tokens may have.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSASSA-PKCS1-v1_5 of 2048 to 8192 bits with SHA-256: for issuers that know nothing better.
    RS256,
}

impl TokenAlgorithm {
    pub(super) fn as_jwt(self) -> Algorithm {
        match self {
            Self::EdDSA => Algorithm::EdDSA,
            Self::ES256 => Algorithm::ES256,
            Self::RS256 => Algorithm::RS256,
        }
    }
}

/// Gives the token library these algorithms, from libraries that are here anyway. Its own sets bring
/// an RSA with a known weakness along.
pub(super) fn install() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| {
            if *algorithm != Algorithm::EdDSA {
                return Err(ErrorKind::InvalidAlgorithm.into());
            }
            let bytes = key
                .as_bytes()
                .try_into()
                .map_err(|_| ErrorKind::InvalidEddsaKey)?;
            Ok(Box::new(Ed25519Signer(SigningKey::from_bytes(bytes))))
        },
        verifier_factory: |algorithm, key| match (algorithm, key.kind()) {
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) => {
                let bytes: &[u8; 32] = bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| ErrorKind::InvalidEddsaKey)?;
                let key = VerifyingKey::from_bytes(bytes)
                    .map_err(|_| Error::from(ErrorKind::InvalidEddsaKey))?;
                Ok(Box::new(Ed25519Verifier(key)))
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                Ok(Box::new(EcdsaVerifier(point.clone())))
            }
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                let (n, e) = (n.clone(), e.clone());
                Ok(Box::new(RsaVerifier(ring::RsaPublicKeyComponents { n, e })))
            }
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another part of the process may have installed one; it is used then.
        let _ = PROVIDER.install_default();
    });
}

struct Ed25519Signer(SigningKey);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(ed25519_dalek::Signer::sign(&self.0, message).to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError::new())?;
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

/// Verifies with a point on P-256, not compressed.
struct EcdsaVerifier(Vec<u8>);

impl Verifier<Vec<u8>> for EcdsaVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        ring::UnparsedPublicKey::new(&ring::ECDSA_P256_SHA256_FIXED, &self.0)
            .verify(message, signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for EcdsaVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

struct RsaVerifier(ring::RsaPublicKeyComponents<Vec<u8>>);

impl Verifier<Vec<u8>> for RsaVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.0
            .verify(&ring::RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RsaVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
