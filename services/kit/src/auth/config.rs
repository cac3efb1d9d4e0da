//! Whose tokens and certificates are taken, and what this service shows to its neighbours.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::algorithms::TokenAlgorithm;
use super::credentials::MAX_TOKEN_FILE;
use super::gateway_keys;
use super::keys::{Key, MAX_KEY_SET, key_set};
use super::partners::{MAX_AGREEMENTS, Partners};
use super::revoked::{MAX_LIST, Revoked};
use super::{Authority, PartnerConfig, Role};
use crate::clock::SystemClock;
use crate::tls::{ClientTlsConfig, authorities, read_at_most};

/// No token is taken for longer, whatever the settings say.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);
/// Clocks that are further apart are to be set, not excused.
const WIDEST_SKEW: Duration = Duration::from_secs(120);
/// How seldom a key set may be fetched.
const SELDOMEST: Duration = Duration::from_secs(24 * 3600);
/// How soon and how late strangers may make it be fetched again.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Whose tokens and certificates are taken, and what this service shows to its neighbours.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Refuses everything that is for trials only.
    #[serde(default)]
    pub production: bool,
    /// Takes tokens of the development issuer, whose key is public; only on a loopback address, unless `trial` is
    /// set.
    #[serde(default)]
    pub development: bool,
    /// Says that this is a trial, with nobody's real data: whoever reaches the service from elsewhere may use
    /// tokens of the development issuer.
    #[serde(default)]
    pub trial: bool,
    /// The `iss` of the tokens.
    #[serde(default = "default_issuer")]
    pub issuer: String,
    /// The `aud` of the tokens.
    #[serde(default = "default_audience")]
    pub audience: String,
    /// Ed25519 public keys by key id, 32 bytes each in base64.
    #[serde(default)]
    pub keys: HashMap<String, String>,
    /// A JSON Web Key Set of the issuer; read again when it changes.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// Where the issuer publishes its key set, `https://…`.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// The authorities that the certificate there is from, PEM; the public ones when unset.
    #[serde(default)]
    pub jwks_ca_file: Option<PathBuf>,
    /// How often the key set is fetched: what the issuer took out of it ends within this. 10 seconds
    /// to 24 hours.
    #[serde(default = "default_refresh", with = "humantime_serde")]
    pub jwks_refresh: Duration,
    /// How long after a fetch that a token with an unknown key id caused the next one may cause another. 1 second
    /// to 1 minute.
    #[serde(default = "default_pause", with = "humantime_serde")]
    pub jwks_pause: Duration,
    /// The signatures that tokens may have.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<TokenAlgorithm>,
    /// In which claims the issuer says what Campus asks for.
    #[serde(default)]
    pub claims: ClaimsConfig,
    /// How long a token may be valid from its issue, at most 12 hours. A stolen token is worth
    /// little when it dies soon, and an issuer that was told to end a session is obeyed within this.
    #[serde(default = "default_life", with = "humantime_serde")]
    pub max_token_life: Duration,
    /// How far the issuer's clock and this one may be apart, at most 2 minutes.
    #[serde(default = "default_skew", with = "humantime_serde")]
    pub clock_skew: Duration,
    /// A list of tokens, subjects and certificates that were called back; read again when it changes.
    #[serde(default)]
    pub revoked_file: Option<PathBuf>,
    /// A folder of Cedar policies in place of those of the release; read again when it changes.
    #[serde(default)]
    pub policies: Option<PathBuf>,
    /// Whoever holds one of these roles must have proved a second factor (rule 6.10).
    #[serde(default = "default_second_factor_roles")]
    pub second_factor_roles: Vec<String>,
    /// Values of the claim `acr` that stand for a second factor, beside the methods of `amr`.
    #[serde(default)]
    pub second_factor_acr: Vec<String>,
    /// Ed25519 public keys of the gateway, 32 bytes each in base64: it vouches for callers who
    /// showed it a certificate. For the services behind it.
    #[serde(default)]
    pub gateway_keys: Vec<String>,
    /// A file with them in place of `gateway_keys`, one a line; read again when it changes.
    #[serde(default)]
    pub gateway_keys_file: Option<PathBuf>,
    /// Systems that are known by their certificates.
    #[serde(default)]
    pub partners: Vec<PartnerConfig>,
    /// A file with more of them, one `[[partners]]` for each; read again when it changes.
    #[serde(default)]
    pub partners_file: Option<PathBuf>,
    /// Says that a mesh encrypts what services say to one another, so that those behind the gateway
    /// need not. Asked for only where `production` is set.
    #[serde(default)]
    pub plaintext_inside: bool,
    /// How this service connects to neighbours whose addresses begin with `https://`.
    #[serde(default)]
    pub client_tls: Option<ClientTlsConfig>,
    /// A file with the token that this service shows to its neighbours; read again when it changes.
    #[serde(default)]
    pub service_token_file: Option<PathBuf>,
}

