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
    /// How gates are served.
    #[serde(default)]
    pub gate: GateConfig,
}

/// How gates are served.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateConfig {
    /// How many decisions may wait to be stored before new ones are answered with OVERLOADED.
    #[serde(default = "default_queue")]
    pub queue: usize,
    /// How many decisions share one commit at most.
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// How soon facts that another replica stored are seen.
    #[serde(default = "default_refresh", with = "humantime_serde")]
    pub refresh: Duration,
}

fn default_queue() -> usize {
    8192
}

fn default_batch() -> usize {
    512
}

fn default_refresh() -> Duration {
    Duration::from_millis(250)
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            queue: default_queue(),
            batch: default_batch(),
            refresh: default_refresh(),
        }
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        for (key, address) in [("roster", &self.roster), ("sampling", &self.sampling)] {
            kit::channel::endpoint(address).map_err(|_| format!("{key}: not an address"))?;
        }
        let Self {
            gate:
                GateConfig {
                    queue,
                    batch,
                    refresh,
                },
            ..
        } = self;
        if *queue == 0 || *batch == 0 || refresh.is_zero() {
            return Err("gate: queue, batch and refresh must be above zero".to_owned());
        }
        Ok(())
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
