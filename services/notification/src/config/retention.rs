//! How long what was told is kept.

use std::time::Duration;

use serde::Deserialize;

const DAY: Duration = Duration::from_secs(86_400);
/// Logs are kept for at least six months (rule 6.9: 网络安全法 art. 21).
const FLOOR_DAYS: u32 = 180;

/// How long what was told is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    /// Messages with their texts, deliveries and documents, after their end: one school year, as what they
    /// tell of is kept (rule 6.13); at least 180 days.
    #[serde(default = "default_messages", with = "humantime_serde")]
    pub messages: Duration,
    /// Warnings of other systems with their documents, and the record of those that this service wrote,
    /// after their end: five years, as incidents and duty are (rule 6.13); at least 180 days.
    #[serde(default = "default_warnings", with = "humantime_serde")]
    pub warnings: Duration,
    /// How often what is too old is looked for.
    #[serde(default = "default_interval", with = "humantime_serde")]
    pub interval: Duration,
    /// How many rows one transaction removes at most: 1 to 100,000.
    #[serde(default = "default_batch")]
    pub batch: u32,
}

fn default_messages() -> Duration {
    366 * DAY
}

fn default_warnings() -> Duration {
    (5 * 366) * DAY
}

fn default_interval() -> Duration {
    Duration::from_secs(600)
}

fn default_batch() -> u32 {
    5_000
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            messages: default_messages(),
            warnings: default_warnings(),
            interval: default_interval(),
            batch: default_batch(),
        }
    }
}

impl RetentionConfig {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// What is wrong; the text names the key.
    pub(super) fn check(&self) -> Result<(), String> {
        let (floor, most) = (FLOOR_DAYS * DAY, 36_600 * DAY);
        for (key, kept) in [("messages", self.messages), ("warnings", self.warnings)] {
            if !(floor..=most).contains(&kept) {
                return Err(format!(
                    "retention.{key}: {FLOOR_DAYS} days at least, 100 years at most"
                ));
            }
        }
        if self.interval.is_zero() {
            return Err("retention.interval: must be above zero".to_owned());
        }
        if !(1..=100_000).contains(&self.batch) {
            return Err("retention.batch: 1 to 100000".to_owned());
        }
        Ok(())
    }
}
