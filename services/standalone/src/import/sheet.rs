//! Tables row by row, from CSV or from a spreadsheet, without holding them in memory.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, bail};
use calamine::{DataRef, Reader as _, Xlsx};

use super::text::Utf8;

/// Longer cells are cut: nothing in a roster is as long, and a lost quote must not fill memory.
const LONGEST: usize = 4096;

/// One row: where it stands and its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number that the program showing the file gives to it, from 1.
    pub number: u64,
    /// The cells as text.
    pub cells: Vec<String>,
}

/// Gives every row of the table in `path` to `each`, until that says no more.
pub(super) fn rows(
    path: &Path,
    mut each: impl FnMut(Line) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    match extension.as_str() {
        "xlsx" | "xlsm" => spreadsheet(path, &mut each),
        "xls" => bail!("旧版 .xls 不支持，请在电子表格中另存为 .xlsx: save it as .xlsx first"),
        _ => separated(path, &mut each),
    }
    .with_context(|| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    })
}

fn separated(path: &Path, each: &mut dyn FnMut(Line) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(path)?)
        .from_reader(Utf8::open(path)?);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let number = record.position().map_or(0, csv::Position::line);
        let cells = record.iter().map(cut).collect();
        each(Line { number, cells })?;
    }
    Ok(())
}

/// Comma, semicolon or tab: whichever the first line has most of.
fn delimiter(path: &Path) -> anyhow::Result<u8> {
    use std::io::BufRead as _;
    let mut line = String::new();
    BufReader::new(std::io::Read::take(Utf8::open(path)?, 64 << 10)).read_line(&mut line)?;
    let count = |sign: &u8| line.bytes().filter(|byte| byte == sign).count();
    // The last of equals wins, so a comma when there is none of them.
    Ok([b'\t', b';', b',']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b','))
}

fn cut(cell: &str) -> String {
    if cell.len() <= LONGEST {
        cell.to_owned()
    } else {
        cell.chars().take(LONGEST).collect()
    }
}

fn spreadsheet(
    path: &Path,
    each: &mut dyn FnMut(Line) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut book: Xlsx<BufReader<File>> = calamine::open_workbook(path)?;
    let sheet = book.sheet_names().first().cloned().context("no sheet")?;
    let mut reader = book.worksheet_cells_reader(&sheet)?;
    let mut line = Line {
        number: 0,
        cells: Vec::new(),
    };
    while let Some(cell) = reader.next_cell()? {
        let (row, column) = cell.get_position();
        if u64::from(row) + 1 != line.number {
            let full = std::mem::replace(
                &mut line,
                Line {
                    number: u64::from(row) + 1,
                    cells: Vec::new(),
                },
            );
            if !full.cells.is_empty() {
                each(full)?;
            }
        }
        let column = column as usize;
        if column < 256 {
            if line.cells.len() <= column {
                line.cells.resize(column + 1, String::new());
            }
            line.cells[column] = word(cell.get_value());
        }
    }
    if !line.cells.is_empty() {
        each(line)?;
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
