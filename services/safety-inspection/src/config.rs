//! The settings of the service.

use std::path::PathBuf;
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
    /// The file with the 32 bytes, in hexadecimal, of the Ed25519 secret that signs snapshots. Left
    /// out, a key is used that everybody knows; it is refused in production.
    #[serde(default)]
    pub signing_key_file: Option<PathBuf>,
}

/// The secret that signs snapshots in trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus gate trial key, no secret";

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
            signing_key_file: None,
        }
    }
}

impl Config {
    /// The secret that signs snapshots.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, or there is none in production.
    pub fn signing_key(&self) -> Result<[u8; 32], String> {
        let production = self.auth.production;
        let Some(file) = &self.gate.signing_key_file else {
            return if production {
                Err("gate.signing_key_file: required in production".to_owned())
            } else {
                Ok(DEVELOPMENT_KEY)
            };
        };
        let text = std::fs::read_to_string(file).map_err(|err| {
            format!(
                "gate.signing_key_file: cannot read {}: {err}",
                file.display()
            )
        })?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| "gate.signing_key_file: must hold 64 hexadecimal digits".to_owned())?;
        if production && key == DEVELOPMENT_KEY {
            return Err("gate.signing_key_file: holds the key of trials".to_owned());
        }
        Ok(key)
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.signing_key()?;
        for (key, address) in [("roster", &self.roster), ("sampling", &self.sampling)] {
            let endpoint = kit::channel::endpoint(address).ok();
            let complete = endpoint.filter(|endpoint| endpoint.uri().scheme().is_some());
            complete.ok_or_else(|| format!("{key}: not an address"))?;
        }
        let Self {
            gate:
                GateConfig {
                    queue,
                    batch,
                    refresh,
                    signing_key_file: _,
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
