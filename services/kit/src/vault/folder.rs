//! A folder of secrets that stands in no backup of a database: one file an emergency.
//!
//! Whoever copies the database has the wrapped key of an emergency, and whoever has the master key
//! could open it for ever. The secret in the folder is the third thing that is needed, and the only
//! one that is destroyed for good.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// 32 random bytes.
pub(super) type Secret = Zeroizing<[u8; 32]>;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn file(&self, emergency: Uuid) -> PathBuf {
        self.0.join(format!("{}.secret", emergency.hyphenated()))
    }

    /// The secret of an emergency, made when there is none. Replicas that ask together get the same.
    pub(super) fn obtain(&self, emergency: Uuid) -> io::Result<Secret> {
        fs::create_dir_all(&self.0)?;
        let file = self.file(emergency);
        if !file.try_exists()? {
            let secret = Zeroizing::new(rand::random::<[u8; 32]>());
            let name = format!(".{}", Uuid::new_v4().hyphenated());
            let whole = self.0.join(name);
            let mut out = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&whole)?;
            out.write_all(Zeroizing::new(hex::encode(*secret)).as_bytes())?;
            out.sync_all()?;
            // Of two replicas one links its file; nobody ever sees half of one.
            let linked = fs::hard_link(&whole, &file);
            fs::remove_file(&whole)?;
            match linked {
                Err(err) if err.kind() != io::ErrorKind::AlreadyExists => return Err(err),
                _ => self.sync()?,
            }
        }
        self.read(emergency)
    }

    /// The secret of an emergency.
    pub(super) fn read(&self, emergency: Uuid) -> io::Result<Secret> {
        let text = Zeroizing::new(fs::read_to_string(self.file(emergency))?);
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *secret)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(secret)
    }

    /// Overwrites and removes the secret of an emergency; one that is gone stays so.
    pub(super) fn shred(&self, emergency: Uuid) -> io::Result<()> {
        let file = self.file(emergency);
        match OpenOptions::new().write(true).open(&file) {
            Ok(mut out) => {
                out.write_all(&[b'0'; 64])?;
                out.sync_all()?;
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(err) => return Err(err),
        }
        match fs::remove_file(&file) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
            _ => self.sync(),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// What stands for a secret where people compare: nobody can go back from it.
pub(super) fn fingerprint(secret: &Secret) -> String {
    let mut hash = Sha256::new_with_prefix(b"campus emergency secret\0");
    hash.update(**secret);
    hex::encode(&hash.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_gone_for_good() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(&place.path().join("secrets"));
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let secret = folder.obtain(one).unwrap();
        assert_eq!(folder.obtain(one).unwrap(), secret);
        assert_ne!(folder.obtain(other).unwrap(), secret);
        assert_eq!(fingerprint(&secret).len(), 16);
        let files = fs::read_dir(place.path().join("secrets")).unwrap();
        assert_eq!(files.count(), 2, "nothing half made is left");
        for _ in 0..2 {
            folder.shred(one).unwrap();
            let gone = folder.read(one).unwrap_err();
            assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        }
        folder.read(other).unwrap();
    }
}
