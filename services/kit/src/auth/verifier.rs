//! Finds out who calls, from a token, a certificate, or both.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::Validation;
use moka::sync::Cache;
use proto::error::ErrorReason;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::claims::{Binding, Claims};
use super::config::{AuthConfig, ClaimsConfig};
use super::exchange::{ENDS, GATEWAY, INTERNAL_LIFE, ISSUED, PARTNER};
use super::keys::{Key, MAX_KEY_ID};
use super::partners::{Partner, Partners};
use super::revoked::Named;
use super::trust::{Issuing, Kind, Sources, Trust};
use super::{Caller, ClientCertificate, Role, algorithms};
use crate::clock::Clock;
use crate::drain::Drain;
use crate::server::Latch;
use crate::status::Problem;
use crate::watched::LOOK_EVERY;

/// How many callers are remembered as verified.
const REMEMBERED: u64 = 20_000;
/// A token is smaller than this, in bytes.
const MAX_TOKEN: usize = 8 << 10;
/// An issuer that did not answer is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// A caller whose issuer's keys are not there yet may try again after this.
const RETRY: Duration = Duration::from_secs(1);
/// A stream looks at the clock at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Verifies who calls; what was verified is remembered until it ends. Clones share everything.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    rules: Rules,
    sources: Sources,
    clock: Arc<dyn Clock>,
    verified: Cache<[u8; 32], Arc<Session>>,
}

/// What the settings ask of tokens.
struct Rules {
    claims: ClaimsConfig,
    life: i64,
    skew: i64,
    refresh: Duration,
    second_factor: Vec<Role>,
    acr: Vec<String>,
    partners: Partners,
}

/// Who calls, by which credentials, and for how long.
#[derive(Debug)]
pub struct Session {
    /// Who calls.
    pub(crate) caller: Arc<Caller>,
    /// The caller as usual requests have it, which say nothing of their circumstances.
    pub(super) usual: OnceLock<Arc<Caller>>,
    /// Tells the credentials from all others.
    pub(super) digest: [u8; 32],
    /// When the credentials were issued, in seconds since 1970.
    pub(super) issued: i64,
    /// When they end, in seconds since 1970.
    pub(super) ends: i64,
    /// By how many seconds the clock that set the end may be slow.
    skew: i64,
    /// The key of the token.
    key: Option<[u8; 32]>,
    /// The certificate of the connection.
    certificate: Option<[u8; 32]>,
    /// A role asks for a second factor that was not proved.
    second_factor_missing: bool,
    by_certificate: bool,
}

impl Session {
    /// Whether the certificate of the connection has a part in who calls, so that nobody behind can
    /// find it out from the token alone.
    pub fn by_certificate(&self) -> bool {
        self.by_certificate
    }
}

/// What a caller shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) token: Option<&'a str>,
    pub(crate) certificate: Option<&'a ClientCertificate>,
}

/// Why a caller is not let in.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// For good.
    Final(Problem),
    /// Nobody here knows the key, but the issuer may.
    UnknownKey,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Final(problem)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

fn invalid() -> Problem {
    Problem::new(ErrorReason::TokenInvalid)
}

