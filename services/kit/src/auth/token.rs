//! Bearer tokens: JSON Web Tokens signed with Ed25519.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use proto::error::ErrorReason;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use signature::{Error as SignatureError, Signer, Verifier as Verify};

use super::{Caller, Role};
use crate::clock::Clock;
use crate::org::OrgPath;
use crate::status::Problem;

/// The key of the development issuer. It is public: whoever reads this can sign with it, so it is
/// refused where `production` is set.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus development issuer: open!";
const DEVELOPMENT_KEY_ID: &str = "development";
/// How far two clocks may be apart, in seconds.
const LEEWAY: u64 = 30;
const VERIFIED_TOKENS: u64 = 20_000;

/// Whose tokens are taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Refuses everything that is for trials only.
    #[serde(default)]
    pub production: bool,
    /// Takes tokens of the development issuer, whose key is public.
    #[serde(default)]
    pub development: bool,
    /// The `iss` of the tokens.
    #[serde(default = "default_issuer")]
    pub issuer: String,
    /// The `aud` of the tokens.
    #[serde(default = "default_audience")]
    pub audience: String,
    /// Ed25519 public keys by key id, 32 bytes each in base64.
    #[serde(default)]
    pub keys: HashMap<String, String>,
    /// A file with the token that this service shows to its neighbours; read again when it changes.
    #[serde(default)]
    pub service_token_file: Option<PathBuf>,
}

fn default_issuer() -> String {
    "campus".to_owned()
}

fn default_audience() -> String {
    "campus".to_owned()
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            production: false,
            development: false,
            issuer: default_issuer(),
            audience: default_audience(),
            keys: HashMap::new(),
            service_token_file: None,
        }
    }
}

impl AuthConfig {
    /// For trials and tests: takes tokens of the development issuer.
    pub fn development() -> Self {
        Self {
            development: true,
            ..Self::default()
        }
    }

    /// Checks the settings; the error names the key.
    ///
    /// # Errors
    /// When nobody's tokens would be taken, a key is malformed, or production takes the
    /// development issuer.
    pub fn check(&self) -> Result<(), String> {
        if self.production && self.development {
            return Err("auth.development: not allowed where auth.production is set".to_owned());
        }
        if !self.development && self.keys.is_empty() {
            return Err("auth.keys: at least one key is needed".to_owned());
        }
        for (id, key) in &self.keys {
            public_key(key).ok_or_else(|| format!("auth.keys.{id}: not an Ed25519 public key"))?;
        }
        Ok(())
    }
}

fn public_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok().map(|_| bytes)
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    nbf: i64,
    roles: Vec<String>,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    laboratory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
}

/// Verifies tokens; what was verified is remembered until it expires.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<HashMap<String, DecodingKey>>,
    validation: Arc<Validation>,
    clock: Arc<dyn Clock>,
    verified: Cache<[u8; 32], (Arc<Caller>, i64)>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Takes the tokens that `config` names. Call [`AuthConfig::check`] first: keys that it
    /// refuses are left out here.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Self {
        install_ed25519();
        let mut keys: HashMap<String, DecodingKey> = config
            .keys
            .iter()
            .filter_map(|(id, key)| Some((id.clone(), DecodingKey::from_ed_der(&public_key(key)?))))
            .collect();
        if config.development && !config.production {
            let key = SigningKey::from_bytes(&DEVELOPMENT_KEY).verifying_key();
            keys.insert(
                DEVELOPMENT_KEY_ID.to_owned(),
                DecodingKey::from_ed_der(key.as_bytes()),
            );
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are checked against our own clock below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            keys: Arc::new(keys),
            validation: Arc::new(validation),
            clock,
            verified: Cache::new(VERIFIED_TOKENS),
        }
    }

    /// The caller whom `token` names.
    ///
    /// # Errors
    /// TOKEN_INVALID or TOKEN_EXPIRED.
    pub fn verify(&self, token: &str) -> Result<Arc<Caller>, Problem> {
        let now = self.clock.now();
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some((caller, expires)) = self.verified.get(&digest) {
            return if is_over(expires, now) {
                self.verified.invalidate(&digest);
                Err(Problem::new(ErrorReason::TokenExpired))
            } else {
                Ok(caller)
            };
        }
        let (caller, expires) = self.read(token, now)?;
        let caller = Arc::new(caller);
        self.verified.insert(digest, (caller.clone(), expires));
        Ok(caller)
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<(Caller, i64), Problem> {
        let invalid = || Problem::new(ErrorReason::TokenInvalid);
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let key = header
            .kid
            .and_then(|id| self.keys.get(&id))
            .ok_or_else(invalid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|_| invalid())?
            .claims;
        if is_over(claims.exp, now) {
            return Err(Problem::new(ErrorReason::TokenExpired));
        }
        if claims.nbf > now.timestamp() + LEEWAY as i64 {
            return Err(invalid());
        }
        let roles: Option<Vec<Role>> = claims.roles.iter().map(|role| role.parse().ok()).collect();
        let caller = Caller {
            subject: claims.sub,
            roles: roles.ok_or_else(invalid)?,
            scope: claims.scope.parse().map_err(|_| invalid())?,
            laboratory: claims.laboratory,
            person: claims.person,
        };
        Ok((caller, claims.exp))
    }
}

