//! The public keys of issuers, by key id.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::algorithms::TokenAlgorithm;

/// A key set is smaller than this, in bytes.
pub(super) const MAX_KEY_SET: u64 = 256 << 10;
/// How many keys of a set are taken at most.
pub(super) const MAX_KEYS: usize = 64;
/// How long the id of a key may be, in bytes.
pub(super) const MAX_KEY_ID: usize = 256;

/// A public key. It verifies signatures of one algorithm, whatever a token says.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) algorithm: TokenAlgorithm,
    pub(super) decoding: DecodingKey,
    /// Tells the key from all others.
    pub(super) print: [u8; 32],
}

/// Keys by their ids.
pub(super) type Keys = HashMap<String, Key>;

impl Key {
    fn new(algorithm: TokenAlgorithm, decoding: DecodingKey, parts: [&[u8]; 2]) -> Self {
        let mut hash = Sha256::new();
        hash.update([algorithm as u8]);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self {
            algorithm,
            decoding,
            print: hash.finalize().into(),
        }
    }

    /// An Ed25519 key of 32 bytes; none where they are no point on the curve.
    pub(super) fn ed25519(bytes: &[u8]) -> Option<Self> {
        let array: &[u8; 32] = bytes.try_into().ok()?;
        VerifyingKey::from_bytes(array).ok()?;
        let decoding = DecodingKey::from_ed_der(bytes);
        Some(Self::new(TokenAlgorithm::EdDSA, decoding, [bytes, &[]]))
    }

    /// The same in base64, as settings have it.
    pub(super) fn ed25519_base64(text: &str) -> Option<Self> {
        Self::ed25519(&STANDARD.decode(text).ok()?)
    }

    fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let whole = x.len() == 32 && y.len() == 32;
        let point = [&[4], x, y].concat();
        let key = Self::new(
            TokenAlgorithm::ES256,
            DecodingKey::from_ec_der(&point),
            [x, y],
        );
        whole.then_some(key)
    }

    fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let bits = n.len() * 8;
        let key = Self::new(
            TokenAlgorithm::RS256,
            DecodingKey::from_rsa_raw_components(n, e),
            [n, e],
        );
        (2048..=8192).contains(&bits).then_some(key)
    }
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<serde::de::IgnoredAny>,
}

/// The keys of a set that verify signatures of the `allowed` algorithms. Keys of other kinds, for
/// other uses or without an id are left out, as issuers publish them side by side.
///
/// # Errors
/// When it is no key set, holds a private key, or no key can be used: an issuer that lost its keys by
/// accident must not lock everybody out.
pub(super) fn key_set(bytes: &[u8], allowed: &[TokenAlgorithm]) -> Result<Keys, String> {
    let set: KeySet =
        serde_json::from_slice(bytes).map_err(|_| "not a JSON Web Key Set".to_owned())?;
    let mut keys = Keys::new();
    for value in set.keys.into_iter().take(MAX_KEYS) {
        let Ok(jwk) = serde_json::from_value::<Jwk>(value) else {
            continue;
        };
        if jwk.d.is_some() {
            return Err("a private key stands where public ones belong".to_owned());
        }
        if jwk.kid.len() > MAX_KEY_ID || jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            continue;
        }
        if let Some(key) = read(&jwk).filter(|key| allowed.contains(&key.algorithm)) {
            keys.entry(jwk.kid).or_insert(key);
        }
    }
    if keys.is_empty() {
        return Err("no key in it can be used".to_owned());
    }
    Ok(keys)
}

fn read(jwk: &Jwk) -> Option<Key> {
    let part = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
    let (key, names) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => (Key::ed25519(&part(&jwk.x)?)?, &["EdDSA", "Ed25519"][..]),
        ("EC", Some("P-256")) => (Key::p256(&part(&jwk.x)?, &part(&jwk.y)?)?, &["ES256"][..]),
        ("RSA", None) => (Key::rsa(&part(&jwk.n)?, &part(&jwk.e)?)?, &["RS256"][..]),
        _ => return None,
    };
    let named = jwk.alg.as_deref().is_none_or(|alg| names.contains(&alg));
    named.then_some(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: [TokenAlgorithm; 3] = [
        TokenAlgorithm::EdDSA,
        TokenAlgorithm::ES256,
        TokenAlgorithm::RS256,
    ];

    /// The Ed25519 key of RFC 8037, and one for encryption.
    fn set() -> serde_json::Value {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x},
            {"kty": "OKP", "crv": "Ed25519", "kid": "b", "x": x, "use": "enc"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "c", "x": x, "alg": "ES256"},
            {"kty": "OKP", "crv": "Ed25519", "x": x},
            {"kty": "OKP", "crv": "X25519", "kid": "d", "x": x},
            {"kty": "oct", "kid": "e", "k": "c2VjcmV0"},
            {"kty": "EC", "crv": "P-256", "kid": "f", "x": x, "y": x},
            {"kty": "EC", "crv": "P-256", "kid": "g", "x": x, "y": "AA"},
            {"kty": "RSA", "kid": "h", "n": x, "e": "AQAB"},
            "not even an object",
        ]})
    }

    #[test]
    fn only_keys_that_verify_tokens_are_taken() {
        let keys = key_set(set().to_string().as_bytes(), &ALL).unwrap();
        let mut ids: Vec<_> = keys.keys().map(String::as_str).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["a", "f"]);
        let only = [TokenAlgorithm::ES256];
        let keys = key_set(set().to_string().as_bytes(), &only).unwrap();
        assert_eq!(
            keys.len(),
            1,
            "an algorithm that is not allowed brings no key"
        );
    }

    #[test]
    fn a_private_key_and_an_empty_set_are_refused() {
        let mut private = set();
        private["keys"][0]["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        for text in [private.to_string(), "{\"keys\":[]}".into(), "[]".into()] {
            assert!(key_set(text.as_bytes(), &ALL).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_of_two_keys_with_one_id_counts() {
        let mut twice = set();
        twice["keys"][6]["kid"] = json!("a");
        let keys = key_set(twice.to_string().as_bytes(), &ALL).unwrap();
        assert_eq!(keys["a"].algorithm, TokenAlgorithm::EdDSA);
    }
}
