//! A small disk in memory, which can be filled.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What fills it, and in which pieces: large ones first, then as little as is left.
const BALLAST: &str = "ballast";
const PIECES: [usize; 2] = [1 << 20, 4 << 10];

/// A disk that goes with this value, with everything on it.
#[derive(Debug)]
pub struct Disk(TempDir);

impl Disk {
    /// Makes one of so many mebibytes; none where nobody may, which is root's to do: that is said loudly, unless
    /// `CAMPUS_REQUIRE_SMALL_DISK` is set.
    ///
    /// # Panics
    /// When one is required and cannot be made.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is allowed belongs to the machine"
    )]
    #[expect(
        clippy::print_stderr,
        reason = "what is left out must not go unnoticed"
    )]
    pub fn make(mebibytes: u32) -> Option<Self> {
        let readable = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(readable).tempdir();
        let folder = folder.expect("a folder for a moment");
        let size = format!("size={mebibytes}m,mode=755");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &*size, "campus-test"]);
        if done(mount.arg(folder.path())) {
            return Some(Self(folder));
        }
        assert!(
            std::env::var("CAMPUS_REQUIRE_SMALL_DISK").is_err(),
            "a small disk is required and cannot be made"
        );
        eprintln!("\n*** SKIPPED on a full disk: a small one cannot be made here ***\n");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that there is.
    ///
    /// # Panics
    /// When there is no room for as much as a name.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        for size in PIECES {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    /// Gives back the room that [`Disk::fill`] took.
    ///
    /// # Panics
    /// When it took none.
    pub fn make_room(&self) {
        std::fs::remove_file(self.ballast()).expect("there is ballast");
    }

    fn ballast(&self) -> PathBuf {
        self.path().join(BALLAST)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What cannot be taken away only takes room.
        done(Command::new("umount").arg("--lazy").arg(self.path()));
    }
}

/// Whether a command ended well.
fn done(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let ended = quiet.stderr(Stdio::null()).status();
    ended.is_ok_and(|ended| ended.success())
}
