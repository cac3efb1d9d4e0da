//! The list of faults as a spreadsheet: for its owner's eyes only, and sealed against silent change.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rust_xlsxwriter::{Format, Workbook};
use sha2::{Digest as _, Sha256};

use super::faults::Fault;
use super::mask;

/// Rows of one sheet, below what a spreadsheet can show.
const ROWS: u32 = 1_000_000;
const HEADING: [&str; 7] = ["文件", "行", "列", "结果", "原因", "如何修改", "hint"];

/// The SHA-256 of the file, in hexadecimal; it also stands in a file beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal(pub String);

impl Seal {
    /// Whether the file is as it was sealed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn holds(&self, path: &Path) -> io::Result<bool> {
        Ok(hash(path)? == self.0)
    }
}

/// Why lines are on the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    /// A stable word.
    pub(super) word: String,
    /// Whether the lines are refused, Chinese.
    pub(super) outcome: &'static str,
    /// What to do, Chinese.
    pub(super) hint: String,
}

/// A list that was written.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// How many faults it has.
    pub(super) count: u64,
    /// How many for each reason.
    pub(super) reasons: BTreeMap<Reason, u64>,
    /// The seal.
    pub(super) seal: Seal,
}

/// The list while it is written: a sheet for each file, in memory of one row.
pub(super) struct List {
    path: PathBuf,
    book: Workbook,
    sheets: HashMap<String, Sheet>,
    reasons: BTreeMap<Reason, u64>,
}

#[derive(Clone, Copy)]
struct Sheet {
    place: usize,
    row: u32,
}

impl List {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            book: Workbook::new(),
            sheets: HashMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    /// Adds a line to the sheet of its file.
    pub(super) fn add(&mut self, fault: &Fault) -> anyhow::Result<()> {
        let Fault {
            origin,
            column,
            place,
            reason,
            rejected,
            hint,
            hint_en,
        } = fault;
        let table = &origin.table;
        let open = self.sheets.get(&table.file).copied();
        let at = match open.filter(|sheet| sheet.row < ROWS) {
            Some(sheet) => sheet,
            None => self.open(&table.file, &table.heading)?,
        };
        let outcome = if *rejected { "退回" } else { "提示" };
        let line = match origin.line.number {
            0 => String::new(),
            number => number.to_string(),
        };
        let words = [
            &table.file,
            line.as_str(),
            column,
            outcome,
            reason,
            hint,
            hint_en,
        ];
        let cells = origin
            .line
            .cells
            .iter()
            .enumerate()
            .map(|(at, cell)| mask::cell(table, at, cell, Some(at) == *place));
        let cells = words.map(str::to_owned).into_iter().chain(cells);
        let sheet = self.book.worksheet_from_index(at.place)?;
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(at.row, column, harmless(&cell))?;
        }
        let next = Sheet {
            row: at.row + 1,
            ..at
        };
        self.sheets.insert(table.file.clone(), next);
        let reason = Reason {
            word: reason.clone(),
            outcome,
            hint: hint.clone(),
        };
        *self.reasons.entry(reason).or_default() += 1;
        Ok(())
    }

    fn open(&mut self, file: &str, heading: &[String]) -> anyhow::Result<Sheet> {
        let bold = Format::new().set_bold();
        let place = self.book.worksheets().len();
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(sheet_name(file, place))?;
        let words = HEADING
            .iter()
            .copied()
            .chain(heading.iter().map(String::as_str));
        for (column, word) in (0..).zip(words) {
            sheet.write_with_format(0, column, harmless(word), &bold)?;
        }
        Ok(Sheet { place, row: 1 })
    }

    /// Writes the list and its seal, readable by their owner only; nothing when it is empty.
    pub(super) fn finish(mut self) -> anyhow::Result<Option<Listed>> {
        if self.reasons.is_empty() {
            return Ok(None);
        }
        let path = &self.path;
        let book = &mut self.book;
        private(path, |file| Ok(book.save_to_writer(file)?))?;
        let seal = Seal(hash(path)?);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let line = format!("{}  {name}\n", seal.0);
        private(&beside(path), |file| Ok(file.write_all(line.as_bytes())?))?;
        Ok(Some(Listed {
            count: self.reasons.values().sum(),
            reasons: self.reasons,
            seal,
        }))
    }
}

/// The name of a sheet: what a spreadsheet allows of the name of the file.
fn sheet_name(file: &str, place: usize) -> String {
    let plain = file
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let plain: String = plain.take(24).collect();
    format!("{} {plain}", place + 1)
}

/// The file with the seal, as `sha256sum --check` reads it.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    PathBuf::from(name)
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        hasher.update(buffer.get(..length).unwrap_or_default());
    }
    let hash = hasher.finalize();
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Written beside and renamed, so it is never half there nor for a moment readable by others.
fn private(path: &Path, write: impl FnOnce(&mut File) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let named = || format!("{}：无法写入 (cannot be written)", path.display());
    let mut file = options.open(&temporary).with_context(named)?;
    write(&mut file).with_context(named)?;
    file.sync_all()?;
    fs::rename(&temporary, path).with_context(named)
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
