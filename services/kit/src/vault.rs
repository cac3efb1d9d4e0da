//! Seals what a database must not tell: phone numbers, addresses, the words of people in need.
//!
//! Envelope encryption: the master key, which never stands in the database, wraps data keys, which
//! do; a sealed value names its data key, so keys can be changed and a key that is deleted takes
//! everything that it sealed along (rule 6.12). What must last as long as the database, such as the
//! keys of keyed hashes, follows from a key that is wrapped as they are, so nothing but the wrapping
//! hangs on the master key.

mod data_keys;
mod emergency;
mod folder;
mod key_rows;
pub mod rewrap;
mod settings;
mod unlocking;
mod wrapping;

use std::collections::BTreeMap;
use std::fmt;

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, AesGcm};
use hmac::{Hmac, Mac};
use sea_orm::DbErr;
use sha2::Sha256;
use sm4::Sm4;
use wrapping::{By, Wrapping};
use zeroize::Zeroizing;

pub use data_keys::TABLE;
pub use emergency::{EmergencyVault, STALE, emergency_of};
pub use settings::{CryptoConfig, EmergencyConfig, MasterKeys, Suite};
pub use unlocking::UnlockError;
pub use wrapping::WrappedKey;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// The layout of a sealed value: version, number of the data key, nonce, ciphertext with tag.
const VERSION: u8 = 1;
const HEADER: usize = 1 + 4;
const NONCE: usize = 12;

/// The number of the root: it seals nothing, and the keys that last follow from it.
pub const ROOT: u32 = 0;

/// A value cannot be opened: it was changed, moved to another row, or its data key is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened")]
pub struct VaultError;

/// Seals and opens. It holds keys, so nothing of it is ever shown.
#[derive(Clone)]
pub struct Vault {
    wrapping: Wrapping,
    root: Option<Zeroizing<[u8; 32]>>,
    keys: BTreeMap<u32, Cipher>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("keys", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Cipher {
    Aes(Box<Aes256Gcm>),
    Sm4(Box<Sm4Gcm>),
}

impl Cipher {
    fn new(suite: Suite, key: &[u8; 32]) -> Self {
        match suite {
            Suite::International => Self::Aes(Box::new(Aes256Gcm::new(key.into()))),
            Suite::Sm => {
                let mut half = Zeroizing::new([0; 16]);
                half.copy_from_slice(&key[..16]);
                Self::Sm4(Box::new(Sm4Gcm::new((&*half).into())))
            }
        }
    }

    fn seal(&self, nonce: &[u8; NONCE], payload: Payload<'_, '_>) -> Vec<u8> {
        match self {
            Self::Aes(cipher) => cipher.encrypt(nonce.into(), payload),
            Self::Sm4(cipher) => cipher.encrypt(nonce.into(), payload),
        }
        .expect("a value is far shorter than the cipher allows")
    }

    fn open(&self, nonce: &[u8; NONCE], payload: Payload<'_, '_>) -> Result<Vec<u8>, VaultError> {
        match self {
            Self::Aes(cipher) => cipher.decrypt(nonce.into(), payload),
            Self::Sm4(cipher) => cipher.decrypt(nonce.into(), payload),
        }
        .map_err(|_| VaultError)
    }
}

impl Vault {
    /// A vault of `service` without data keys.
    pub fn new(masters: &MasterKeys, service: &str) -> Self {
        Self {
            wrapping: Wrapping::new(masters, service),
            root: None,
            keys: BTreeMap::new(),
        }
    }

    /// A new data key, wrapped; it must be stored before it is taken up.
    pub fn make_key(&self, id: u32, suite: Suite) -> WrappedKey {
        let data = Zeroizing::new(rand::random::<[u8; 32]>());
        self.wrapping.wrap(id, suite, &data)
    }

    /// Takes a stored data key up.
    ///
    /// # Errors
    /// When another master key wrapped it.
    pub fn take_up(&mut self, key: &WrappedKey) -> Result<(), VaultError> {
        self.take(key).map(|_| ())
    }

    fn take(&mut self, key: &WrappedKey) -> Result<By, VaultError> {
        let (data, by) = self.wrapping.unwrap(key)?;
        if key.id == ROOT {
            self.root = Some(data);
        } else {
            self.keys.insert(key.id, Cipher::new(key.suite, &data));
        }
        Ok(by)
    }

    /// The key for one purpose that lasts as long as the database, whatever the master key.
    ///
    /// # Panics
    /// When the root was not taken up, which starting the service does.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let root = self.root.as_ref().expect("the root was taken up");
        tagged_key(root, &[purpose])
    }

    /// Seals `value` for the row that `owner` names: it opens for no other row.
    ///
    /// # Panics
    /// When no data key was taken up, which starting the service does.
    pub fn seal(&self, owner: &[u8], value: &[u8]) -> Vec<u8> {
        let (id, cipher) = self.keys.last_key_value().expect("a data key was taken up");
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: value,
            aad: owner,
        };
        let sealed = cipher.seal(&nonce, payload);
        let mut bytes = Vec::with_capacity(HEADER + NONCE + sealed.len());
        bytes.push(VERSION);
        bytes.extend(id.to_be_bytes());
        bytes.extend(nonce);
        bytes.extend(sealed);
        bytes
    }

