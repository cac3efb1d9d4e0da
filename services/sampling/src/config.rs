//! The settings of the service.

use std::path::PathBuf;

use kit::audit::AuditConfig;
use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::migration::Schema;
use kit::server::{Exposure, ServerConfig};
use kit::telemetry::TelemetryConfig;
use serde::Deserialize;

/// The settings of the service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How it listens.
    pub server: ServerConfig,
    /// Whose tokens it takes.
    #[serde(default)]
    pub auth: AuthConfig,
    /// What it tells about itself.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    /// How the audit log is kept.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Where it keeps its data.
    pub database: DatabaseConfig,
    /// Where the roster listens, such as `http://127.0.0.1:7401`.
    pub roster: String,
    /// The file with the 32 bytes, in hexadecimal, of the Ed25519 secret that signs draws. Left
    /// out, a key is used that everybody knows; it is refused in production.
    #[serde(default)]
    pub signing_key_file: Option<PathBuf>,
}

/// The secret that signs draws in trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus draw trial key, no secret";

impl Config {
    /// The secret that signs draws.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, or there is none in production.
    pub fn signing_key(&self) -> Result<[u8; 32], String> {
        let Some(file) = &self.signing_key_file else {
            return if self.auth.production {
                Err("signing_key_file: required in production".to_owned())
            } else {
                Ok(DEVELOPMENT_KEY)
            };
        };
        let text = std::fs::read_to_string(file)
            .map_err(|err| format!("signing_key_file: cannot read {}: {err}", file.display()))?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| "signing_key_file: must hold 64 hexadecimal digits".to_owned())?;
        if self.auth.production && key == DEVELOPMENT_KEY {
            return Err("signing_key_file: holds the key of trials".to_owned());
        }
        Ok(key)
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.server.check(&self.auth, Exposure::Inside)?;
        self.audit.check(self.auth.production)?;
        self.signing_key()?;
        kit::channel::endpoint(&self.roster)
            .map_err(|_| "roster: must be an address such as http://127.0.0.1:7401".to_owned())?;
        self.auth.check_neighbour("roster", &self.roster)
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    fn schema(&self) -> Option<(&DatabaseConfig, Schema)> {
        Some((&self.database, crate::schema()))
    }
}
