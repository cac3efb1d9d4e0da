//! The settings of the service.

mod channels;
mod checks;
mod retention;

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

pub(crate) use channels::Secret;
pub use channels::{
    AnswerConfig, ChannelConfig, Encoding, Encryption, RequestConfig, SignConfig, SmtpConfig,
};
pub use retention::RetentionConfig;

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
    /// Where safety-inspection answers, such as `http://127.0.0.1:7403`.
    pub safety_inspection: String,
    /// How alerts are watched.
    #[serde(default)]
    pub alerts: AlertConfig,
    /// How messages are expanded and inboxes are watched.
    #[serde(default)]
    pub deliveries: DeliveryConfig,
    /// The ways out besides the inbox.
    #[serde(default)]
    pub channels: Vec<ChannelConfig>,
    /// How messages are sent.
    #[serde(default)]
    pub sending: SendingConfig,
    /// How addresses, and what is written in confidence, are protected.
    #[serde(default)]
    pub crypto: CryptoConfig,
    /// How what is gathered for an emergency can be destroyed. The secrets stand in a folder
    /// `notification` below the one of the settings.
    #[serde(default)]
    pub emergencies: EmergencyConfig,
    /// How warnings are written.
    #[serde(default)]
    pub warnings: WarningConfig,
    /// How long what was told is kept.
    #[serde(default)]
    pub retention: RetentionConfig,
}

/// How alerts are watched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertConfig {
    /// How soon an alert that another replica stored is pushed to watchers, and how soon one
    /// whose deadline passed goes further up.
    #[serde(default = "default_poll", with = "humantime_serde")]
    pub poll: Duration,
    /// How often a stream without news says that it is alive.
    #[serde(default = "default_heartbeat", with = "humantime_serde")]
    pub heartbeat: Duration,
}

/// How messages are expanded and inboxes are watched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryConfig {
    /// How soon a message that another replica stored is expanded, and pushed to who watches.
    #[serde(default = "default_poll", with = "humantime_serde")]
    pub poll: Duration,
    /// How often a stream without news says that it is alive.
    #[serde(default = "default_heartbeat", with = "humantime_serde")]
    pub heartbeat: Duration,
    /// For about how many recipients one transaction writes rows: 1 to 100,000.
    #[serde(default = "default_chunk")]
    pub chunk: u32,
}

/// How messages are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendingConfig {
    /// How often each channel looks for what is due.
    #[serde(default = "default_poll", with = "humantime_serde")]
    pub poll: Duration,
    /// What a replica took and did not settle, because it was killed, is taken again after this time: at
    /// most a day, and longer than four attempts of any channel may take, one after the other.
    #[serde(default = "default_visibility", with = "humantime_serde")]
    pub visibility: Duration,
}

/// How often a channel goes through all its attempts at once before it takes anew: what was taken is
/// settled before others may take it.
pub(crate) const ROUNDS: u32 = 4;
/// The longest that what was taken may be hidden from others.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(24 * 3600);

impl SendingConfig {
    fn check(&self, channels: &[ChannelConfig]) -> Result<(), String> {
        if self.poll.is_zero() {
            return Err("sending.poll: must be above zero".to_owned());
        }
        let attempts = channels.iter().map(|channel| channel.timeout * ROUNDS);
        let least = attempts.max().unwrap_or_default();
        if self.visibility <= least || self.visibility > LONGEST_VISIBILITY {
            return Err(format!(
                "sending.visibility: longer than {least:?}, four times the timeout of a channel, and at \
                 most a day"
            ));
        }
        Ok(())
    }
}

/// The master key of trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus messages trial key: known";

impl Config {
    /// The master keys.
    ///
    /// # Errors
    /// When a file cannot be read or holds no key, or there is none in production.
    pub(crate) fn master_keys(&self) -> Result<MasterKeys, String> {
        self.crypto
            .master_keys(self.auth.production, &DEVELOPMENT_KEY)
    }

    /// Checks that documents which leave by a channel have a sender of the city's own.
    ///
    /// # Errors
    /// When none is set; the text names the channel.
    pub(crate) fn check_sender(&self) -> Result<(), String> {
        let mut channels = self.channels.iter();
        match channels.find(|channel| channel.kind.carries_documents()) {
            Some(channel) if self.warnings.sender == NO_SENDER => Err(format!(
                "warnings.sender: required by channels.{}, which sends CAP documents under this name",
                channel.id
            )),
            Some(_) | None => Ok(()),
        }
    }
}

/// How warnings are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarningConfig {
    /// The `sender` of the CAP documents that this service writes: globally one's own, such as an
    /// address of the bureau; 1 to 256 characters, no white space, comma, `<` or `&`. Required where a
    /// channel takes documents. Documents written under another one before are not referred to correctly
    /// any more.
    #[serde(default = "default_sender")]
    pub sender: String,
}

fn default_poll() -> Duration {
    Duration::from_millis(500)
}

fn default_visibility() -> Duration {
    Duration::from_secs(300)
}

fn default_heartbeat() -> Duration {
    Duration::from_secs(15)
}

fn default_chunk() -> u32 {
    20_000
}

/// The sender of documents that leave by no channel: nobody's.
const NO_SENDER: &str = "campus.invalid";

fn default_sender() -> String {
    NO_SENDER.to_owned()
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self {
            poll: default_poll(),
            heartbeat: default_heartbeat(),
        }
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            poll: default_poll(),
            heartbeat: default_heartbeat(),
            chunk: default_chunk(),
        }
    }
}

impl Default for SendingConfig {
    fn default() -> Self {
        Self {
            poll: default_poll(),
            visibility: default_visibility(),
        }
    }
}

impl Default for WarningConfig {
    fn default() -> Self {
        Self {
            sender: default_sender(),
        }
    }
}

impl Settings for Config {
    fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        self.server.check(&self.auth, Exposure::Inside)?;
        self.audit.check(self.auth.production)?;
        let neighbours = [
            ("roster", &self.roster),
            ("sampling", &self.sampling),
            ("safety_inspection", &self.safety_inspection),
        ];
        for (key, address) in neighbours {
            let endpoint = kit::channel::endpoint(address).ok();
            let complete = endpoint.filter(|endpoint| endpoint.uri().scheme().is_some());
            complete.ok_or_else(|| format!("{key}: not an address"))?;
            self.auth.check_neighbour(key, address)?;
        }
        if self.alerts.poll.is_zero() || self.alerts.heartbeat.is_zero() {
            return Err("alerts: poll and heartbeat must be above zero".to_owned());
        }
        if self.deliveries.poll.is_zero() || self.deliveries.heartbeat.is_zero() {
            return Err("deliveries: poll and heartbeat must be above zero".to_owned());
        }
        if !(1..=100_000).contains(&self.deliveries.chunk) {
            return Err("deliveries.chunk: 1 to 100000".to_owned());
        }
        self.master_keys()?;
        checks::check(&self.channels, self.auth.production)?;
        self.sending.check(&self.channels)?;
        if !cap::is_token(&self.warnings.sender) {
            return Err("warnings.sender: not a sender of CAP".to_owned());
        }
        self.check_sender()?;
        self.retention.check()
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
