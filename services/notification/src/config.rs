//! The settings of the service.

use std::time::Duration;

use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use serde::Deserialize;

/// The settings of the service.
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
    /// Where its data is.
    pub database: DatabaseConfig,
    /// Where roster answers, such as `http://127.0.0.1:7401`.
    pub roster: String,
    /// Where sampling answers, such as `http://127.0.0.1:7402`.
    pub sampling: String,
    /// How alerts are watched.
    #[serde(default)]
    pub alerts: AlertConfig,
    /// How directives are judged.
    #[serde(default)]
    pub directives: DirectiveConfig,
}

/// How alerts are watched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertConfig {
    /// How soon an alert that another replica stored is pushed to watchers, and how soon one
    /// whose deadline passed is marked.
    #[serde(default = "default_poll", with = "humantime_serde")]
    pub poll: Duration,
    /// How often a stream without news says that it is alive.
    #[serde(default = "default_heartbeat", with = "humantime_serde")]
    pub heartbeat: Duration,
}

/// How directives are judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectiveConfig {
    /// The share of recipients right below that must be accepted before a report above can be,
    /// in percent.
    #[serde(default = "default_done_percent")]
    pub done_percent: i32,
}

fn default_poll() -> Duration {
    Duration::from_millis(500)
}

fn default_heartbeat() -> Duration {
    Duration::from_secs(15)
}

fn default_done_percent() -> i32 {
    100
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self {
            poll: default_poll(),
            heartbeat: default_heartbeat(),
        }
    }
}

impl Default for DirectiveConfig {
    fn default() -> Self {
        Self {
            done_percent: default_done_percent(),
        }
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        for (key, address) in [("roster", &self.roster), ("sampling", &self.sampling)] {
            let endpoint = kit::channel::endpoint(address).ok();
            let complete = endpoint.filter(|endpoint| endpoint.uri().scheme().is_some());
            complete.ok_or_else(|| format!("{key}: not an address"))?;
        }
        if self.alerts.poll.is_zero() || self.alerts.heartbeat.is_zero() {
            return Err("alerts: poll and heartbeat must be above zero".to_owned());
        }
        if !(1..=100).contains(&self.directives.done_percent) {
            return Err("directives.done_percent: 1 to 100".to_owned());
        }
        Ok(())
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
