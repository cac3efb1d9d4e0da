//! The settings of the gateway.

use std::path::PathBuf;
use std::time::Duration;

use kit::auth::{AuthConfig, Exchange};
use kit::config::Settings;
use kit::server::{Exposure, ServerConfig};
use kit::telemetry::TelemetryConfig;
use serde::Deserialize;

use crate::limits::{LimitsConfig, SheddingConfig};
use crate::overview::OverviewConfig;

/// The settings of the gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How it listens.
    pub server: ServerConfig,
    /// Whose tokens are taken.
    pub auth: AuthConfig,
    /// What it tells about itself.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    /// Where the services answer.
    pub upstreams: UpstreamsConfig,
    /// How many connections are kept to each replica of a service.
    #[serde(default = "default_connections")]
    pub connections_per_upstream: usize,
    /// How long connecting to a service may take before a call is answered with UNAVAILABLE.
    #[serde(default = "default_connect", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// A replica that says nothing for so long is asked for a sign of life,
    #[serde(default = "default_ping_interval", with = "humantime_serde")]
    pub ping_interval: Duration,
    /// and its connections are given up, with the calls on them, when there is none within this.
    #[serde(default = "default_ping_timeout", with = "humantime_serde")]
    pub ping_timeout: Duration,
    /// How often the names of services are looked up, and their replicas asked whether they serve.
    #[serde(default = "default_check", with = "humantime_serde")]
    pub check_interval: Duration,
    /// How long a unary call may take when its caller sets no deadline.
    #[serde(default = "default_deadline", with = "humantime_serde")]
    pub default_deadline: Duration,
    /// How long a unary call may take at most; a longer deadline is shortened to this.
    #[serde(default = "default_max_deadline", with = "humantime_serde")]
    pub max_deadline: Duration,
    /// How much callers may ask for.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How much each service is asked for at once, and who gives way.
    #[serde(default)]
    pub shedding: SheddingConfig,
    /// How many calls and streams one caller may have under way before new ones are answered with
    /// OVERLOADED, so that nobody takes the place of all others.
    #[serde(default = "default_per_caller")]
    pub max_in_flight_per_caller: usize,
    /// How many streams of one method that watches one caller may have open before new ones are answered with
    /// OVERLOADED: whoever follows several feeds has as many of each.
    #[serde(default = "default_watches")]
    pub max_watches_per_caller: usize,
    /// How many bytes the body of a request of gRPC-Web or HTTP/JSON may have, whatever its method: messages
    /// of gRPC pass unread, these are kept as a whole until they are understood. Each method takes what its
    /// contract says: so much in gRPC-Web, a third longer in base64, and eight times as much in JSON.
    #[serde(default = "default_body")]
    pub max_body_bytes: usize,
    /// How many bytes all of them together may have before new ones are answered with OVERLOADED.
    #[serde(default = "default_bodies")]
    pub max_bodies_bytes: usize,
    /// Whose scripts may call from a browser, such as `https://board.example.cn`; nobody's when empty.
    #[serde(default)]
    pub cors_origins: Vec<String>,
    /// The Ed25519 key, PKCS #8 in PEM, with which the gateway vouches to the services behind it for
    /// callers who showed it a certificate; they have its public key in `auth.gateway_keys_file` or
    /// `auth.gateway_keys`. Read again when it changes. Needed where `server.tls.client_ca` is set.
    #[serde(default)]
    pub internal_token_key_file: Option<PathBuf>,
    /// How the overview is put together.
    #[serde(default)]
    pub overview: OverviewConfig,
}

/// Where the services answer, such as `http://127.0.0.1:7401`: a name stands for every address that it
/// has, and several addresses for several replicas, with commas between them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamsConfig {
    /// Answers `campus.roster.v1`.
    pub roster: String,
    /// Answers `campus.sampling.v1`.
    pub sampling: String,
    /// Answers `campus.safety.v1`.
    pub safety_inspection: String,
    /// Answers `campus.notification.v1`.
    pub notification: String,
}

fn default_connections() -> usize {
    4
}

fn default_connect() -> Duration {
    Duration::from_secs(1)
}

fn default_ping_interval() -> Duration {
    Duration::from_secs(2)
}

fn default_ping_timeout() -> Duration {
    Duration::from_secs(3)
}

fn default_check() -> Duration {
    Duration::from_secs(2)
}

fn default_deadline() -> Duration {
    Duration::from_secs(60)
}

fn default_max_deadline() -> Duration {
    Duration::from_secs(600)
}

fn default_per_caller() -> usize {
    1024
}

fn default_watches() -> usize {
    8
}

fn default_body() -> usize {
    2 << 20
}

fn default_bodies() -> usize {
    128 << 20
}

