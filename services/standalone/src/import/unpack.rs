//! A zip as a folder, a folder and a sheet as they are.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// No delivery of a city is as large; what is, is a trap.
const LARGEST: u64 = 8 << 30;
const MOST_FILES: usize = 1000;

/// Where the files are; a temporary folder goes with it.
#[derive(Debug)]
pub(super) enum Unpacked {
    Sheet(PathBuf),
    Folder {
        path: PathBuf,
        _temporary: Option<TempDir>,
    },
}

impl Unpacked {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder {
                path: path.to_owned(),
                _temporary: None,
            });
        }
        let zip = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        if !zip {
            ensure!(
                path.is_file(),
                "{}: 文件不存在: no such file",
                path.display()
            );
            return Ok(Self::Sheet(path.to_owned()));
        }
        let temporary = tempfile::tempdir()?;
        unzip(path, temporary.path()).with_context(|| path.display().to_string())?;
        Ok(Self::Folder {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        })
    }
}

/// Unpacks the CSV files of a zip. Folders inside are dropped, so no name leads out of `into`.
fn unzip(path: &Path, into: &Path) -> anyhow::Result<()> {
    let mut archive = zip::ZipArchive::new(File::open(path)?)?;
    ensure!(archive.len() <= MOST_FILES, "too many files");
    let mut left = LARGEST;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let name = entry.name()?.replace('\\', "/");
        let hidden = name.contains("__MACOSX") || name.ends_with('/');
        let name = name.rsplit('/').next().unwrap_or_default().to_lowercase();
        if hidden || !name.ends_with(".csv") {
            continue;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(into.join(&name))?;
        let copied = io::copy(&mut entry.take(left + 1), &mut file)?;
        ensure!(copied <= left, "the files are too large");
        left -= copied;
    }
    Ok(())
}
