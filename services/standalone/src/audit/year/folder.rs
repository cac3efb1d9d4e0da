//! The folder of a year: exported logs, lines of JSON, the report, and a manifest with the digest of each.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The name of the manifest.
pub(super) const MANIFEST: &str = "manifest.json";
/// What a manifest of this form says of itself.
const FORMAT: &str = "campus audit year v1";
/// How much of a file is read at once.
const PIECE: usize = 1 << 20;

/// How long a service keeps its log, as it told when the report was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retention {
    /// The service.
    pub(super) service: String,
    /// Days for records.
    pub(super) days: i32,
    /// Days for records of partners and laboratories.
    pub(super) partner_days: i32,
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    /// Its name.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

/// What the folder holds, and what no log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: String,
    /// The year.
    pub(super) year: i32,
    /// When the report was made.
    pub(super) made: String,
    /// How long each service keeps its log.
    pub(super) retention: Vec<Retention>,
    /// Every file but this one, by name.
    pub(super) files: Vec<Listed>,
}

/// Takes a folder that is empty or not there.
///
/// # Errors
/// When there is anything in it, or it cannot be made.
pub(super) fn prepare(folder: &Path) -> anyhow::Result<()> {
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).with_context(shown)?;
    let mut entries = fs::read_dir(folder).with_context(shown)?;
    ensure!(
        entries.next().is_none(),
        "{}：文件夹不是空的 (the folder is not empty)",
        folder.display()
    );
    Ok(())
}

/// Writes a new file.
///
/// # Errors
/// When it is there already or cannot be written.
pub(super) fn create(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

/// The length and the digest of a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn listed(folder: &Path, name: &str) -> anyhow::Result<Listed> {
    let path = folder.join(name);
    let mut file = File::open(&path).with_context(|| path.display().to_string())?;
    let (mut digest, mut bytes, mut piece) = (Sha256::new(), 0_u64, vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece)?;
        let Some(part) = piece.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        digest.update(part);
        bytes += part.len() as u64;
    }
    Ok(Listed {
        name: name.to_owned(),
        bytes,
        sha256: hexadecimal(&digest.finalize()),
    })
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Manifest {
    /// Of the files `names` of a folder.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn new(
        folder: &Path,
        (year, made): (i32, String),
        retention: Vec<Retention>,
        names: impl IntoIterator<Item = String>,
    ) -> anyhow::Result<Self> {
        let files = names.into_iter().map(|name| listed(folder, &name));
        let mut files: Vec<Listed> = files.collect::<anyhow::Result<_>>()?;
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            format: FORMAT.to_owned(),
            year,
            made,
            retention,
            files,
        })
    }

    /// The same with one more file.
    #[must_use]
    pub(super) fn with(mut self, file: Listed) -> Self {
        self.files.push(file);
        self.files.sort_by(|one, other| one.name.cmp(&other.name));
        self
    }

    /// As it is written.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads the manifest of a folder and compares every file with it. There is no other file.
    ///
    /// # Errors
    /// When a file is missing, too much, or not what it was.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let manifest: Self = serde_json::from_str(&text)
            .with_context(|| format!("{MANIFEST}: 无法读取 malformed"))?;
        ensure!(
            manifest.format == FORMAT,
            "{MANIFEST}: 不是年度审计文件夹 (not the folder of a year)"
        );
        let mut there: BTreeMap<String, bool> = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != MANIFEST {
                there.insert(name, false);
            }
        }
        for told in &manifest.files {
            // A name that leads elsewhere is none of the folder's.
            let Some(seen) = there.get_mut(&told.name) else {
                bail!("{}: 缺失 is missing", told.name);
            };
            *seen = true;
            let found = listed(folder, &told.name)?;
            ensure!(
                found == *told,
                "{}: 与清单不符 is not what it was",
                told.name
            );
        }
        if let Some((name, _)) = there.iter().find(|(_, seen)| !**seen) {
            bail!("{name}: 清单中没有 is not in the manifest");
        }
        Ok(manifest)
    }
}