/// In which claims the issuer says what Campus asks for. A name such as `realm_access.roles` leads
/// into an object where there is no claim of the whole name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimsConfig {
    /// The roles, a list of texts. Those that Campus does not know are passed over.
    pub roles: String,
    /// The place whose part of the tree the roles are for.
    pub scope: String,
    /// For a laboratory, its code.
    pub laboratory: String,
    /// For another system, the department of the government that it speaks for. One that Campus does
    /// not know counts as none.
    pub department: String,
    /// Which person of the register it is.
    pub person: String,
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        Self {
            roles: "roles".to_owned(),
            scope: "scope".to_owned(),
            laboratory: "laboratory".to_owned(),
            department: "department".to_owned(),
            person: "person".to_owned(),
        }
    }
}

pub(super) fn default_issuer() -> String {
    "campus".to_owned()
}

pub(super) fn default_audience() -> String {
    "campus".to_owned()
}

fn default_refresh() -> Duration {
    Duration::from_secs(300)
}

fn default_pause() -> Duration {
    Duration::from_secs(10)
}

fn default_algorithms() -> Vec<TokenAlgorithm> {
    vec![TokenAlgorithm::EdDSA, TokenAlgorithm::ES256]
}

fn default_life() -> Duration {
    Duration::from_secs(15 * 60)
}

fn default_skew() -> Duration {
    Duration::from_secs(30)
}

