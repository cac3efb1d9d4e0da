//! No bytes stop the readers by anything but an error.

use std::io::{Read as _, Write as _};

use proptest::prelude::*;

use super::sheets::SHEET;
use super::*;

/// Cells that files bring in earnest, and others.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        prop::sample::select(vec![
            "S",
            "c",
            "u",
            "03",
            "三年级",
            "homeroom",
            "student",
            "teacher",
            "parent",
            "true",
            "1班",
            "tobedeleted",
            "2135010001",
            "1/05/2023",
            "residentId:{",
            "p2019-01",
            "99999999999",
            "\u{feff}",
            "大",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

fn table() -> impl Strategy<Value = String> {
    let line = prop::collection::vec(cell(), 0..16).prop_map(|cells| cells.join(","));
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

const HEADS: [(&str, &str); 5] = [
    (
        "orgs.csv",
        "sourcedId,name,type,identifier,parentSourcedId,status",
    ),
    (
        "classes.csv",
        "sourcedId,schoolSourcedId,grades,title,classType,classCode,status",
    ),
    (
        "users.csv",
        "sourcedId,role,orgSourcedIds,agentSourcedIds,grades,userIds,givenName,status",
    ),
    (
        "enrollments.csv",
        "sourcedId,classSourcedId,userSourcedId,role,primary,endDate,status",
    ),
    ("demographics.csv", "sourcedId,birthDate,sex"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600), name in "(a\\.csv|a\\.xlsx|a\\.zip)", headed in any::<bool>()) {
        let head: &[u8] = if headed { SHEET.as_bytes() } else { b"" };
        let (_folder, path) = file(&[head, &bytes].concat(), &name);
        let _ = pieces(&path, options());
    }

    #[test]
    fn any_cells_of_a_sheet(lines in table()) {
        let (_folder, path) = file(format!("{SHEET}{lines}").as_bytes(), "学籍.csv");
        let read = pieces(&path, options());
        prop_assert!(read.is_ok());
    }

    #[test]
    fn any_cells_of_a_delivery_are_sent_without_gaps(tables in prop::collection::vec(table(), 5)) {
        let files: Vec<(&str, String)> = HEADS.iter().zip(tables)
            .map(|((name, head), table)| (*name, format!("{head}\n{table}")))
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let folder = folder(&files);
        let read = pieces(folder.path(), options()).unwrap();
        let rows = read.iter().filter_map(|piece| match piece {
            Piece::Row(row, _) | Piece::Refused(row, ..) => Some(row.row),
            Piece::Note(..) => None,
        });
        prop_assert!(rows.eq(1..=look(&Roster::open(folder.path(), options()).unwrap()).unwrap().rows));
    }

    #[test]
    fn any_bytes_within_a_zip_or_a_spreadsheet(bytes in prop::collection::vec(any::<u8>(), 0..400), name in "(orgs\\.csv|users\\.csv|\\.\\./x\\.csv|xl/worksheets/sheet1\\.xml|xl/workbook\\.xml|\\[Content_Types\\]\\.xml)", outer in "(a\\.zip|a\\.xlsx)") {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let (_folder, path) = file(&bytes, &outer);
        let _ = pieces(&path, options());
    }

    #[test]
    fn any_change_of_a_spreadsheet(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, line) in (0..).zip(SHEET.lines()) {
            for (column, cell) in (0..).zip(line.split(',')) {
                sheet.write_string(row, column, cell).unwrap();
            }
        }
        let mut bytes = book.save_to_buffer().unwrap();
        let at = place.index(bytes.len());
        bytes[at] = to;
        let (_folder, path) = file(&bytes, "a.xlsx");
        let _ = pieces(&path, options());
    }
}

/// A spreadsheet whose first cell says to stand in a column that no program has.
fn far_away() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "姓名").unwrap();
    let book = std::io::Cursor::new(book.save_to_buffer().unwrap());
    let mut parts = zip::ZipArchive::new(book).unwrap();
    let mut damaged = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for number in 0..parts.len() {
        let mut part = parts.by_index(number).unwrap();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        let text = text.replace(r#"<c r="A1""#, r#"<c r="ZZZZZZZZZZ1""#);
        let options = zip::write::SimpleFileOptions::default();
        let name = part.name().unwrap().into_owned();
        damaged.start_file(name, options).unwrap();
        damaged.write_all(text.as_bytes()).unwrap();
    }
    damaged.finish().unwrap().into_inner()
}

#[test]
fn a_cell_in_a_column_that_does_not_exist_is_no_row() {
    let (_folder, path) = file(&far_away(), "a.xlsx");
    let read = pieces(&path, options());
    assert!(read.is_err() || read.is_ok_and(|pieces| pieces.is_empty()));
}
