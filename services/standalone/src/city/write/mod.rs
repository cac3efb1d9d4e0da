//! Writes a city as files, school by school.

mod national;
mod oneroster;
mod own;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::City;

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows of data over all files.
    pub rows: u64,
    /// Bytes over all files.
    pub bytes: u64,
}

/// Writes `city` below `folder`: `oneroster/` (OneRoster 1.1, CSV), `xueji.csv` (the national 学籍
/// sheet), `campus/` (organisations, class groups, staff, responsibilities) and `city.json`.
/// `written` is told how many students are done.
///
/// # Errors
/// When a file cannot be written.
pub fn city(city: &City, folder: &Path, written: &AtomicU64) -> io::Result<Written> {
    for part in ["oneroster", "campus"] {
        fs::create_dir_all(folder.join(part))?;
    }
    // Two passes over the same people: making them again costs less than handing them over.
    let (oneroster, rest) = std::thread::scope(|scope| {
        let oneroster = scope.spawn(|| oneroster::write(city, &folder.join("oneroster"), written));
        let rest = rest(city, folder);
        (oneroster.join().expect("the writer does not panic"), rest)
    });
    let (oneroster, rest) = (oneroster?, rest?);
    let total = Written {
        rows: oneroster.rows + rest.rows,
        bytes: oneroster.bytes + rest.bytes,
    };
    let options = city.options();
    let summary = json!({
        "students": city.plan().students(),
        "staff": city.plan().staff(),
        "schools": city.plan().schools().len(),
        "class_groups": city.plan().classes(),
        "seed": options.seed,
        "date": options.date.to_string(),
        "invented": true,
    });
    fs::write(folder.join("city.json"), format!("{summary:#}\n"))?;
    Ok(total)
}

fn rest(city: &City, folder: &Path) -> io::Result<Written> {
    let mut national = national::National::create(&folder.join("xueji.csv"))?;
    let mut own = own::Own::create(&folder.join("campus"), city)?;
    for school in city.schools() {
        national.school(&school)?;
        own.school(&school)?;
    }
    let (national, own) = (national.finish()?, own.finish()?);
    Ok(Written {
        rows: national.rows + own.rows,
        bytes: national.bytes + own.bytes,
    })
}

/// A CSV file that counts what it holds.
struct Sheet {
    writer: csv::Writer<Counting<File>>,
    rows: u64,
}

struct Counting<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Sheet {
    fn create(path: &Path, header: &[&str]) -> io::Result<Self> {
        let file = Counting {
            inner: File::create(path)?,
            bytes: 0,
        };
        let writer = csv::WriterBuilder::new()
            .buffer_capacity(1 << 18)
            .from_writer(file);
        let mut sheet = Self { writer, rows: 0 };
        sheet.writer.write_record(header)?;
        Ok(sheet)
    }

    fn row(&mut self, fields: &[&str]) -> io::Result<()> {
        self.rows += 1;
        Ok(self.writer.write_record(fields)?)
    }

    fn finish(self) -> io::Result<Written> {
        let file = self.writer.into_inner().map_err(|err| err.into_error())?;
        Ok(Written {
            rows: self.rows,
            bytes: file.bytes,
        })
    }
}

fn add(sheets: impl IntoIterator<Item = Sheet>) -> io::Result<Written> {
    let mut total = Written { rows: 0, bytes: 0 };
    for sheet in sheets {
        let Written { rows, bytes } = sheet.finish()?;
        total.rows += rows;
        total.bytes += bytes;
    }
    Ok(total)
}

fn tell(written: &AtomicU64, students: u32) {
    written.fetch_add(u64::from(students), Ordering::Relaxed);
}
