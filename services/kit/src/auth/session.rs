//! Who calls, by which credentials and for how long, as a token or a certificate says it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::Validation;
use proto::error::ErrorReason;

use super::claims::{Binding, Claims};
use super::config::{AuthConfig, ClaimsConfig};
use super::exchange::{ENDS, GATEWAY, INTERNAL_LIFE, ISSUED, PARTNER};
use super::keys::{Key, MAX_KEY_ID};
use super::revoked::Named;
use super::trust::{Issuing, Kind, Trust};
use super::{Agreement, Caller, ClientCertificate, Role};
use crate::status::Problem;

/// A token is smaller than this, in bytes.
const MAX_TOKEN: usize = 8 << 10;
/// A caller whose credentials have just ended may come back with others after this.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// Who calls, by which credentials, and for how long.
#[derive(Debug)]
pub struct Session {
    /// Who calls.
    pub(crate) caller: Arc<Caller>,
    /// The caller as usual requests have it, which say nothing of their circumstances.
    pub(super) usual: OnceLock<Arc<Caller>>,
    /// Tells the credentials, and the agreement that they are judged by, from all others.
    pub(super) digest: [u8; 32],
    /// When the credentials were issued, in seconds since 1970.
    pub(super) issued: i64,
    /// When they end, in seconds since 1970.
    pub(super) ends: i64,
    /// By how many seconds the clock that set the end may be slow.
    pub(super) skew: i64,
    /// The key of the token.
    key: Option<[u8; 32]>,
    /// The certificate of the connection.
    certificate: Option<ClientCertificate>,
    /// The agreement with the partner whose certificate it is.
    agreement: Option<Arc<Agreement>>,
    /// A role asks for a second factor that was not proved.
    pub(super) second_factor_missing: bool,
    by_certificate: bool,
}

impl Session {
    /// Who calls, whatever one request says of its circumstances.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether the certificate of the connection has a part in who calls, so that nobody behind can
    /// find it out from the token alone.
    pub fn by_certificate(&self) -> bool {
        self.by_certificate
    }

    /// The agreement with the partner over whose connection the call comes.
    pub fn agreement(&self) -> Option<&Agreement> {
        self.agreement.as_deref()
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
    /// Nobody here knows the key of this id, but the issuer may.
    UnknownKey(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Final(problem)
    }
}

/// What the settings ask of tokens.
pub(super) struct Rules {
    claims: ClaimsConfig,
    life: i64,
    skew: i64,
    second_factor: Vec<Role>,
    acr: Vec<String>,
    /// Whether there is an issuer who may know a key that nobody knows here.
    may_ask: bool,
}

impl Rules {
    /// What the settings ask.
    ///
    /// # Errors
    /// When one of them cannot be used; the text begins with the key.
    pub(super) fn new(config: &AuthConfig) -> Result<Self, String> {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Ok(Self {
            claims: config.claims.clone(),
            life: seconds(config.max_token_life),
            skew: seconds(config.clock_skew),
            second_factor: config.second_factor()?,
            acr: config.second_factor_acr.clone(),
            may_ask: config.jwks_url.is_some(),
        })
    }

    /// Who calls by what is shown.
    ///
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED or PARTNER_UNKNOWN; or that the issuer is to be asked for the key.
    pub(super) fn read(
        &self,
        shown: Shown<'_>,
        agreement: Option<&Arc<Agreement>>,
        trust: &Trust,
        now: DateTime<Utc>,
    ) -> Result<Session, Refusal> {
        if agreement.is_some_and(|agreement| agreement.expires < now.timestamp()) {
            return Err(Problem::new(ErrorReason::PartnerUnknown).into());
        }
        let mut session = match (shown.token, shown.certificate, agreement) {
            (Some(token), _, _) => self.by_token(token, shown.certificate, trust, now)?,
            (None, Some(certificate), Some(agreement)) => by_certificate(certificate, agreement),
            (None, Some(_), None) => {
                return Err(Problem::new(ErrorReason::PartnerUnknown).into());
            }
            (None, None, _) => return Err(invalid().into()),
        };
        session.certificate = shown.certificate.cloned();
        session.agreement = agreement.cloned();
        if let (Some(certificate), Some(agreement)) = (shown.certificate, agreement) {
            within(&mut session, certificate, agreement)?;
        }
        let mut roles = session.caller.roles.iter();
        session.second_factor_missing =
            !session.caller.second_factor && roles.any(|role| self.second_factor.contains(role));
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
        if known || !self.may_ask {
            Err(invalid().into())
        } else {
            Err(Refusal::UnknownKey(id))
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
        let Self {
            life, skew, acr, ..
        } = self;
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
            Kind::Configured => &self.claims,
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
            agreement: None,
            second_factor_missing: false,
            by_certificate,
        })
    }
}

/// Whether the key that signed the token is trusted no more.
pub(super) fn key_is_gone(session: &Session, trust: &Trust) -> bool {
    session.key.is_some_and(|key| !trust.has(&key))
}

/// Checks that credentials which were in order still are.
pub(super) fn stands(session: &Session, trust: &Trust, now: DateTime<Utc>) -> Result<(), Problem> {
    if session.ends.saturating_add(session.skew) < now.timestamp() {
        return Err(Problem::new(ErrorReason::TokenExpired).retry_after(RETRY));
    }
    let named = Named {
        token_id: session.caller.token_id.as_deref(),
        subject: &session.caller.subject,
        issued: session.issued,
        certificate: session.certificate.as_ref().map(|shown| &shown.thumbprint),
    };
    if key_is_gone(session, trust) || trust.revoked.names(named) {
        return Err(invalid());
    }
    let partner = session.caller.partner.as_deref();
    let partner = partner.map(|subject| Named { subject, ..named });
    if partner.is_some_and(|partner| trust.revoked.names(partner)) {
        return Err(invalid());
    }
    let certificate = session.certificate.as_ref();
    let agreed = certificate.and_then(|certificate| trust.partners.find(certificate));
    let print = |agreement: Option<&Arc<Agreement>>| agreement.map(|known| known.print);
    if print(agreed) == print(session.agreement.as_ref()) {
        return Ok(());
    }
    // Whoever comes back is judged by what is agreed now.
    Err(match agreed {
        Some(_) => Problem::new(ErrorReason::Unavailable).retry_after(RETRY),
        None => Problem::new(ErrorReason::PartnerUnknown),
    })
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

fn by_certificate(certificate: &ClientCertificate, agreement: &Agreement) -> Session {
    Session {
        caller: Arc::new(agreement.caller.clone()),
        usual: OnceLock::new(),
        digest: [0; 32],
        issued: certificate.not_before,
        ends: agreement.expires,
        skew: 0,
        key: None,
        certificate: None,
        agreement: None,
        second_factor_missing: false,
        by_certificate: true,
    }
}

/// Holds a caller to the agreement with the partner over whose connection it comes, for no longer than that
/// and the certificate last.
fn within(
    session: &mut Session,
    certificate: &ClientCertificate,
    agreement: &Agreement,
) -> Result<(), Problem> {
    let mut caller = agreement.leaves(&session.caller)?;
    session.ends = session
        .ends
        .min(agreement.expires)
        .min(certificate.not_after);
    caller.expires = DateTime::from_timestamp(session.ends, 0);
    session.by_certificate = true;
    session.caller = Arc::new(caller);
    Ok(())
}

/// The answer to credentials that nobody takes.
pub(super) fn invalid() -> Problem {
    Problem::new(ErrorReason::TokenInvalid)
}
