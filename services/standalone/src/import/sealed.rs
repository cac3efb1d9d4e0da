//! The list of faults as a spreadsheet: for its owner's eyes only, and sealed against silent change.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proto::roster::ImportVerdict;
use rust_xlsxwriter::{Format, Workbook};
use sha2::{Digest as _, Sha256};

use super::piece::{Note, Origin};

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub origin: Origin,
    /// The column.
    pub column: String,
    /// A stable word.
    pub reason: String,
    /// Nothing of the line was taken.
    pub rejected: bool,
    /// What to do, Chinese.
    pub hint: String,
    /// What to do, English.
    pub hint_en: String,
}

impl Fault {
    pub(super) fn noted(note: Note, origin: Origin) -> Self {
        let Note {
            column,
            reason,
            hint,
            hint_en,
            rejected,
        } = note;
        let (reason, hint, hint_en) = (reason.to_owned(), hint.to_owned(), hint_en.to_owned());
        Self {
            origin,
            column,
            reason,
            rejected,
            hint,
            hint_en,
        }
    }

    pub(super) fn judged(verdict: &ImportVerdict, origin: Origin) -> Self {
        let ImportVerdict {
            row: _,
            kind: _,
            column,
            reason,
            rejected,
            hint,
            hint_en,
        } = verdict.clone();
        Self {
            origin,
            column,
            reason,
            rejected,
            hint,
            hint_en,
        }
    }
}

/// The SHA-256 of the file, in hexadecimal; it also stands in a file beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal(pub String);

impl Seal {
    /// Whether the file is as it was sealed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn holds(&self, path: &Path) -> std::io::Result<bool> {
        Ok(hash(&fs::read(path)?) == self.0)
    }
}

/// Writes the list and its seal, readable by their owner only.
pub(super) fn write(path: &Path, faults: &[Fault]) -> anyhow::Result<Seal> {
    const ROWS: usize = 1_000_000;
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    for part in faults.chunks(ROWS) {
        let sheet = book.add_worksheet();
        let heading = [
            "文件",
            "行",
            "列",
            "结果",
            "原因",
            "如何修改",
            "hint",
            "原内容",
        ];
        for (column, name) in (0..).zip(heading) {
            sheet.write_with_format(0, column, name, &bold)?;
        }
        for (row, fault) in (1..).zip(part) {
            let Fault {
                origin,
                column,
                reason,
                rejected,
                hint,
                hint_en,
            } = fault;
            let outcome = if *rejected {
                "退回"
            } else {
                "已收，有提示"
            };
            let line = origin.line.number.to_string();
            let words = [&origin.file, &line, column, outcome, reason, hint, hint_en];
            for (place, word) in (0..).zip(words) {
                sheet.write_string(row, place, harmless(word))?;
            }
            for (place, cell) in (7..).zip(&origin.line.cells) {
                sheet.write_string(row, place, harmless(cell))?;
            }
        }
    }
    let bytes = book.save_to_buffer()?;
    let seal = Seal(hash(&bytes));
    private(path, &bytes)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    private(&beside(path), format!("{}  {name}\n", seal.0).as_bytes())?;
    Ok(seal)
}

/// The file with the seal, as `sha256sum --check` reads it.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    PathBuf::from(name)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Written beside and renamed, so it is never half there nor for a moment readable by others.
fn private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(&temporary)
        .with_context(|| temporary.display().to_string())?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path).with_context(|| path.display().to_string())
}

/// A cell that no spreadsheet takes for a formula, not even after it was saved as CSV, within
/// what a cell can hold.
fn harmless(cell: &str) -> String {
    let formula =
        cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r']);
    let cell: String = cell
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(4096)
        .collect();
    if formula { format!("'{cell}") } else { cell }
}