impl Verifier {
    /// Takes whom `config` names.
    ///
    /// # Errors
    /// When a setting cannot be used; the text begins with the key.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Self, String> {
        algorithms::install();
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let rules = Rules {
            claims: config.claims.clone(),
            life: seconds(config.max_token_life),
            skew: seconds(config.clock_skew),
            refresh: config.jwks_refresh,
            second_factor: config.second_factor()?,
            acr: config.second_factor_acr.clone(),
            partners: Partners::new(&config.partners)?,
        };
        Ok(Self(Arc::new(Inner {
            rules,
            sources: Sources::new(config)?,
            clock,
            verified: Cache::new(REMEMBERED),
        })))
    }

    /// Whether the issuer has yet to tell its keys.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.sources.is_waiting()
    }

    /// Follows what issuers and operators change, until the drain. Lets `latch` go once the issuer
    /// has told its keys.
    pub(crate) async fn keep(self, mut latch: Option<Latch>, drain: Drain) {
        let mut next = Instant::now();
        while !drain.is_draining() {
            let verifier = self.clone();
            // What cannot be used was told in the log; the rest goes on.
            let _ = tokio::task::spawn_blocking(move || verifier.0.sources.look()).await;
            if let Some(url) = &self.0.sources.url
                && Instant::now() >= next
            {
                let refresh = self.0.rules.refresh;
                let told = url.ask_in_time(|keys| self.0.sources.take(keys)).await;
                next = Instant::now()
                    + if told {
                        refresh
                    } else {
                        refresh.min(ASK_AGAIN)
                    };
                if !self.is_waiting() {
                    latch.take();
                }
            }
            drain.sleep(LOOK_EVERY).await;
        }
    }

    /// Who calls.
    ///
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, PARTNER_UNKNOWN or SECOND_FACTOR_REQUIRED; or that the issuer
    /// is to be asked for the key.
    pub(crate) fn admit(&self, shown: Shown<'_>) -> Result<Arc<Session>, Refusal> {
        let now = self.0.clock.now();
        let digest = digest(shown);
        let trust = self.0.sources.current();
        let session = match self.0.verified.get(&digest) {
            Some(session) => session,
            None => {
                let session = Arc::new(self.0.read(shown, digest, &trust, now)?);
                self.0.verified.insert(digest, session.clone());
                session
            }
        };
        if let Err(problem) = stands(&session, &trust, now) {
            self.0.verified.invalidate(&digest);
            return Err(problem.into());
        }
        if session.second_factor_missing {
            return Err(Problem::new(ErrorReason::SecondFactorRequired).into());
        }
        Ok(session)
    }

    /// Who calls, after asking the issuer for a key that nobody knows here.
    ///
    /// # Errors
    /// As [`Verifier::admit`], or UNAVAILABLE when the issuer has not told its keys yet.
    pub(crate) async fn ask_and_admit(&self, shown: Shown<'_>) -> Result<Arc<Session>, Problem> {
        let asked = match &self.0.sources.url {
            Some(url) => url.ask_for_caller(|keys| self.0.sources.take(keys)).await,
            None => false,
        };
        let admitted = if asked {
            self.admit(shown)
        } else {
            Err(Refusal::UnknownKey)
        };
        admitted.map_err(|refusal| match refusal {
            Refusal::Final(problem) => problem,
            Refusal::UnknownKey if self.is_waiting() => {
                Problem::new(ErrorReason::Unavailable).retry_after(RETRY)
            }
            Refusal::UnknownKey => invalid(),
        })
    }

    /// Waits until the caller's credentials have ended or were called back, and says why.
    pub(crate) async fn ended(self, session: Arc<Session>) -> Problem {
        let mut changes = self.0.sources.subscribe();
        loop {
            let trust = changes.borrow_and_update().clone();
            let now = self.0.clock.now();
            if let Err(problem) = stands(&session, &trust, now) {
                return problem;
            }
            let end = session.ends.saturating_add(session.skew).saturating_add(1);
            let left = end
                .saturating_mul(1000)
                .saturating_sub(now.timestamp_millis());
            let left = Duration::from_millis(left.max(1).unsigned_abs()).min(LONGEST_WAIT);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The verifier lives as long as this.
                _ = changes.changed() => {}
            }
        }
    }
}

/// Tells what is shown from everything else that might be.
fn digest(shown: Shown<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    match shown.certificate {
        Some(certificate) => hash.update(certificate.thumbprint),
        None => hash.update([0; 32]),
    }
    // No token and an empty one are not the same.
    hash.update([u8::from(shown.token.is_some())]);
    hash.update(shown.token.unwrap_or_default());
    hash.finalize().into()
}

