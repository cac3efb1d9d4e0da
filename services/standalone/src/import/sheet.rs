//! Tables row by row, from CSV or from a spreadsheet, without holding them in memory.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use encoding_rs::Encoding;

use super::text::{self, Utf8};

/// Longer cells are cut: nothing in a roster is as long.
const LONGEST: usize = 4096;
/// A longer record has lost a closing quote, which must not fill memory.
const LONGEST_RECORD: u64 = 4 << 20;
/// Columns further right are left out.
const MOST_COLUMNS: usize = 512;
/// From how many lines the separator is told.
const SAMPLE: usize = 30;

/// One row: where it stands and its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number that the program showing the file gives to it, from 1.
    pub number: u64,
    /// The cells as text.
    pub cells: Vec<String>,
}

impl Line {
    /// Whether no cell says anything.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// What to do after a row.
pub(super) type Answer = anyhow::Result<ControlFlow<()>>;

/// The name of a file, without folders.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Whether a file may be a table, by its name.
pub(super) fn is_table(path: &Path) -> bool {
    matches!(
        extension(path).as_str(),
        "csv" | "tsv" | "txt" | "xlsx" | "xlsm" | "xls"
    )
}

fn extension(path: &Path) -> String {
    path.extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase()
}

/// The sheets of a file: names for a spreadsheet, one without a name for text.
pub(super) fn sheets(path: &Path) -> anyhow::Result<Vec<Option<String>>> {
    match extension(path).as_str() {
        "xlsx" | "xlsm" => {
            let book = open(path)?;
            Ok(book.sheet_names().into_iter().map(Some).collect())
        }
        "xls" => bail!(
            "{}：不能读取旧版 .xls，请在电子表格中另存为 .xlsx 再导入 (save it as .xlsx first)",
            file_name(path)
        ),
        _ => Ok(vec![None]),
    }
}

/// Gives every row of a sheet to `each`, until that says to stop.
pub(super) fn rows(
    path: &Path,
    sheet: Option<&str>,
    mut each: impl FnMut(Line) -> Answer,
) -> anyhow::Result<()> {
    match sheet {
        Some(sheet) => spreadsheet(path, sheet, &mut each),
        None => separated(path, &mut each),
    }
    .with_context(|| file_name(path))
}

fn separated(path: &Path, each: &mut dyn FnMut(Line) -> Answer) -> anyhow::Result<()> {
    let encoding = text::sniff(path)?;
    let (delimiter, terminator) = shape(path, encoding)?;
    let given = Rc::new(Given::default());
    let bounded = Bounded {
        inner: Utf8::open(path, encoding)?,
        given: given.clone(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .terminator(terminator)
        .from_reader(bounded);
    let mut record = csv::StringRecord::new();
    let mut records = 0;
    loop {
        given.to_record.set(0);
        let begun = reader.position().line();
        let more = reader.read_record(&mut record).map_err(|err| {
            let lost = matches!(err.kind(), csv::ErrorKind::Io(err) if err.kind() == io::ErrorKind::FileTooLarge);
            if lost {
                anyhow::anyhow!("第 {begun} 行起缺少右引号 (a quote opened at line {begun} is never closed)")
            } else {
                anyhow::Error::new(err)
            }
        })?;
        if !more {
            return Ok(());
        }
        records += 1;
        let number = match terminator {
            // Blank lines before a record belong to nothing, so it is found from its end.
            csv::Terminator::Any(_) => {
                let end = reader.position();
                let within = record.as_slice().bytes().filter(|byte| *byte == b'\n');
                let open = end.byte() == given.total.get() && given.last.get() != b'\n';
                end.line()
                    .saturating_sub(within.count() as u64 + u64::from(!open))
            }
            _ => records,
        };
        let cells = record.iter().take(MOST_COLUMNS).map(cut).collect();
        if each(Line { number, cells })?.is_break() {
            return Ok(());
        }
    }
}

/// What a reader was given so far.
#[derive(Default)]
struct Given {
    /// Bytes since the last record began.
    to_record: Cell<u64>,
    total: Cell<u64>,
    last: Cell<u8>,
}

/// Refuses to read on when one record takes too much.
struct Bounded<R> {
    inner: R,
    given: Rc<Given>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let given = &self.given;
        if given.to_record.get() > LONGEST_RECORD {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = self.inner.read(into)?;
        given.to_record.set(given.to_record.get() + length as u64);
        given.total.set(given.total.get() + length as u64);
        if let Some(last) = into.get(..length).and_then(<[u8]>::last) {
            given.last.set(*last);
        }
        Ok(length)
    }
}

/// What separates cells, comma, semicolon or tab: whichever the first lines have most of; and what
/// ends a line. Lines are counted by their line feeds, so a carriage return before one belongs to
/// the last cell and is cut off; only files without line feeds end lines with it.
fn shape(path: &Path, encoding: &'static Encoding) -> anyhow::Result<(u8, csv::Terminator)> {
    let mut reader = BufReader::new(Utf8::open(path, encoding)?.take(256 << 10));
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    let mut terminator = csv::Terminator::CRLF;
    let mut line = Vec::new();
    for _ in 0..SAMPLE {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.ends_with(b"\n") {
            terminator = csv::Terminator::Any(b'\n');
        }
        for (sign, count) in &mut counts {
            *count += line.iter().filter(|byte| *byte == sign).count();
        }
    }
    // The last of equals wins, so a comma when there is none of them.
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    Ok((most.map_or(b',', |(sign, _)| sign), terminator))
}

fn cut(cell: &str) -> String {
    let cell = cell.trim_end_matches('\r');
    if cell.len() <= LONGEST {
        cell.to_owned()
    } else {
        cell.chars().take(LONGEST).collect()
    }
}

fn open(path: &Path) -> anyhow::Result<Xlsx<BufReader<File>>> {
    let file = BufReader::new(File::open(path).with_context(|| file_name(path))?);
    sound(|| Xlsx::new(file)).with_context(|| {
        format!(
            "{}：不是完好的 .xlsx，请在电子表格中打开后另存 (not a sound .xlsx: open it in a spreadsheet and save it again)",
            file_name(path)
        )
    })
}

/// What the library reads. It trusts the sums of a damaged file and panics on some of them, which is an
/// error of the file like any other.
fn sound<T>(read: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, XlsxError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or(Err(XlsxError::Unexpected("the file is damaged")))
}

fn spreadsheet(
    path: &Path,
    sheet: &str,
    each: &mut dyn FnMut(Line) -> Answer,
) -> anyhow::Result<()> {
    let mut book = open(path)?;
    // A chart or macro sheet has no cells.
    let Ok(mut reader) = sound(|| book.worksheet_cells_reader(sheet)) else {
        return Ok(());
    };
    let mut line = Line {
        number: 0,
        cells: Vec::new(),
    };
    while let Some(cell) = sound(|| reader.next_cell())? {
        let (row, column) = cell.get_position();
        let number = u64::from(row) + 1;
        if number != line.number {
            let next = Line {
                number,
                cells: Vec::new(),
            };
            let full = std::mem::replace(&mut line, next);
            if !full.cells.is_empty() && each(full)?.is_break() {
                return Ok(());
            }
        }
        let column = usize::try_from(column).unwrap_or(MOST_COLUMNS);
        if column < MOST_COLUMNS {
            if line.cells.len() <= column {
                line.cells.resize(column + 1, String::new());
            }
            if let Some(place) = line.cells.get_mut(column) {
                *place = word(cell.get_value());
            }
        }
    }
    if !line.cells.is_empty() {
        each(line)?.is_break();
    }
    Ok(())
}

/// A cell as a person sees it. A number of sixteen digits or more has lost some: it is written
/// in powers of ten, so that nobody takes it for an identity number.
fn word(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            cut(text)
        }
        DataRef::SharedString(text) => cut(text),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => float(*number),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(day) => float(day.as_f64().floor()),
    }
}

fn float(number: f64) -> String {
    if number.abs() >= 1e15 {
        format!("{number:.14E}").replace('E', "E+")
    } else {
        number.to_string()
    }
}
