//! The settings of the service.

use std::path::PathBuf;

use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
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
    /// Where it keeps its data.
    pub database: DatabaseConfig,
    /// How it protects identity and phone numbers.
    #[serde(default)]
    pub crypto: CryptoConfig,
}

/// How identity and phone numbers are protected (rule 6.11).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CryptoConfig {
    /// Which cipher seals what is written from now on; what is stored stays readable.
    #[serde(default)]
    pub suite: Suite,
    /// The file with the 32 bytes, in hexadecimal, of the master key. It wraps the data keys and
    /// makes the keyed hashes for look-up, so the database alone tells nothing. Left out, a key is
    /// used that everybody knows; it is refused in production.
    #[serde(default)]
    pub master_key_file: Option<PathBuf>,
}

/// A family of algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// AES-256-GCM.
    #[default]
    International,
    /// SM4-GCM.
    Sm,
}

/// The master key of trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus roster trial key: known!!";

impl Config {
    /// The master key.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, or there is none in production.
    pub fn master_key(&self) -> Result<Zeroizing<[u8; 32]>, String> {
        let Some(file) = &self.crypto.master_key_file else {
            return if self.auth.production {
                Err("crypto.master_key_file: required in production".to_owned())
            } else {
                Ok(Zeroizing::new(DEVELOPMENT_KEY))
            };
        };
        let text = std::fs::read_to_string(file)
            .map(Zeroizing::new)
            .map_err(|err| {
                format!(
                    "crypto.master_key_file: cannot read {}: {err}",
                    file.display()
                )
            })?;
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *key)
            .map_err(|_| "crypto.master_key_file: must hold 64 hexadecimal digits".to_owned())?;
        if self.auth.production && *key == DEVELOPMENT_KEY {
            return Err("crypto.master_key_file: holds the key of trials".to_owned());
        }
        Ok(key)
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.master_key()?;
        Ok(())
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