fn is_over(expires: i64, now: DateTime<Utc>) -> bool {
    expires + (LEEWAY as i64) < now.timestamp()
}

/// Signs tokens: for trials and tests.
#[derive(Clone)]
pub struct Issuer {
    key: EncodingKey,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").finish_non_exhaustive()
    }
}

impl Issuer {
    /// The issuer whose key is public.
    pub fn development() -> Self {
        install_ed25519();
        Self {
            key: EncodingKey::from_ed_der(&DEVELOPMENT_KEY),
        }
    }

    /// A token for `subject`, valid from `now` for `ttl`.
    pub fn token(
        &self,
        subject: &str,
        roles: &[Role],
        scope: &OrgPath,
        laboratory: Option<&str>,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> String {
        let caller = Caller {
            subject: subject.to_owned(),
            roles: roles.to_vec(),
            scope: scope.clone(),
            laboratory: laboratory.map(ToOwned::to_owned),
            person: None,
        };
        self.issue(caller, now, ttl)
    }

    /// A token that says all of a caller, valid from `now` for `ttl`.
    pub fn issue(&self, caller: Caller, now: DateTime<Utc>, ttl: Duration) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(DEVELOPMENT_KEY_ID.to_owned());
        let roles = caller.roles.iter().map(|role| role.as_str().to_owned());
        let claims = Claims {
            iss: default_issuer(),
            aud: default_audience(),
            exp: now.timestamp() + i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX / 2),
            nbf: now.timestamp(),
            roles: roles.collect(),
            sub: caller.subject,
            scope: caller.scope.to_string(),
            laboratory: caller.laboratory,
            person: caller.person,
        };
        jsonwebtoken::encode(&header, &claims, &self.key).expect("claims are plain JSON")
    }
}

/// The token that a service shows to its neighbours.
#[derive(Clone, Debug)]
pub struct Credentials(Arc<Source>);

#[derive(Debug)]
enum Source {
    Development {
        service: &'static str,
        clock: Arc<dyn Clock>,
        issued: Mutex<Option<(String, DateTime<Utc>)>>,
    },
    File(PathBuf),
}

