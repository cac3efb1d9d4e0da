mod faults;
mod oneroster;
mod readers;
mod sheets;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use proto::roster::import_row::Record;
use tempfile::TempDir;

use super::*;

fn options() -> ReadOptions {
    ReadOptions::on(NaiveDate::from_ymd_opt(2022, 4, 7).unwrap())
}

fn pieces(path: &Path, options: ReadOptions) -> anyhow::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    Roster::open(path, options)?.read(&mut |piece| {
        pieces.push(piece);
        Ok(())
    })?;
    Ok(pieces)
}

fn file(bytes: &[u8], name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What a row is about, in few words.
fn words(pieces: &[Piece]) -> Vec<String> {
    let at = |origin: &Origin| format!("{}:{}", origin.table.file, origin.line.number);
    let word = |piece: &Piece| match piece {
        Piece::Note(note, origin) => format!("{} {}", at(origin), note.reason),
        Piece::Refused(_, note, origin) => format!("{} refused {}", at(origin), note.reason),
        Piece::Row(row, _) => {
            let minus = if row.removal { "-" } else { "" };
            let word = match row.record.as_ref().unwrap() {
                Record::Organization(row) => format!("organization {}", row.organization),
                Record::ClassGroup(row) => {
                    format!("class {}/{}", row.organization, row.class_group)
                }
                Record::StaffMember(row) => format!("staff {} {}", row.display_name, row.post),
                Record::Student(row) => format!(
                    "student {} {} {}",
                    row.display_name, row.class_group, row.birth_date
                ),
                Record::Guardian(row) => format!("guardian {} {}", row.display_name, row.phone),
            };
            format!("{minus}{word}")
        }
    };
    pieces.iter().map(word).collect()
}
