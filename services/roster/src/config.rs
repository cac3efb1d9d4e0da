//! The settings of the service.

use kit::audit::AuditConfig;
use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::migration::Schema;
use kit::server::{Exposure, ServerConfig};
use kit::telemetry::TelemetryConfig;
use kit::vault::{CryptoConfig, MasterKeys, Vault};
use serde::Deserialize;

use crate::vault::SERVICE;

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
    /// How it protects identity and phone numbers.
    #[serde(default)]
    pub crypto: CryptoConfig,
}

/// The master key of trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus roster trial key: known!!";

impl Config {
    /// The master keys.
    ///
    /// # Errors
    /// When a file cannot be read or holds no key, or there is none in production.
    pub fn master_keys(&self) -> Result<MasterKeys, String> {
        self.crypto
            .master_keys(self.auth.production, &DEVELOPMENT_KEY)
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.server.check(&self.auth, Exposure::Inside)?;
        self.audit.check(self.auth.production)?;
        self.master_keys()?;
        Ok(())
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    fn schema(&self) -> Option<(&DatabaseConfig, Schema)> {
        Some((&self.database, crate::schema()))
    }

    fn vault(&self) -> Result<Option<Vault>, String> {
        Ok(Some(Vault::new(&self.master_keys()?, SERVICE)))
    }
}
