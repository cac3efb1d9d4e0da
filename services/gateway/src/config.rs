//! The settings of the gateway.

use std::time::Duration;

use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use serde::Deserialize;

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
    /// How many connections are kept to each service.
    #[serde(default = "default_connections")]
    pub connections_per_upstream: usize,
    /// How long connecting to a service may take before a call is answered with UNAVAILABLE.
    #[serde(default = "default_connect", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long a unary call may take when its caller sets no deadline.
    #[serde(default = "default_deadline", with = "humantime_serde")]
    pub default_deadline: Duration,
    /// How long a unary call may take at most; a longer deadline is shortened to this.
    #[serde(default = "default_max_deadline", with = "humantime_serde")]
    pub max_deadline: Duration,
    /// How many calls and streams one caller may have under way before new ones are answered with
    /// OVERLOADED, so that nobody takes the place of all others.
    #[serde(default = "default_per_caller")]
    pub max_in_flight_per_caller: usize,
}

/// Where the services answer, such as `http://127.0.0.1:7401`.
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

fn default_deadline() -> Duration {
    Duration::from_secs(60)
}

fn default_max_deadline() -> Duration {
    Duration::from_secs(600)
}

fn default_per_caller() -> usize {
    2048
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
            default_deadline: default_deadline(),
            max_deadline: default_max_deadline(),
            max_in_flight_per_caller: default_per_caller(),
        }
    }
}

impl UpstreamsConfig {
    /// Each package prefix with the key and the address of the service that answers it.
    pub(crate) fn routes(&self) -> [(&'static str, &'static str, &str); 4] {
        let Self {
            roster,
            sampling,
            safety_inspection,
            notification,
        } = self;
        [
            ("campus.roster.", "upstreams.roster", roster),
            ("campus.sampling.", "upstreams.sampling", sampling),
            (
                "campus.safety.",
                "upstreams.safety_inspection",
                safety_inspection,
            ),
            (
                "campus.notification.",
                "upstreams.notification",
                notification,
            ),
        ]
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        for (_, key, address) in self.upstreams.routes() {
            crate::pool::authority(address).ok_or_else(|| format!("{key}: not an address"))?;
        }
        if self.connections_per_upstream == 0 {
            return Err("connections_per_upstream: at least 1".to_owned());
        }
        if self.max_in_flight_per_caller == 0 {
            return Err("max_in_flight_per_caller: at least 1".to_owned());
        }
        if self.default_deadline.is_zero() || self.default_deadline > self.max_deadline {
            return Err("default_deadline: above zero, at most max_deadline".to_owned());
        }
        Ok(())
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