    /// Opens what was sealed for the row that `owner` names.
    ///
    /// # Errors
    /// When it was changed, belongs to another row, or its data key is gone.
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (header, rest) = sealed.split_first_chunk::<HEADER>().ok_or(VaultError)?;
        let [VERSION, id @ ..] = header else {
            return Err(VaultError);
        };
        let cipher = self.keys.get(&u32::from_be_bytes(*id)).ok_or(VaultError)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(VaultError)?;
        let payload = Payload {
            msg: sealed,
            aad: owner,
        };
        cipher.open(nonce, payload).map(Zeroizing::new)
    }
}

fn suite_of(code: i16) -> Result<Suite, DbErr> {
    match code {
        1 => Ok(Suite::International),
        2 => Ok(Suite::Sm),
        _ => Err(DbErr::Type("a row with an unreadable cipher suite".into())),
    }
}

fn code(suite: Suite) -> u8 {
    match suite {
        Suite::International => 1,
        Suite::Sm => 2,
    }
}

/// A key for what the parts name.
fn tagged_key(key: &[u8; 32], parts: &[&str]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(tagged(&keyed(key), parts))
}

/// HMAC-SHA-256 under `key`.
///
/// # Panics
/// Never: HMAC takes a key of any length.
pub fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// HMAC over parts that cannot run into each other.
pub fn tagged(mac: &Hmac<Sha256>, parts: &[&str]) -> [u8; 32] {
    let mut mac = mac.clone();
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masters(byte: u8) -> MasterKeys {
        MasterKeys::from([byte; 32])
    }

    fn vault(suite: Suite) -> Vault {
        let mut vault = Vault::new(&masters(7), "campus");
        for id in [ROOT, 1] {
            let key = vault.make_key(id, suite);
            vault.take_up(&key).unwrap();
        }
        vault
    }

    #[test]
    fn a_sealed_value_opens_for_its_own_row_only() {
        for suite in [Suite::International, Suite::Sm] {
            let vault = vault(suite);
            let sealed = vault.seal(b"own", b"13800138000");
            assert_eq!(*vault.open(b"own", &sealed).unwrap(), b"13800138000");
            assert_eq!(vault.open(b"other", &sealed), Err(VaultError));
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert_eq!(vault.open(b"own", &changed), Err(VaultError), "byte {at}");
            }
        }
    }

    #[test]
    fn old_keys_still_open_and_a_deleted_key_opens_nothing() {
        let mut vault = vault(Suite::International);
        let old = vault.seal(b"row", b"a");
        let key = vault.make_key(2, Suite::Sm);
        vault.take_up(&key).unwrap();
        let new = vault.seal(b"row", b"b");
        assert_eq!(*vault.open(b"row", &old).unwrap(), b"a");
        assert_eq!(*vault.open(b"row", &new).unwrap(), b"b");
        vault.keys.remove(&1);
        assert_eq!(vault.open(b"row", &old), Err(VaultError));
    }

    #[test]
    fn another_master_key_unwraps_nothing_nor_does_another_service() {
        for suite in [Suite::International, Suite::Sm] {
            let key = vault(suite).make_key(3, suite);
            for mut other in [
                Vault::new(&masters(8), "campus"),
                Vault::new(&masters(7), "elsewhere"),
            ] {
                assert_eq!(other.take_up(&key), Err(VaultError));
            }
            let mut elsewhere = key.clone();
            elsewhere.id = 4;
            assert_eq!(vault(suite).take_up(&elsewhere), Err(VaultError));
        }
    }

    #[test]
    fn a_key_is_wrapped_by_the_cipher_that_it_is_for() {
        let key = vault(Suite::Sm).make_key(3, Suite::Sm);
        let (nonce, sealed) = key.wrapped.split_first_chunk::<NONCE>().unwrap();
        let wrapper = tagged_key(&[7; 32], &["campus", "wrap by SM4"]);
        let payload = Payload {
            msg: sealed,
            aad: &[2, 0, 0, 0, 3],
        };
        let opened = Cipher::new(Suite::Sm, &wrapper).open(nonce, payload);
        assert_eq!(opened.map(|data| data.len()), Ok(32));
    }

    #[test]
    fn keys_that_last_follow_from_the_root_and_their_purpose() {
        let (one, other) = (vault(Suite::Sm), vault(Suite::Sm));
        assert_eq!(one.derive("a"), one.derive("a"));
        assert_ne!(one.derive("a"), one.derive("b"));
        assert_ne!(one.derive("a"), other.derive("a"));
        let mut again = Vault::new(&masters(7), "campus");
        let root = one
            .wrapping
            .wrap(ROOT, Suite::Sm, &one.root.clone().unwrap());
        again.take_up(&root).unwrap();
        assert_eq!(one.derive("a"), again.derive("a"));
    }

    #[test]
    fn sm4_gcm_follows_rfc_8998() {
        let key = hex::decode("0123456789abcdeffedcba9876543210").unwrap();
        let nonce: [u8; 12] = hex::decode("00001234567800000000abcd")
            .unwrap()
            .try_into()
            .unwrap();
        let aad = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let message = hex::decode(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        )
        .unwrap();
        let expected = hex::decode(
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec",
        )
        .unwrap();
        let mut wide = [0; 32];
        wide[..16].copy_from_slice(&key);
        let cipher = Cipher::new(Suite::Sm, &wide);
        let sealed = cipher.seal(
            &nonce,
            Payload {
                msg: &message,
                aad: &aad,
            },
        );
        assert_eq!(sealed, expected);
    }
}