/// Checks that credentials which were in order still are.
fn stands(session: &Session, trust: &Trust, now: DateTime<Utc>) -> Result<(), Problem> {
    if session.ends.saturating_add(session.skew) < now.timestamp() {
        return Err(Problem::new(ErrorReason::TokenExpired).retry_after(RETRY));
    }
    let named = Named {
        token_id: session.caller.token_id.as_deref(),
        subject: &session.caller.subject,
        issued: session.issued,
        certificate: session.certificate.as_ref(),
    };
    let key_is_gone = session.key.is_some_and(|key| !trust.has(&key));
    if key_is_gone || trust.revoked.names(named) {
        return Err(invalid());
    }
    let partner = session.caller.partner.as_deref();
    let partner = partner.map(|subject| Named { subject, ..named });
    if partner.is_some_and(|partner| trust.revoked.names(partner)) {
        return Err(invalid());
    }
    Ok(())
}

impl Inner {
    fn read(
        &self,
        shown: Shown<'_>,
        digest: [u8; 32],
        trust: &Trust,
        now: DateTime<Utc>,
    ) -> Result<Session, Refusal> {
        let partner = shown
            .certificate
            .and_then(|certificate| self.rules.partners.find(certificate));
        if partner.is_some_and(|partner| partner.expires < now.timestamp()) {
            return Err(Problem::new(ErrorReason::PartnerUnknown).into());
        }
        let mut session = match (shown.token, shown.certificate, partner) {
            (Some(token), _, _) => self.by_token(token, shown.certificate, trust, now)?,
            (None, Some(certificate), Some(partner)) => by_certificate(certificate, partner),
            (None, Some(_), None) => {
                return Err(Problem::new(ErrorReason::PartnerUnknown).into());
            }
            (None, None, _) => return Err(invalid().into()),
        };
        session.digest = digest;
        session.certificate = shown.certificate.map(|shown| shown.thumbprint);
        if let (Some(certificate), Some(partner)) = (shown.certificate, partner) {
            within(&mut session, certificate, partner)?;
        }
        let mut roles = session.caller.roles.iter();
        session.second_factor_missing = !session.caller.second_factor
            && roles.any(|role| self.rules.second_factor.contains(role));
        Ok(session)
    }

