//! How the audit log is kept.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The law's floor for logs, in days (rule 6.9: six months).
pub const RETENTION_DAYS: u32 = 180;
/// The law's floor for records of partners and laboratories, in days (rule 6.9: three years).
pub const PARTNER_RETENTION_DAYS: u32 = 1096;
/// The longest that a log is kept, in days.
const LONGEST: u32 = 36_500;
/// The secret that signs checkpoints in trials: everybody knows it.
const DEVELOPMENT_KEY: [u8; 32] = *b"campus audit trial key, a secret";

/// How the audit log is kept (rules 6.8 to 6.10).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// How many days records are kept: 180 to 36500.
    #[serde(default = "default_retention")]
    pub retention_days: u32,
    /// How many days records of partners and laboratories are kept: 1096 to 36500, not less than
    /// `retention_days`.
    #[serde(default = "default_partner_retention")]
    pub partner_retention_days: u32,
    /// The file with the 32 bytes, in hexadecimal, of the Ed25519 secret that signs checkpoints. Left out,
    /// a key is used that everybody knows; it is refused in production.
    #[serde(default)]
    pub signing_key_file: Option<PathBuf>,
    /// Ed25519 public keys that signed checkpoints before this one, 32 bytes each in base64.
    #[serde(default)]
    pub former_keys: Vec<String>,
    /// A file to which each checkpoint is appended, a line of JSON each: best on another machine.
    #[serde(default)]
    pub checkpoint_file: Option<PathBuf>,
}

fn default_retention() -> u32 {
    RETENTION_DAYS
}

fn default_partner_retention() -> u32 {
    PARTNER_RETENTION_DAYS
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            retention_days: default_retention(),
            partner_retention_days: default_partner_retention(),
            signing_key_file: None,
            former_keys: Vec::new(),
            checkpoint_file: None,
        }
    }
}

impl AuditConfig {
    /// Checks the settings; the error names the key.
    ///
    /// # Errors
    /// When something is kept for a shorter time than the law asks for, or a key cannot be used.
    pub fn check(&self, production: bool) -> Result<(), String> {
        let terms = [
            ("audit.retention_days", self.retention_days, RETENTION_DAYS),
            (
                "audit.partner_retention_days",
                self.partner_retention_days,
                PARTNER_RETENTION_DAYS.max(self.retention_days),
            ),
        ];
        for (key, days, floor) in terms {
            if !(floor..=LONGEST).contains(&days) {
                return Err(format!("{key}: {floor} to {LONGEST} (rule 6.9)"));
            }
        }
        self.keys(production).map(|_| ())
    }

    /// The key that signs checkpoints, and all public keys whose checkpoints are trusted.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, there is none in production, or a former key is none.
    /// The text names the setting.
    pub(super) fn keys(&self, production: bool) -> Result<(SigningKey, Vec<VerifyingKey>), String> {
        let key = SigningKey::from_bytes(&*self.secret(production)?);
        let mut trusted = vec![key.verifying_key()];
        for former in &self.former_keys {
            let bytes = STANDARD.decode(former).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let former = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
            trusted.push(former.ok_or("audit.former_keys: not an Ed25519 public key")?);
        }
        Ok((key, trusted))
    }

    fn secret(&self, production: bool) -> Result<Zeroizing<[u8; 32]>, String> {
        let Some(file) = &self.signing_key_file else {
            return if production {
                Err("audit.signing_key_file: required in production".to_owned())
            } else {
                Ok(Zeroizing::new(DEVELOPMENT_KEY))
            };
        };
        let text = std::fs::read_to_string(file).map(Zeroizing::new);
        let cannot = |err| {
            format!(
                "audit.signing_key_file: cannot read {}: {err}",
                file.display()
            )
        };
        let text = text.map_err(cannot)?;
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *key)
            .map_err(|_| "audit.signing_key_file: must hold 64 hexadecimal digits".to_owned())?;
        if production && *key == DEVELOPMENT_KEY {
            return Err("audit.signing_key_file: holds the key of trials".to_owned());
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn t20_a_log_that_is_kept_for_less_than_180_days_is_refused() {
        for (days, allowed) in [(90, false), (179, false), (180, true), (400, true)] {
            let config = AuditConfig {
                retention_days: days,
                ..AuditConfig::default()
            };
            assert_eq!(config.check(false).is_ok(), allowed, "{days}");
        }
    }

    #[test]
    fn what_partners_were_given_is_kept_for_three_years_at_least() {
        for (days, allowed) in [(180, false), (1095, false), (1096, true)] {
            let config = AuditConfig {
                partner_retention_days: days,
                ..AuditConfig::default()
            };
            assert_eq!(config.check(false).is_ok(), allowed, "{days}");
        }
    }

    #[test]
    fn production_refuses_the_key_of_trials() {
        let missing = AuditConfig::default().check(true).unwrap_err();
        assert!(missing.starts_with("audit.signing_key_file"), "{missing}");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{}", hex::encode(DEVELOPMENT_KEY)).unwrap();
        let config = AuditConfig {
            signing_key_file: Some(file.path().to_owned()),
            ..AuditConfig::default()
        };
        let known = config.check(true).unwrap_err();
        assert_eq!(known, "audit.signing_key_file: holds the key of trials");
        assert!(config.check(false).is_ok());
    }
}
