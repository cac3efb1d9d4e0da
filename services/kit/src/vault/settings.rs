//! Which cipher seals, and where the master key is.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

/// How personal data is protected (rule 6.11).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CryptoConfig {
    /// Which cipher seals what is written from now on, and wraps the keys for it; what is stored stays
    /// readable.
    #[serde(default)]
    pub suite: Suite,
    /// The file with the 32 bytes, in hexadecimal, of the master key. It wraps the data keys, and that
    /// from which the keyed hashes for look-up are made, so the database alone tells nothing. Left out,
    /// a key is used that everybody knows; it is refused in production.
    #[serde(default)]
    pub master_key_file: Option<PathBuf>,
    /// The file with the master key before this one, as long as data keys are wrapped by it: it only
    /// unwraps, and the command `rewrap` makes it superfluous.
    #[serde(default)]
    pub former_master_key_file: Option<PathBuf>,
}

/// The master key, and while it is being changed the one before. Nothing of them is ever shown.
#[derive(Clone)]
pub struct MasterKeys {
    /// Wraps and unwraps.
    pub present: Zeroizing<[u8; 32]>,
    /// Only unwraps.
    pub former: Option<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys").finish_non_exhaustive()
    }
}

impl From<[u8; 32]> for MasterKeys {
    fn from(present: [u8; 32]) -> Self {
        Self {
            present: Zeroizing::new(present),
            former: None,
        }
    }
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
    /// The master keys. `trial` is the one that everybody knows.
    ///
    /// # Errors
    /// When a file cannot be read or holds no key, or there is none in production. The text names
    /// the setting.
    pub fn master_keys(&self, production: bool, trial: &[u8; 32]) -> Result<MasterKeys, String> {
        let present = match &self.master_key_file {
            Some(file) => key_in("crypto.master_key_file", file)?,
            None if production => {
                return Err("crypto.master_key_file: required in production".to_owned());
            }
            None => Zeroizing::new(*trial),
        };
        if production && *present == *trial {
            return Err("crypto.master_key_file: holds the key of trials".to_owned());
        }
        let former = self.former_master_key_file.as_deref();
        let former = former.map(|file| key_in("crypto.former_master_key_file", file));
        Ok(MasterKeys {
            present,
            former: former.transpose()?,
        })
    }
}

/// The key in a file; an error begins with the setting that names it.
fn key_in(setting: &str, file: &Path) -> Result<Zeroizing<[u8; 32]>, String> {
    let text = std::fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|err| format!("{setting}: cannot read {}: {err}", file.display()))?;
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *key)
        .map_err(|_| format!("{setting}: must hold 64 hexadecimal digits"))?;
    Ok(key)
}