    fn by_token(
        &self,
        token: &str,
        certificate: Option<&ClientCertificate>,
        trust: &Trust,
        now: DateTime<Utc>,
    ) -> Result<Session, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(invalid().into());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let plain = header.typ.as_deref().is_none_or(|kind| {
            let kinds = ["JWT", "at+jwt", "application/at+jwt"];
            kinds.iter().any(|known| known.eq_ignore_ascii_case(kind))
        });
        let id = header.kid.filter(|id| id.len() <= MAX_KEY_ID);
        // Nobody here understands what a critical header asks for.
        let (Some(id), true, None) = (id, plain, header.crit) else {
            return Err(invalid().into());
        };
        let mut known = false;
        for (issuer, key) in trust.keys(&id) {
            known = true;
            // The key says how it signs, not the token.
            if key.algorithm.as_jwt() != header.alg {
                continue;
            }
            if let Some(claims) = verified(token, issuer, key) {
                return self.session(&claims, issuer, key, certificate, now);
            }
        }
        if known || self.sources.url.is_none() {
            Err(invalid().into())
        } else {
            Err(Refusal::UnknownKey)
        }
    }

    fn session(
        &self,
        claims: &Claims,
        issuer: &Issuing,
        key: &Key,
        certificate: Option<&ClientCertificate>,
        now: DateTime<Utc>,
    ) -> Result<Session, Refusal> {
        let Rules {
            life, skew, acr, ..
        } = &self.rules;
        let latest = now.timestamp().saturating_add(*skew);
        let life = match issuer.kind {
            Kind::Configured => *life,
            Kind::Gateway => INTERNAL_LIFE.as_secs().cast_signed(),
            Kind::Development => i64::MAX,
        };
        let issued = claims.iat.ok_or_else(invalid)?;
        let begun = issued <= latest && claims.nbf.is_none_or(|begin| begin <= latest);
        let span = claims.exp.saturating_sub(issued);
        if !begun || span <= 0 || span > life {
            return Err(invalid().into());
        }
        if claims.exp.saturating_add(*skew) < now.timestamp() {
            return Err(Problem::new(ErrorReason::TokenExpired).into());
        }
        let by_certificate = match (claims.binding(), certificate) {
            (Binding::Free, _) => false,
            (Binding::Certificate(print), Some(shown)) if shown.thumbprint == print => true,
            _ => return Err(invalid().into()),
        };
        let default = ClaimsConfig::default();
        let names = match issuer.kind {
            Kind::Configured => &self.rules.claims,
            Kind::Development | Kind::Gateway => &default,
        };
        let mut caller = claims.caller(names, acr).ok_or_else(invalid)?;
        let (mut issued, mut ends) = (issued, claims.exp);
        if issuer.kind == Kind::Gateway {
            let time = |name: &str| claims.find(name)?.as_i64();
            let vouched = claims.actor() == Some(GATEWAY);
            let (Some(first), Some(last), true) = (time(ISSUED), time(ENDS), vouched) else {
                return Err(invalid().into());
            };
            (issued, ends) = (first, last);
            let partner = claims.find(PARTNER).and_then(|partner| partner.as_str());
            caller.partner = partner.map(ToOwned::to_owned);
        }
        let expires = DateTime::from_timestamp(ends, 0).ok_or_else(invalid)?;
        caller.expires = Some(expires);
        Ok(Session {
            caller: Arc::new(caller),
            usual: OnceLock::new(),
            digest: [0; 32],
            issued,
            ends,
            skew: *skew,
            key: Some(key.print),
            certificate: None,
            second_factor_missing: false,
            by_certificate,
        })
    }
}

/// The claims of a token that this issuer signed with this key for us.
fn verified(token: &str, issuer: &Issuing, key: &Key) -> Option<Claims> {
    let mut validation = Validation::new(key.algorithm.as_jwt());
    validation.set_issuer(&[&issuer.issuer]);
    validation.set_audience(&[&issuer.audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // Times are checked against our own clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let data = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation);
    data.ok().map(|data| data.claims)
}

fn by_certificate(certificate: &ClientCertificate, partner: &Partner) -> Session {
    Session {
        caller: Arc::new(partner.caller.clone()),
        usual: OnceLock::new(),
        digest: [0; 32],
        issued: certificate.not_before,
        ends: partner.expires,
        skew: 0,
        key: None,
        certificate: None,
        second_factor_missing: false,
        by_certificate: true,
    }
}

/// Holds a caller to the agreement with the partner over whose connection it comes: never more of
/// the tree, for no other department, and never longer than the agreement and the certificate last.
fn within(
    session: &mut Session,
    certificate: &ClientCertificate,
    partner: &Partner,
) -> Result<(), Problem> {
    let mut caller = Caller::clone(&session.caller);
    let agreed = &partner.caller.scope;
    if !agreed.contains(&caller.scope) {
        if !caller.scope.contains(agreed) {
            return Err(Problem::new(ErrorReason::ScopeDenied).meta("permission", "partner"));
        }
        caller.scope = agreed.clone();
    }
    let department = partner.caller.department;
    caller.department = caller.department.filter(|own| Some(*own) == department);
    caller.partner.clone_from(&partner.caller.partner);
    session.ends = session.ends.min(partner.expires).min(certificate.not_after);
    caller.expires = DateTime::from_timestamp(session.ends, 0);
    session.by_certificate = true;
    session.caller = Arc::new(caller);
    Ok(())
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
