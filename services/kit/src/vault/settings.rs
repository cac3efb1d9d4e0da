//! Which cipher seals, and where the master key is.

use std::path::PathBuf;

use serde::Deserialize;
use zeroize::Zeroizing;

/// How personal data is protected (rule 6.11).
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

/// How what is gathered for an emergency can be destroyed for good (rule 6.12).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyConfig {
    /// The folder in which the secrets of emergencies stand, one file each. All replicas share it,
    /// and no backup may hold it. Left out, what is gathered for an emergency is sealed as everything
    /// else is, and old backups keep showing it after its destruction.
    #[serde(default)]
    pub secret_folder: Option<PathBuf>,
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

impl CryptoConfig {
    /// The master key. `trial` is the one that everybody knows.
    ///
    /// # Errors
    /// When the file cannot be read or holds no key, or there is none in production. The text names
    /// the setting.
    pub fn master_key(
        &self,
        production: bool,
        trial: &[u8; 32],
    ) -> Result<Zeroizing<[u8; 32]>, String> {
        let Some(file) = &self.master_key_file else {
            return if production {
                Err("crypto.master_key_file: required in production".to_owned())
            } else {
                Ok(Zeroizing::new(*trial))
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
        if production && *key == *trial {
            return Err("crypto.master_key_file: holds the key of trials".to_owned());
        }
        Ok(key)
    }
}
