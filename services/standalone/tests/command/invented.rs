//! An invented city as files of every kind.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use encoding_rs::GB18030;
use rust_xlsxwriter::{Format, Workbook};
use standalone::city::{City, Options, write};
use tempfile::TempDir;

use crate::desk::today;

pub(crate) fn city(students: u64) -> City {
    City::new(Options {
        students,
        seed: 7,
        date: today(),
    })
}

/// The city as `campus city generate` writes it.
pub(crate) fn files(students: u64) -> TempDir {
    written(&city(students))
}

pub(crate) fn written(city: &City) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write::city(city, folder.path(), &AtomicU64::new(0)).expect("it is written");
    folder
}

/// The files of a folder in a zip, below a folder of their own, with what a Mac adds.
pub(crate) fn zipped(folder: &Path) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("delivery.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).expect("a file"));
    let options = zip::write::SimpleFileOptions::default();
    let mut put = |name: &str, bytes: &[u8]| {
        zip.start_file(name, options).expect("an entry");
        zip.write_all(bytes).expect("it is written");
    };
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        put(
            &format!("delivery/{name}"),
            &fs::read(&path).expect("a file"),
        );
        put(&format!("__MACOSX/delivery/._{name}"), b"\0\0");
    }
    zip.finish().expect("a zip");
    (home, path)
}

/// A sheet in another encoding and with other separators and line ends.
pub(crate) fn gb18030(sheet: &Path) -> (TempDir, PathBuf) {
    let text = fs::read_to_string(sheet).expect("a sheet");
    let text = format!("某市学生学籍信息表\r\n{}", text.replace('\n', "\r\n"));
    saved("学籍.csv", &GB18030.encode(&text).0)
}

/// A sheet as a spreadsheet, with a merged title and full-width digits.
pub(crate) fn spreadsheet(sheet: &Path) -> (TempDir, PathBuf) {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    page.merge_range(0, 0, 1, 14, "某市学生学籍信息表", &Format::new())
        .expect("a title");
    let text = fs::read_to_string(sheet).expect("a sheet");
    for (row, line) in (2..).zip(text.lines()) {
        for (column, cell) in (0..).zip(line.split(',')) {
            let cell = if column == 7 && row % 3 == 0 {
                wide(cell)
            } else {
                cell.to_owned()
            };
            page.write_string(row, column, cell).expect("a cell");
        }
    }
    saved("学籍.xlsx", &book.save_to_buffer().expect("a book"))
}

fn wide(cell: &str) -> String {
    let one = |c: char| match c {
        '0'..='9' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c),
        _ => c,
    };
    cell.chars().map(one).collect()
}

fn saved(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join(name);
    fs::write(&path, bytes).expect("it is written");
    (home, path)
}

/// A delivery of OneRoster 1.1 as one of 1.2: roles in a file of their own, other names of columns,
/// a mark at the beginning.
pub(crate) fn as_v1p2(folder: &Path) {
    let text = fs::read_to_string(folder.join("users.csv")).expect("users");
    let mut users = csv::Reader::from_reader(text.as_bytes());
    let heading = users.headers().expect("a heading").clone();
    let place = |name: &str| heading.iter().position(|own| own == name).expect(name);
    let (role, organization) = (place("role"), place("orgSourcedIds"));
    let mut out = csv::Writer::from_path(folder.join("users.csv")).expect("a file");
    let mut roles = csv::Writer::from_path(folder.join("roles.csv")).expect("a file");
    let names = [
        "\u{feff}sourcedId",
        "userSourcedId",
        "roleType",
        "role",
        "orgSourcedId",
    ];
    roles.write_record(names).expect("a heading");
    let rest = |record: &csv::StringRecord| -> Vec<String> {
        let cells = record.iter().enumerate();
        let kept = cells.filter(|(at, _)| ![role, organization].contains(at));
        kept.map(|(_, cell)| cell.to_owned()).collect()
    };
    out.write_record(rest(&heading)).expect("a heading");
    for record in users.records() {
        let record = record.expect("a record");
        out.write_record(rest(&record)).expect("a record");
        let id = &record[0];
        let own = format!("r-{id}");
        let cells = [
            own.as_str(),
            id,
            "primary",
            &record[role],
            &record[organization],
        ];
        roles.write_record(cells).expect("a record");
    }
    out.flush().expect("it is written");
    roles.flush().expect("it is written");
}
