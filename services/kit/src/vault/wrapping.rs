//! What wraps data keys: a key that follows from the master key.

use aes_gcm::aead::Payload;
use zeroize::Zeroizing;

use super::{Cipher, MasterKeys, NONCE, Suite, VaultError, code, tagged_key};

/// A data key as the database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its number; the greatest is in use.
    pub id: u32,
    /// The cipher that it is for, and that wraps it.
    pub suite: Suite,
    /// The key, sealed by the master key.
    pub wrapped: Vec<u8>,
}

/// Which master key wrapped a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Present,
    Former,
}

/// Wraps by the present master key, and unwraps by it or the former one.
#[derive(Clone)]
pub(super) struct Wrapping {
    present: Wrapper,
    former: Option<Wrapper>,
}

/// What follows from one master key: a key for each cipher.
#[derive(Clone)]
struct Wrapper {
    international: Cipher,
    sm: Cipher,
}

impl Wrapper {
    fn new(master: &[u8; 32], service: &str) -> Self {
        let cipher = |suite, purpose| Cipher::new(suite, &tagged_key(master, &[service, purpose]));
        Self {
            international: cipher(Suite::International, "wrap"),
            sm: cipher(Suite::Sm, "wrap by SM4"),
        }
    }

    fn of(&self, suite: Suite) -> &Cipher {
        match suite {
            Suite::International => &self.international,
            Suite::Sm => &self.sm,
        }
    }

    fn unwrap(&self, key: &WrappedKey) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let (nonce, sealed) = key.wrapped.split_first_chunk::<NONCE>().ok_or(VaultError)?;
        let payload = Payload {
            msg: sealed,
            aad: &aad(key.id, key.suite),
        };
        let opened = Zeroizing::new(self.of(key.suite).open(nonce, payload)?);
        let data: &[u8; 32] = opened.as_slice().try_into().map_err(|_| VaultError)?;
        Ok(Zeroizing::new(*data))
    }
}

impl Wrapping {
    pub(super) fn new(masters: &MasterKeys, service: &str) -> Self {
        let former = masters.former.as_ref();
        Self {
            present: Wrapper::new(&masters.present, service),
            former: former.map(|master| Wrapper::new(master, service)),
        }
    }

    pub(super) fn wrap(&self, id: u32, suite: Suite, data: &[u8; 32]) -> WrappedKey {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: data,
            aad: &aad(id, suite),
        };
        let sealed = self.present.of(suite).seal(&nonce, payload);
        let wrapped = [nonce.as_slice(), &sealed].concat();
        WrappedKey { id, suite, wrapped }
    }

    pub(super) fn unwrap(&self, key: &WrappedKey) -> Result<(Zeroizing<[u8; 32]>, By), VaultError> {
        if let Ok(data) = self.present.unwrap(key) {
            return Ok((data, By::Present));
        }
        let former = self.former.as_ref().ok_or(VaultError)?;
        Ok((former.unwrap(key)?, By::Former))
    }

    /// The same key, wrapped by the present master key; none when it is already.
    pub(super) fn rewrap(&self, key: &WrappedKey) -> Result<Option<WrappedKey>, VaultError> {
        let (data, by) = self.unwrap(key)?;
        Ok((by == By::Former).then(|| self.wrap(key.id, key.suite, &data)))
    }
}

fn aad(id: u32, suite: Suite) -> [u8; 5] {
    let [a, b, c, d] = id.to_be_bytes();
    [code(suite), a, b, c, d]
}
