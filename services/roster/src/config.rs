//! The settings of the service.

use kit::audit::AuditConfig;
use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::migration::Schema;
use kit::server::{Exposure, ServerConfig};
use kit::telemetry::TelemetryConfig;
use kit::vault::CryptoConfig;
use serde::Deserialize;
use zeroize::Zeroizing;

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
    /// The master key.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, or there is none in production.
    pub fn master_key(&self) -> Result<Zeroizing<[u8; 32]>, String> {
        self.crypto
            .master_key(self.auth.production, &DEVELOPMENT_KEY)
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.server.check(&self.auth, Exposure::Inside)?;
        self.audit.check(self.auth.production)?;
        self.master_key()?;
        Ok(())
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    fn schema(&self) -> Option<(&DatabaseConfig, Schema)> {
        Some((&self.database, crate::schema()))
    }
}
