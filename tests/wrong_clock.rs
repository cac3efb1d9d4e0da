//! The clock of a process that tells another time than the machine's and can be moved while the process runs, by
//! libfaketime. Spans of time pass as they do: only what time it is changes.

use std::ffi::OsString;
use std::path::PathBuf;

/// Where libraries are installed, and the library in one of the folders there.
const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// A clock that is right until it is moved.
#[derive(Clone, Debug)]
pub struct WrongClock {
    library: PathBuf,
    /// Says how far it is ahead.
    file: PathBuf,
}

impl WrongClock {
    /// Whether there can be one here; where not, that is said loudly, unless `CAMPUS_REQUIRE_FAKETIME` is set.
    ///
    /// # Panics
    /// When one is required and cannot be had.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is installed belongs to the machine"
    )]
    #[expect(
        clippy::print_stderr,
        reason = "what is left out must not go unnoticed"
    )]
    pub fn can_be_had() -> bool {
        let can = library().is_some();
        if !can {
            assert!(
                std::env::var("CAMPUS_REQUIRE_FAKETIME").is_err(),
                "libfaketime is required and not installed"
            );
            eprintln!("\n*** SKIPPED with wrong clocks: libfaketime is not installed ***\n");
        }
        can
    }

    /// One that is right, and is moved by what stands in `file`.
    ///
    /// # Panics
    /// When there can be none here.
    pub(crate) fn right(file: PathBuf) -> Self {
        let library = library().expect("libfaketime is installed");
        let clock = Self { library, file };
        clock.set(0);
        clock
    }

    /// Moves it to so many seconds ahead of the machine's.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub(crate) fn set(&self, ahead: i64) {
        // Whoever reads it finds the one or the other, never the half of one.
        let new = self.file.with_extension("new");
        let written = std::fs::write(&new, format!("{ahead:+}\n"));
        let set = written.and_then(|()| std::fs::rename(&new, &self.file));
        set.expect("a clock can be moved");
    }

    /// Takes away what the library leaves in memory for the children of a process that has started: it would stay there
    /// for good.
    pub(crate) fn tidy(process: u32) {
        for name in ["faketime_shm", "sem.faketime_sem"] {
            // Another version of the library may leave nothing.
            let _ = std::fs::remove_file(format!("/dev/shm/{name}_{process}"));
        }
    }

    /// What a process must find in its environment to have this clock.
    pub(crate) fn environment(&self) -> [(&'static str, OsString); 5] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

/// The library, if it is installed.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir(LIBRARIES).ok()?;
    let mut places = folders.filter_map(|folder| Some(folder.ok()?.path().join(LIBRARY)));
    places.find(|place| place.exists())
}