impl Credentials {
    /// The credentials of `service`: of the development issuer, or from the configured file.
    pub fn new(config: &AuthConfig, service: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(match &config.service_token_file {
            Some(file) => Source::File(file.clone()),
            None => Source::Development {
                service,
                clock,
                issued: Mutex::default(),
            },
        }))
    }

    /// The value of the `authorization` header.
    ///
    /// # Errors
    /// UNAVAILABLE when the file cannot be read.
    pub fn bearer(&self) -> Result<String, Problem> {
        let token = match &*self.0 {
            Source::File(file) => std::fs::read_to_string(file)
                .map_err(|err| Problem::new(ErrorReason::Unavailable).source(err))?,
            Source::Development {
                service,
                clock,
                issued,
            } => {
                let mut issued = issued.lock().unwrap_or_else(PoisonError::into_inner);
                let now = clock.now();
                match &*issued {
                    Some((token, renew)) if *renew > now => token.clone(),
                    _ => {
                        let ttl = Duration::from_secs(3600);
                        let token = Issuer::development().token(
                            service,
                            &[Role::Service],
                            &OrgPath::root(),
                            None,
                            now,
                            ttl,
                        );
                        *issued = Some((token.clone(), now + ttl / 2));
                        token
                    }
                }
            }
        };
        Ok(format!("Bearer {}", token.trim()))
    }
}

/// Gives the token library the one algorithm that is used here, from the library that also signs
/// draws. Its own sets of algorithms would bring RSA along.
fn install_ed25519() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |_, key| {
            let bytes = key
                .as_bytes()
                .try_into()
                .map_err(|_| ErrorKind::InvalidEddsaKey)?;
            Ok(Box::new(Ed25519Signer(SigningKey::from_bytes(bytes))))
        },
        verifier_factory: |_, key| {
            let bytes: &[u8; 32] = key
                .try_get_as_bytes()?
                .try_into()
                .map_err(|_| ErrorKind::InvalidEddsaKey)?;
            let key = VerifyingKey::from_bytes(bytes)
                .map_err(|_| Error::from(ErrorKind::InvalidEddsaKey))?;
            Ok(Box::new(Ed25519Verifier(key)))
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

impl Verify<Vec<u8>> for Ed25519Verifier {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn verifier(clock: &ManualClock) -> Verifier {
        Verifier::new(&AuthConfig::development(), Arc::new(clock.clone()))
    }

    #[test]
    fn a_token_names_its_caller_until_it_expires() {
        let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().unwrap());
        let scope: OrgPath = "fz/350102".parse().unwrap();
        let token = Issuer::development().token(
            "lab-7",
            &[Role::Laboratory],
            &scope,
            Some("fz-lab-1"),
            clock.now(),
            Duration::from_secs(60),
        );
        let verifier = verifier(&clock);
        let caller = verifier.verify(&token).unwrap();
        assert_eq!(
            *caller,
            Caller {
                subject: "lab-7".to_owned(),
                roles: vec![Role::Laboratory],
                scope,
                laboratory: Some("fz-lab-1".to_owned()),
                person: None,
            }
        );
        let parent = Caller {
            roles: vec![Role::Guardian],
            laboratory: None,
            person: Some("students/1".to_owned()),
            ..Caller::clone(&caller)
        };
        let token =
            Issuer::development().issue(parent.clone(), clock.now(), Duration::from_secs(60));
        assert_eq!(*verifier.verify(&token).unwrap(), parent);
        clock.advance(chrono::Duration::seconds(91));
        let problem = verifier.verify(&token).unwrap_err();
        assert_eq!(problem.reason(), ErrorReason::TokenExpired);
    }

    #[test]
    fn a_changed_token_is_refused() {
        let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().unwrap());
        let token = Issuer::development().token(
            "a",
            &[Role::Guard],
            &OrgPath::root(),
            None,
            clock.now(),
            Duration::from_secs(60),
        );
        let verifier = verifier(&clock);
        let end = token.len() - 10;
        let changed = format!("{}{}", &token[..end], "AAAAAAAAAA");
        for text in ["", "a.b.c", &changed] {
            let problem = verifier.verify(text).unwrap_err();
            assert_eq!(problem.reason(), ErrorReason::TokenInvalid, "{text}");
        }
    }

    #[test]
    fn production_refuses_the_development_issuer() {
        let config = AuthConfig {
            production: true,
            ..AuthConfig::development()
        };
        assert!(config.check().unwrap_err().starts_with("auth.development"));
        assert!(
            AuthConfig::default()
                .check()
                .unwrap_err()
                .starts_with("auth.keys")
        );
    }
}