fn default_second_factor_roles() -> Vec<String> {
    let administrators = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];
    administrators.map(|role| role.to_string()).to_vec()
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            production: false,
            development: false,
            trial: false,
            issuer: default_issuer(),
            audience: default_audience(),
            keys: HashMap::new(),
            jwks_file: None,
            jwks_url: None,
            jwks_ca_file: None,
            jwks_refresh: default_refresh(),
            jwks_pause: default_pause(),
            algorithms: default_algorithms(),
            claims: ClaimsConfig::default(),
            max_token_life: default_life(),
            clock_skew: default_skew(),
            revoked_file: None,
            policies: None,
            second_factor_roles: default_second_factor_roles(),
            second_factor_acr: Vec::new(),
            gateway_keys: Vec::new(),
            gateway_keys_file: None,
            partners: Vec::new(),
            partners_file: None,
            plaintext_inside: false,
            client_tls: None,
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
    /// When nobody's tokens would be taken, a value or file cannot be used, or production takes the
    /// development issuer or is a trial.
    pub fn check(&self) -> Result<(), String> {
        if self.production && self.development {
            return Err("auth.development: not allowed where auth.production is set".to_owned());
        }
        if self.production && self.trial {
            return Err("auth.trial: not allowed where auth.production is set".to_owned());
        }
        let issuers = !self.keys.is_empty() || self.jwks_file.is_some() || self.jwks_url.is_some();
        if !self.development && !issuers {
            return Err(
                "auth.keys: at least one key is needed, or auth.jwks_file or auth.jwks_url"
                    .to_owned(),
            );
        }
        for (id, key) in &self.keys {
            Key::ed25519_base64(key)
                .ok_or_else(|| format!("auth.keys.{id}: not an Ed25519 public key"))?;
        }
        gateway_keys::listed(&self.gateway_keys)?;
        self.check_bounds()?;
        self.check_files()?;
        self.check_partners()?;
        self.second_factor()?;
        let policies = Authority::load(self, Arc::new(SystemClock));
        policies.map_err(|err| format!("auth.policies: {err}"))?;
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), String> {
        if self.issuer.is_empty() {
            return Err("auth.issuer: not empty".to_owned());
        }
        if self.audience.is_empty() {
            return Err("auth.audience: not empty".to_owned());
        }
        if self.algorithms.is_empty() {
            return Err("auth.algorithms: at least one".to_owned());
        }
        if self.max_token_life.is_zero() || self.max_token_life > LONGEST_LIFE {
            return Err("auth.max_token_life: above zero, at most 12h".to_owned());
        }
        if self.clock_skew > WIDEST_SKEW {
            return Err("auth.clock_skew: at most 120s".to_owned());
        }
        if self.jwks_refresh < Duration::from_secs(10) || self.jwks_refresh > SELDOMEST {
            return Err("auth.jwks_refresh: 10s to 24h".to_owned());
        }
        if self.jwks_pause < SHORTEST_PAUSE || self.jwks_pause > LONGEST_PAUSE {
            return Err("auth.jwks_pause: 1s to 1m".to_owned());
        }
        if let Some(url) = &self.jwks_url {
            let uri: Option<http::Uri> = url.parse().ok();
            let secure = uri.filter(|uri| uri.scheme_str() == Some("https"));
            if secure.is_none_or(|uri| uri.host().is_none()) {
                return Err("auth.jwks_url: an address that begins with https://".to_owned());
            }
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), String> {
        let set = |bytes: &[u8]| key_set(bytes, &self.algorithms);
        let file = self.jwks_file.as_deref();
        check_file(("auth.jwks_file", MAX_KEY_SET), file, set)?;
        if let Some(file) = &self.jwks_ca_file {
            authorities(file).map_err(|err| format!("auth.jwks_ca_file: {err}"))?;
        }
        let file = self.revoked_file.as_deref();
        check_file(("auth.revoked_file", MAX_LIST), file, Revoked::read)?;
        let file = self.gateway_keys_file.as_deref();
        if file.is_some() && !self.gateway_keys.is_empty() {
            return Err("auth.gateway_keys_file: not where auth.gateway_keys is set".to_owned());
        }
        let key = "auth.gateway_keys_file";
        check_file((key, MAX_KEY_SET), file, gateway_keys::read)?;
        if let Some(tls) = &self.client_tls {
            tls.check("auth.client_tls")?;
        }
        Ok(())
    }

    fn check_partners(&self) -> Result<(), String> {
        let settled = self.agreements()?;
        let file = self.partners_file.as_deref();
        check_file(("auth.partners_file", MAX_AGREEMENTS), file, |bytes| {
            settled.and(Partners::read(bytes, self.production)?)
        })
    }

    /// The agreements of the settings, without those of the file; the error names the key.
    pub(super) fn agreements(&self) -> Result<Partners, String> {
        let settled = Partners::new(&self.partners, self.production);
        settled.map_err(|err| format!("auth.{err}"))
    }

    /// The roles that ask for a second factor; the error names the key.
    pub(super) fn second_factor(&self) -> Result<Vec<Role>, String> {
        let roles = self.second_factor_roles.iter().enumerate();
        roles
            .map(|(place, role)| {
                role.parse()
                    .map_err(|()| format!("auth.second_factor_roles[{place}]: {role} is no role"))
            })
            .collect()
    }

    /// Checks that the development issuer is taken nowhere but where its key is no key to anything: on this machine,
    /// or in what says of itself that it is a trial.
    ///
    /// # Errors
    /// Where others reach `listen`.
    pub(crate) fn check_reach(&self, listen: SocketAddr) -> Result<(), String> {
        if !self.development || self.trial || listen.ip().is_loopback() {
            return Ok(());
        }
        Err(
            "auth.development: only where server.listen is a loopback address, or auth.trial is set"
                .to_owned(),
        )
    }

    /// Says in the log that anybody can sign tokens for the service at `addr`, where that is so.
    pub(crate) fn warn_of_development(&self, addr: SocketAddr) {
        if self.development {
            tracing::warn!(
                key = "auth.development",
                %addr,
                "tokens of the development issuer are taken, whose key is public: whoever reaches this address may \
                 do everything"
            );
        }
    }

    /// Checks what a service that calls its neighbours shows them, and that nobody listens in: `key`
    /// has the neighbour's `address`.
    ///
    /// # Errors
    /// Without a readable token to show in production, or over a network that nobody encrypts.
    pub fn check_neighbour(&self, key: &str, address: &str) -> Result<(), String> {
        match &self.service_token_file {
            None if self.production => {
                return Err(
                    "auth.service_token_file: needed where auth.production is set".to_owned(),
                );
            }
            None => {}
            Some(file) => {
                read_at_most(file, MAX_TOKEN_FILE)
                    .map_err(|err| format!("auth.service_token_file: {}: {err}", file.display()))?;
            }
        }
        self.check_encrypted(key, address)
    }

    /// Checks that nobody listens in on what is said to `address`, which `key` has.
    ///
    /// # Errors
    /// In production over a network that nobody encrypts.
    pub fn check_encrypted(&self, key: &str, address: &str) -> Result<(), String> {
        let uri: Option<http::Uri> = address.parse().ok();
        let secure = uri.is_some_and(|uri| {
            let here = uri.host().is_some_and(is_this_machine);
            uri.scheme_str() == Some("https") || here
        });
        if self.production && !self.plaintext_inside && !secure {
            return Err(format!(
                "{key}: https:// is needed where auth.production is set, or \
                 auth.plaintext_inside where a mesh encrypts"
            ));
        }
        Ok(())
    }
}

/// Checks that a file can be used, where there is one; the key and the bytes that it may have come first.
fn check_file<T>(
    (key, most): (&str, u64),
    file: Option<&Path>,
    read: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let bytes = read_at_most(file, most).map_err(|err| err.to_string());
    let used = bytes.and_then(|bytes| read(&bytes));
    used.map(drop)
        .map_err(|err| format!("{key}: {}: {err}", file.display()))
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<std::net::IpAddr> = bare.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
