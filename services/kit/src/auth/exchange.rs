//! The gateway's word for callers who showed it a certificate. The services behind do not see that
//! certificate: they verify a token that the gateway signs for a minute, and never believe a header.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use http::HeaderValue;
use jsonwebtoken::EncodingKey;
use moka::sync::Cache;
use serde_json::json;
use zeroize::Zeroizing;

use super::algorithms;
use super::issuer::{after, sign, told_of};
use super::keys::Key;
use super::session::Session;
use crate::clock::Clock;
use crate::drain::Drain;
use crate::tls::read_at_most;
use crate::watched::{LOOK_EVERY, Watched};

/// The `iss` of the gateway's tokens.
pub(super) const INTERNAL_ISSUER: &str = "campus-gateway";
/// Their `aud`: nobody else takes them, and those behind take no others as such.
pub(super) const INTERNAL_AUDIENCE: &str = "campus-internal";
/// Their `act`: who vouches.
pub(super) const GATEWAY: &str = "gateway";
/// How long they are valid at most.
pub(super) const INTERNAL_LIFE: Duration = Duration::from_secs(60);
/// Says who the partner is.
pub(super) const PARTNER: &str = "partner";
/// Says when the caller's own credentials were issued, in seconds since 1970.
pub(super) const ISSUED: &str = "issued";
/// Says when they end: a stream may outlive the token that opened it.
pub(super) const ENDS: &str = "ends";

const MAX_KEY: u64 = 16 << 10;
const REMEMBERED: u64 = 10_000;

/// The id of a key of the gateway, which both sides find from the key alone.
pub(super) fn gateway_key_id(key: &Key) -> String {
    format!("gateway-{}", hex::encode(&key.print[..8]))
}

/// Signs for callers with a certificate. Clones share the key.
#[derive(Clone)]
pub struct Exchange(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    key: RwLock<Arc<Signing>>,
    file: Mutex<Watched>,
    /// By the caller's credentials and the key.
    signed: Cache<([u8; 32], String), Voucher>,
}

/// The header, and from when until when it is used. Before it was made, when the clock was put back, nobody would
/// take it.
type Voucher = (HeaderValue, Range<DateTime<Utc>>);

struct Signing {
    id: String,
    key: EncodingKey,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Exchange {
    /// Signs with the Ed25519 key in `file`, PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519`
    /// writes it.
    ///
    /// # Errors
    /// When it holds no such key.
    pub fn new(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, String> {
        algorithms::install();
        let mut file = Watched::new(file, MAX_KEY);
        let first = file.changed().map_err(|err| err.to_string())?;
        let key = Signing::read(&first.unwrap_or_default())?;
        Ok(Self(Arc::new(Inner {
            clock,
            key: RwLock::new(Arc::new(key)),
            file: Mutex::new(file),
            signed: Cache::new(REMEMBERED),
        })))
    }

    /// Checks that `file` holds such a key.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(file: &Path) -> Result<(), String> {
        let pem = read_at_most(file, MAX_KEY).map_err(|err| err.to_string())?;
        Signing::read(&Zeroizing::new(pem)).map(drop)
    }

    /// The value of the `authorization` header that vouches for the caller of `session`.
    pub fn authorization(&self, session: &Session) -> HeaderValue {
        let now = self.0.clock.now();
        let key = self.key();
        let of = (session.digest, key.id.clone());
        if let Some((header, used)) = self.0.signed.get(&of)
            && used.contains(&now)
        {
            return header;
        }
        let mut claims = told_of(&session.caller);
        claims.insert("iss".to_owned(), INTERNAL_ISSUER.into());
        claims.insert("aud".to_owned(), INTERNAL_AUDIENCE.into());
        claims.insert("act".to_owned(), json!({ "sub": GATEWAY }));
        claims.insert("iat".to_owned(), now.timestamp().into());
        claims.insert("exp".to_owned(), after(now, INTERNAL_LIFE).into());
        claims.insert(ISSUED.to_owned(), session.issued.into());
        claims.insert(ENDS.to_owned(), session.ends.into());
        if let Some(partner) = &session.caller.partner {
            claims.insert(PARTNER.to_owned(), partner.clone().into());
        }
        let token = sign(&key.key, &key.id, &claims);
        let mut header =
            HeaderValue::try_from(format!("Bearer {token}")).expect("a token is plain text");
        header.set_sensitive(true);
        let used = now..now + INTERNAL_LIFE / 2;
        self.0.signed.insert(of, (header.clone(), used));
        header
    }

    /// Looks at the key until the drain; a new one is signed with within a second.
    pub async fn keep(self, drain: Drain) {
        while !drain.is_draining() {
            let exchange = self.clone();
            // Work that panicked has not changed the key.
            let _ = tokio::task::spawn_blocking(move || exchange.look()).await;
            drain.sleep(LOOK_EVERY).await;
        }
    }

    /// Reads the key where it changed.
    pub(super) fn look(&self) {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = file.changed().map_err(|err| err.to_string());
        let read = changed.and_then(|bytes| {
            let bytes = bytes.map(Zeroizing::new);
            bytes.map(|bytes| Signing::read(&bytes)).transpose()
        });
        match read {
            Ok(Some(key)) => {
                tracing::info!(id = key.id, "another key vouches for partners");
                let mut current = self.0.key.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(key);
                file.used();
            }
            Ok(None) => {}
            Err(fault) => file.complain("internal_token_key_file", &fault),
        }
    }

    fn key(&self) -> Arc<Signing> {
        let current = self.0.key.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }
}

impl Signing {
    fn read(pem: &[u8]) -> Result<Self, String> {
        let fault = || "no Ed25519 key in PEM (PKCS #8)".to_owned();
        let text = std::str::from_utf8(pem).map_err(|_| fault())?;
        let key = SigningKey::from_pkcs8_pem(text).map_err(|_| fault())?;
        let public = Key::ed25519(key.verifying_key().as_bytes()).ok_or_else(fault)?;
        Ok(Self {
            id: gateway_key_id(&public),
            key: EncodingKey::from_ed_der(key.as_bytes()),
        })
    }
}
