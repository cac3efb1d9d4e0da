//! The development issuer, which signs tokens for trials and tests.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use super::config::{default_audience, default_issuer};
use super::{Caller, Role, algorithms};
use crate::org::OrgPath;

/// The key of the development issuer. It is public: whoever reads this can sign with it, so it is
/// refused where `production` is set.
pub(super) const DEVELOPMENT_KEY: [u8; 32] = *b"campus development issuer: open!";
pub(super) const DEVELOPMENT_KEY_ID: &str = "development";

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
        algorithms::install();
        Self {
            key: EncodingKey::from_ed_der(&DEVELOPMENT_KEY),
        }
    }

    /// A token for `subject`, valid from `now` for `ttl`. It says that there was a second factor.
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
            laboratory: laboratory.map(ToOwned::to_owned),
            second_factor: true,
            ..Caller::new(subject, roles.to_vec(), scope.clone())
        };
        self.issue(caller, now, ttl)
    }

    /// A token that says all of a caller, valid from `now` for `ttl`.
    pub fn issue(&self, caller: Caller, now: DateTime<Utc>, ttl: Duration) -> String {
        let mut claims = told_of(&caller);
        let times = [
            ("iat", now.timestamp()),
            ("nbf", now.timestamp()),
            ("exp", after(now, ttl)),
        ];
        claims.extend(times.map(|(name, time)| (name.to_owned(), time.into())));
        claims.insert("iss".to_owned(), default_issuer().into());
        claims.insert("aud".to_owned(), default_audience().into());
        sign(&self.key, DEVELOPMENT_KEY_ID, &claims)
    }
}

/// The claims that tell of a caller.
pub(super) fn told_of(caller: &Caller) -> Map<String, Value> {
    let roles: Vec<&str> = caller.roles.iter().map(|role| role.as_str()).collect();
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), caller.subject.clone().into());
    claims.insert("roles".to_owned(), roles.into());
    claims.insert("scope".to_owned(), caller.scope.to_string().into());
    let department = caller.department.map(|department| department.to_string());
    let texts = [
        ("laboratory", &caller.laboratory),
        ("person", &caller.person),
        ("jti", &caller.token_id),
        ("department", &department),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            claims.insert(name.to_owned(), text.clone().into());
        }
    }
    if caller.second_factor {
        claims.insert("amr".to_owned(), json!(["mfa"]));
    }
    claims
}

/// The second that lies `span` after `now`.
pub(super) fn after(now: DateTime<Utc>, span: Duration) -> i64 {
    let span = i64::try_from(span.as_secs()).unwrap_or(i64::MAX / 2);
    now.timestamp().saturating_add(span)
}

/// A token with these claims.
pub(super) fn sign(key: &EncodingKey, id: &str, claims: &Map<String, Value>) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(id.to_owned());
    jsonwebtoken::encode(&header, claims, key).expect("claims are plain JSON")
}