impl Config {
    /// The defaults around what has none.
    pub fn new(server: ServerConfig, auth: AuthConfig, upstreams: UpstreamsConfig) -> Self {
        Self {
            server,
            auth,
            telemetry: TelemetryConfig::default(),
            upstreams,
            connections_per_upstream: default_connections(),
            connect_timeout: default_connect(),
            ping_interval: default_ping_interval(),
            ping_timeout: default_ping_timeout(),
            check_interval: default_check(),
            default_deadline: default_deadline(),
            max_deadline: default_max_deadline(),
            limits: LimitsConfig::default(),
            shedding: SheddingConfig::default(),
            max_in_flight_per_caller: default_per_caller(),
            max_watches_per_caller: default_watches(),
            max_body_bytes: default_body(),
            max_bodies_bytes: default_bodies(),
            cors_origins: Vec::new(),
            internal_token_key_file: None,
            overview: OverviewConfig::default(),
        }
    }
}

impl Config {
    fn check_certificates(&self) -> Result<(), String> {
        let asked = self
            .server
            .tls
            .as_ref()
            .is_some_and(|tls| tls.client_ca.is_some());
        let partners = !self.auth.partners.is_empty() || self.auth.partners_file.is_some();
        if !asked && partners {
            return Err("server.tls.client_ca: needed where auth.partners are".to_owned());
        }
        match &self.internal_token_key_file {
            Some(file) => Exchange::check(file)
                .map_err(|err| format!("internal_token_key_file: {}: {err}", file.display())),
            None if asked => {
                Err("internal_token_key_file: needed where server.tls.client_ca is set".to_owned())
            }
            None => Ok(()),
        }
    }
}

impl UpstreamsConfig {
    /// Each package prefix with the name and the address of the service that answers it.
    pub(crate) fn routes(&self) -> [(&'static str, &'static str, &str); 4] {
        let Self {
            roster,
            sampling,
            safety_inspection,
            notification,
        } = self;
        [
            ("campus.roster.", "roster", roster),
            ("campus.sampling.", "sampling", sampling),
            ("campus.safety.", "safety-inspection", safety_inspection),
            ("campus.notification.", "notification", notification),
        ]
    }

    /// The key of the address of a service.
    pub(crate) fn key(service: &str) -> String {
        format!("upstreams.{}", service.replace('-', "_"))
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.server.check(&self.auth, Exposure::Outside)?;
        if !self.auth.gateway_keys.is_empty() {
            return Err("auth.gateway_keys: for the services behind the gateway".to_owned());
        }
        if self.auth.gateway_keys_file.is_some() {
            return Err("auth.gateway_keys_file: for the services behind the gateway".to_owned());
        }
        self.check_certificates()?;
        self.limits.check()?;
        self.shedding.check()?;
        for (_, service, address) in self.upstreams.routes() {
            let key = UpstreamsConfig::key(service);
            crate::upstream::addresses(address).ok_or_else(|| format!("{key}: not an address"))?;
            for one in address.split(',') {
                self.auth.check_encrypted(&key, one.trim())?;
            }
        }
        if self.connections_per_upstream == 0 {
            return Err("connections_per_upstream: at least 1".to_owned());
        }
        let spans = [
            ("ping_interval", self.ping_interval),
            ("ping_timeout", self.ping_timeout),
            ("check_interval", self.check_interval),
        ];
        if let Some((key, _)) = spans.iter().find(|(_, span)| span.is_zero()) {
            return Err(format!("{key}: above zero"));
        }
        if self.max_in_flight_per_caller == 0 {
            return Err("max_in_flight_per_caller: at least 1".to_owned());
        }
        if self.max_watches_per_caller == 0 {
            return Err("max_watches_per_caller: at least 1".to_owned());
        }
        if self.max_body_bytes == 0 {
            return Err("max_body_bytes: at least 1".to_owned());
        }
        if self.max_bodies_bytes < self.max_body_bytes {
            return Err("max_bodies_bytes: at least max_body_bytes".to_owned());
        }
        if !self.cors_origins.iter().all(|origin| is_origin(origin)) {
            return Err("cors_origins: each is scheme://host or scheme://host:port".to_owned());
        }
        if self.default_deadline.is_zero() || self.default_deadline > self.max_deadline {
            return Err("default_deadline: above zero, at most max_deadline".to_owned());
        }
        self.overview.check(self.max_deadline)
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

/// Whether `text` is an origin as browsers write it: nothing behind the host and the port, and no
/// wildcard.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else {
        return false;
    };
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-.:[]".contains(letter);
    matches!(scheme, "http" | "https") && !host.is_empty() && host.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for origin in [
            "https://board.example.cn",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "*",
            "null",
            "https://",
            "https://a/",
            "https://*.cn",
            "a.cn",
            "ftp://a",
        ] {
            assert!(!is_origin(other), "{other}");
        }
    }
}
