//! Keys of emergencies: what is gathered for one is sealed under its own key, and ends with it
//! (rule 6.12).
//!
//! A key stands wrapped in the database, by a key that follows from the vault's root and a secret of the
//! emergency that stands in no database (`emergencies.secret_folder`). Destroying deletes the row and the secret. A replica
//! holds a key only while it has seen its row within [`STALE`], so that it is gone everywhere soon
//! after.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aes_gcm::aead::Payload;
use sea_orm::DbErr;
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::folder::{Folder, Secret, fingerprint};
use super::key_rows::{self, Row};
use super::{Cipher, NONCE, Suite, Vault, VaultError, code, tagged_key};
use crate::db::{Database, Tx};
use crate::drain::Drain;

/// The layout of a value: version, emergency, nonce, ciphertext with tag.
const VERSION: u8 = 2;
const HEADER: usize = 1 + 16;
/// How often rows are looked at.
const REFRESH: Duration = Duration::from_millis(500);
/// A key whose row was not seen for so long is not used.
pub const STALE: Duration = Duration::from_secs(2);

/// Seals what is gathered for emergencies under their keys, and everything else under the vault's.
/// Clones share the keys.
#[derive(Clone)]
pub struct EmergencyVault(Arc<Shared>);

struct Shared {
    ordinary: Arc<Vault>,
    /// Half of what wraps keys; the secret of the emergency is the other half.
    wrapping: Zeroizing<[u8; 32]>,
    suite: Suite,
    folder: Option<Folder>,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    keys: BTreeMap<Uuid, Key>,
    seen: Option<Instant>,
}

struct Key {
    suite: Suite,
    bytes: Zeroizing<[u8; 32]>,
    /// When the emergency began, and when it ended, in milliseconds since 1970.
    span: (i64, Option<i64>),
}

impl fmt::Debug for EmergencyVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmergencyVault").finish_non_exhaustive()
    }
}

impl EmergencyVault {
    /// A vault that holds no key of an emergency yet. Without a folder everything is sealed by
    /// `ordinary`.
    ///
    /// # Panics
    /// As [`Vault::derive`].
    pub fn new(ordinary: Arc<Vault>, suite: Suite, folder: Option<&Path>) -> Self {
        let wrapping = ordinary.derive("emergencies");
        Self(Arc::new(Shared {
            ordinary,
            wrapping,
            suite,
            folder: folder.map(Folder::new),
            held: RwLock::default(),
        }))
    }

