//! The settings of the service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kit::audit::AuditConfig;
use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::migration::Schema;
use kit::server::{Exposure, ServerConfig};
use kit::telemetry::TelemetryConfig;
use kit::vault::{CryptoConfig, EmergencyConfig, MasterKeys, Vault};
use serde::Deserialize;

use crate::seal::SERVICE;

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
    /// How the audit log is kept.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Where its data is.
    pub database: DatabaseConfig,
    /// Where roster answers, such as `http://127.0.0.1:7401`.
    pub roster: String,
    /// Where sampling answers, such as `http://127.0.0.1:7402`.
    pub sampling: String,
    /// How gates are served.
    #[serde(default)]
    pub gate: GateConfig,
    /// How what identifies visitors is sealed.
    #[serde(default)]
    pub crypto: CryptoConfig,
    /// How what is gathered for an emergency can be destroyed.
    #[serde(default)]
    pub emergencies: EmergencyConfig,
    /// Which systems of others are asked.
    #[serde(default)]
    pub providers: ProvidersConfig,
}

/// Which systems of others are asked, and how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvidersConfig {
    /// Where `campus.provider.v1.HealthCodeProvider` answers. Left out, no colour is looked up.
    #[serde(default)]
    pub health_code: Option<String>,
    /// How long a gate waits for a colour.
    #[serde(default = "default_health_code_deadline", with = "humantime_serde")]
    pub health_code_deadline: Duration,
    /// Where `campus.provider.v1.TravelCardProvider` answers. Left out, no travel card is looked up.
    #[serde(default)]
    pub travel_card: Option<String>,
    /// How long a gate waits for a travel card.
    #[serde(default = "default_travel_card_deadline", with = "humantime_serde")]
    pub travel_card_deadline: Duration,
    /// Where `campus.provider.v1.IdentityProvider` answers. Left out, no visitor is verified.
    #[serde(default)]
    pub identity: Option<String>,
    /// How long a request for a visit waits for the verification.
    #[serde(default = "default_identity_deadline", with = "humantime_serde")]
    pub identity_deadline: Duration,
    /// How many calls to each are under way at once.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// The file with the 32 bytes, in hexadecimal, of the key shared with the providers of health codes
    /// and travel cards: it makes the references of visitors. Left out, a key is used that everybody
    /// knows; it is refused in production where `health_code` or `travel_card` is set.
    #[serde(default)]
    pub reference_key_file: Option<PathBuf>,
}

fn default_health_code_deadline() -> Duration {
    Duration::from_millis(300)
}

fn default_travel_card_deadline() -> Duration {
    Duration::from_millis(300)
}

fn default_identity_deadline() -> Duration {
    Duration::from_secs(2)
}

fn default_concurrency() -> usize {
    64
}

impl Default for ProvidersConfig {
    fn default() -> Self {
        Self {
            health_code: None,
            health_code_deadline: default_health_code_deadline(),
            travel_card: None,
            travel_card_deadline: default_travel_card_deadline(),
            identity: None,
            identity_deadline: default_identity_deadline(),
            concurrency: default_concurrency(),
            reference_key_file: None,
        }
    }
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
    /// How long a gate waits for a decision to be stored before it is told OVERLOADED.
    #[serde(default = "default_answer_within", with = "humantime_serde")]
    pub answer_within: Duration,
    /// The file with the 32 bytes, in hexadecimal, of the Ed25519 secret that signs snapshots. Left
    /// out, a key is used that everybody knows; it is refused in production.
    #[serde(default)]
    pub signing_key_file: Option<PathBuf>,
}

/// The secret that signs snapshots in trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus gate trial key, no secret";
/// The master key of trials: everybody knows it.
const DEVELOPMENT_MASTER: [u8; 32] = *b"campus visits trial key: known..";
/// The key of references in trials: everybody knows it.
const DEVELOPMENT_REFERENCE: [u8; 32] = *b"campus reference trial key known";

fn default_answer_within() -> Duration {
    Duration::from_secs(2)
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
            answer_within: default_answer_within(),
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
        key_in(
            "gate.signing_key_file",
            self.gate.signing_key_file.as_deref(),
            production,
            DEVELOPMENT_KEY,
        )
    }

    /// The master keys.
    ///
    /// # Errors
    /// When a file cannot be read or holds no key, or there is none in production.
    pub fn master_keys(&self) -> Result<MasterKeys, String> {
        self.crypto
            .master_keys(self.auth.production, &DEVELOPMENT_MASTER)
    }

    /// The key shared with the providers of health codes and travel cards.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, or there is none in production though a provider
    /// is asked.
    pub fn reference_key(&self) -> Result<[u8; 32], String> {
        let asked = [&self.providers.health_code, &self.providers.travel_card];
        let needed = self.auth.production && asked.iter().any(|address| address.is_some());
        let file = self.providers.reference_key_file.as_deref();
        let key = "providers.reference_key_file";
        key_in(key, file, needed, DEVELOPMENT_REFERENCE)
    }
}

/// The key in a file; without one the key of trials, where everybody may know it.
fn key_in(
    setting: &str,
    file: Option<&Path>,
    secret: bool,
    trial: [u8; 32],
) -> Result<[u8; 32], String> {
    let Some(file) = file else {
        return if secret {
            Err(format!("{setting}: required in production"))
        } else {
            Ok(trial)
        };
    };
    let text = std::fs::read_to_string(file)
        .map_err(|err| format!("{setting}: cannot read {}: {err}", file.display()))?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .map_err(|_| format!("{setting}: must hold 64 hexadecimal digits"))?;
    if secret && key == trial {
        return Err(format!("{setting}: holds the key of trials"));
    }
    Ok(key)
}

impl ProvidersConfig {
    fn check(&self) -> Result<(), String> {
        let addresses = [
            ("providers.health_code", &self.health_code),
            ("providers.travel_card", &self.travel_card),
            ("providers.identity", &self.identity),
        ];
        for (key, address) in addresses {
            if let Some(address) = address {
                check_address(key, address)?;
            }
        }
        let deadlines = [
            self.health_code_deadline,
            self.travel_card_deadline,
            self.identity_deadline,
        ];
        // A semaphore takes so many places at most.
        let places = 1..=tokio::sync::Semaphore::MAX_PERMITS;
        if deadlines.iter().any(Duration::is_zero) || !places.contains(&self.concurrency) {
            return Err("providers: deadlines and concurrency must be above zero".to_owned());
        }
        Ok(())
    }
}

fn check_address(key: &str, address: &str) -> Result<(), String> {
    let endpoint = kit::channel::endpoint(address).ok();
    let complete = endpoint.filter(|endpoint| endpoint.uri().scheme().is_some());
    complete
        .map(|_| ())
        .ok_or_else(|| format!("{key}: not an address"))
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.server.check(&self.auth, Exposure::Inside)?;
        self.audit.check(self.auth.production)?;
        self.signing_key()?;
        self.master_keys()?;
        self.reference_key()?;
        self.providers.check()?;
        for (key, address) in [("roster", &self.roster), ("sampling", &self.sampling)] {
            check_address(key, address)?;
            self.auth.check_neighbour(key, address)?;
        }
        let Self {
            gate:
                GateConfig {
                    queue,
                    batch,
                    refresh,
                    answer_within,
                    signing_key_file: _,
                },
            ..
        } = self;
        if *queue == 0 || *batch == 0 || refresh.is_zero() || answer_within.is_zero() {
            let keys = "queue, batch, refresh and answer_within";
            return Err(format!("gate: {keys} must be above zero"));
        }
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
