//! Files that are read again when somebody changes them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::tls::read_at_most;

/// How often files are looked at: what an operator writes counts within this.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A file whose content is compared with what was read last. Times of files are not trusted: two
/// changes may come within the precision of one.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    limit: u64,
    seen: Option<[u8; 32]>,
    failed: bool,
}

impl Watched {
    /// Watches the file at `path`, which has at most `limit` bytes.
    pub(crate) fn new(path: &Path, limit: u64) -> Self {
        Self {
            path: path.to_owned(),
            limit,
            seen: None,
            failed: false,
        }
    }

    /// The content where it is not what was returned last.
    ///
    /// # Errors
    /// When the file cannot be read or is too large.
    pub(crate) fn changed(&mut self) -> io::Result<Option<Vec<u8>>> {
        // What comes back as it was is used again.
        let read = read_at_most(&self.path, self.limit).inspect_err(|_| self.seen = None);
        let bytes = read?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if self.seen == Some(digest) {
            return Ok(None);
        }
        self.seen = Some(digest);
        Ok(Some(bytes))
    }

    /// Writes to the log that the file cannot be used, once until it can be again.
    pub(crate) fn complain(&mut self, key: &str, fault: &str) {
        if !self.failed {
            tracing::error!(
                key,
                fault,
                "a file cannot be used, keeping what was read last"
            );
        }
        self.failed = true;
    }

    /// Whether the file cannot be used.
    pub(crate) fn is_failing(&self) -> bool {
        self.failed
    }

    /// The file was used.
    pub(crate) fn used(&mut self) {
        self.failed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_told_once_and_told_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let mut watched = Watched::new(&path, 8);
        assert!(watched.changed().is_err(), "there is none");
        for content in ["one", "two", "one"] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(watched.changed().unwrap().unwrap(), content.as_bytes());
            assert_eq!(watched.changed().unwrap(), None);
        }
        std::fs::write(&path, "far too long").unwrap();
        assert!(watched.changed().is_err());
        std::fs::write(&path, "one").unwrap();
        assert_eq!(watched.changed().unwrap().unwrap(), b"one", "it came back");
    }
}