    /// As [`Vault::derive`] of the vault for everything else.
    ///
    /// # Panics
    /// As it does.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.0.ordinary.derive(purpose)
    }

    /// Seals `value`, gathered at an instant (milliseconds since 1970), for the row that `owner`
    /// names: under the key of the emergency of that time, when there is one.
    pub fn seal(&self, owner: &[u8], value: &[u8], gathered: i64) -> Vec<u8> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        let during =
            |key: &Key| key.span.0 <= gathered && key.span.1.is_none_or(|end| gathered < end);
        let found = held.keys.iter().find(|(_, key)| during(key));
        let Some((emergency, key)) = found.filter(|_| held.fresh()) else {
            return self.0.ordinary.seal(owner, value);
        };
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: value,
            aad: owner,
        };
        let sealed = Cipher::new(key.suite, &key.bytes).seal(&nonce, payload);
        let mut bytes = Vec::with_capacity(HEADER + NONCE + sealed.len());
        bytes.push(VERSION);
        bytes.extend(emergency.as_bytes());
        bytes.extend(nonce);
        bytes.extend(sealed);
        bytes
    }

    /// Opens what was sealed for the row that `owner` names.
    ///
    /// # Errors
    /// When it was changed, belongs to another row, or its key is gone.
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let Some(emergency) = emergency_of(sealed) else {
            return self.0.ordinary.open(owner, sealed);
        };
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        let key = held.keys.get(&emergency).filter(|_| held.fresh());
        let key = key.ok_or(VaultError)?;
        let rest = &sealed[HEADER..];
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(VaultError)?;
        let payload = Payload {
            msg: sealed,
            aad: owner,
        };
        let opened = Cipher::new(key.suite, &key.bytes).open(nonce, payload)?;
        Ok(Zeroizing::new(opened))
    }

    /// Seals under the vault's key what is sealed under one of an emergency.
    ///
    /// # Errors
    /// As [`EmergencyVault::open`].
    pub fn reseal(&self, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let opened = self.open(owner, sealed)?;
        Ok(self.0.ordinary.seal(owner, &opened))
    }

    /// Looks at the rows of keys until the drain: makes keys for emergencies that are open, and
    /// forgets those that are gone.
    pub fn keep_fresh(&self, db: Database, drain: Drain) {
        let vault = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(err) = vault.refresh(&db).await {
                    tracing::warn!(error = %err, "cannot look at the keys of emergencies");
                    vault.forget_stale();
                }
                if !drain.sleep(REFRESH).await {
                    return;
                }
            }
        });
    }

    /// Takes up the keys whose rows are there, makes those of open emergencies, forgets the others.
    ///
    /// # Errors
    /// When the database fails. A secret that cannot be read is logged: what it seals stays shut.
    pub async fn refresh(&self, db: &Database) -> Result<(), DbErr> {
        let seen = Instant::now();
        let Some(folder) = &self.0.folder else {
            return Ok(());
        };
        for emergency in key_rows::unkeyed(db).await? {
            if let Err(err) = self.make(db, folder, emergency).await? {
                tracing::error!(%emergency, error = %err, "cannot make the secret of an emergency");
            }
        }
        let mut keys = BTreeMap::new();
        for row in key_rows::rows(db).await? {
            let taken = match self.take_over(&row) {
                Some(bytes) => Some(bytes),
                None => self.unwrap(folder, &row).await,
            };
            let Row {
                emergency,
                suite,
                span,
                ..
            } = row;
            match taken {
                Some(bytes) => {
                    keys.insert(emergency, Key { suite, bytes, span });
                }
                None => tracing::error!(%emergency, "the secret of an emergency cannot be used"),
            }
        }
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = Held {
            keys,
            seen: Some(seen),
        };
        Ok(())
    }

    fn forget_stale(&self) {
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        if !held.fresh() {
            held.keys.clear();
        }
    }

    /// The key of a row that is held already.
    fn take_over(&self, row: &Row) -> Option<Zeroizing<[u8; 32]>> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        held.keys.get(&row.emergency).map(|key| key.bytes.clone())
    }

    async fn unwrap(&self, folder: &Folder, row: &Row) -> Option<Zeroizing<[u8; 32]>> {
        let (folder, emergency) = (folder.clone(), row.emergency);
        let read = tokio::task::spawn_blocking(move || folder.read(emergency)).await;
        let secret = read.ok()?.ok()?;
        let (nonce, wrapped) = row.wrapped.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: wrapped,
            aad: &aad(row.emergency, row.suite),
        };
        let wrapper = self.wrapper(row.suite, &secret);
        let opened = Zeroizing::new(wrapper.open(nonce, payload).ok()?);
        let bytes: &[u8; 32] = opened.as_slice().try_into().ok()?;
        Some(Zeroizing::new(*bytes))
    }

    fn wrapper(&self, suite: Suite, secret: &Secret) -> Cipher {
        let secret = Zeroizing::new(hex::encode(**secret));
        Cipher::new(suite, &tagged_key(&self.0.wrapping, &[secret.as_str()]))
    }

    /// Makes the key of an emergency; a replica that was faster wins.
    async fn make(
        &self,
        db: &Database,
        folder: &Folder,
        emergency: Uuid,
    ) -> Result<Result<(), std::io::Error>, DbErr> {
        let folder = folder.clone();
        let made = tokio::task::spawn_blocking(move || folder.obtain(emergency)).await;
        let secret = match made.map_err(std::io::Error::other).flatten() {
            Ok(secret) => secret,
            Err(err) => return Ok(Err(err)),
        };
        let key = Zeroizing::new(rand::random::<[u8; 32]>());
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: &*key,
            aad: &aad(emergency, self.0.suite),
        };
        let sealed = self.wrapper(self.0.suite, &secret).seal(&nonce, payload);
        let wrapped = [nonce.as_slice(), &sealed].concat();
        let print = fingerprint(&secret);
        key_rows::add(db, emergency, self.0.suite, wrapped, print).await?;
        Ok(Ok(()))
    }

    /// Deletes the row of a key in the transaction that records it, and gives the fingerprint of its
    /// secret; none when there is no key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_key(tx: &Tx, emergency: Uuid) -> Result<Option<String>, DbErr> {
        key_rows::delete(tx, emergency).await
    }

    /// Removes the secret of an emergency for good. Repeating is harmless.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn shred(&self, emergency: Uuid) -> std::io::Result<()> {
        let Some(folder) = self.0.folder.clone() else {
            return Ok(());
        };
        let shred = tokio::task::spawn_blocking(move || folder.shred(emergency));
        shred.await.map_err(std::io::Error::other)?
    }
}

impl Held {
    fn fresh(&self) -> bool {
        self.seen.is_some_and(|seen| seen.elapsed() < STALE)
    }
}

/// The emergency under whose key a value is sealed; none when it is another key.
pub fn emergency_of(sealed: &[u8]) -> Option<Uuid> {
    let (header, _) = sealed.split_first_chunk::<HEADER>()?;
    let [VERSION, id @ ..] = header else {
        return None;
    };
    Some(Uuid::from_bytes(*id))
}

fn aad(emergency: Uuid, suite: Suite) -> Vec<u8> {
    [&[code(suite)], emergency.as_bytes().as_slice()].concat()
}
