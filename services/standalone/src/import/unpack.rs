//! A zip as a folder, a folder and a sheet as they are.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::sheet;

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
        ensure!(
            path.is_file(),
            "{}：没有这个文件或文件夹 (no such file or folder)",
            path.display()
        );
        let zip = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        if !zip {
            ensure!(
                sheet::is_table(path),
                "{}：不认识这种文件；可导入 .zip、.csv、.xlsx 或文件夹 (unknown kind of file: give a .zip, .csv, .xlsx or a folder)",
                path.display()
            );
            return Ok(Self::Sheet(path.to_owned()));
        }
        let temporary = tempfile::tempdir()?;
        unzip(path, temporary.path())
            .with_context(|| format!("{}：无法解压 (cannot be unpacked)", path.display()))?;
        Ok(Self::Folder {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        })
    }
}

/// Unpacks the tables of a zip. Folders inside are dropped, so no name leads out of `into`.
fn unzip(path: &Path, into: &Path) -> anyhow::Result<()> {
    let mut archive = zip::ZipArchive::new(File::open(path)?)?;
    ensure!(
        archive.len() <= MOST_FILES,
        "文件超过 {MOST_FILES} 个 (more than {MOST_FILES} files)"
    );
    let mut left = LARGEST;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let name = String::from_utf8_lossy(entry.name_raw()).replace('\\', "/");
        let hidden = name.contains("__MACOSX") || name.ends_with('/');
        let name = name.rsplit('/').next().unwrap_or_default().to_lowercase();
        let name = name.replace('\0', "");
        if hidden || name.starts_with('.') || !sheet::is_table(Path::new(&name)) {
            continue;
        }
        let created = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(into.join(&name));
        let mut file = match created {
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                bail!("有两个 {name}，请只保留一个 (there are two of {name}: keep one)")
            }
            created => created?,
        };
        let copied = io::copy(&mut entry.take(left + 1), &mut file)?;
        ensure!(
            copied <= left,
            "解压后超过 8 GiB (larger than 8 GiB when unpacked)"
        );
        left -= copied;
    }
    Ok(())
}
