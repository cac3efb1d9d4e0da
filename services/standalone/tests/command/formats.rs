//! One city, in each kind of file, is one register.

use std::fs;
use std::path::Path;

use proto::roster::ImportKind;
use standalone::intake;

use crate::desk::{Desk, counts};
use crate::invented;

const STUDENTS: u64 = 2000;

/// The register after the direct rows of the demonstration.
async fn direct(desk: Desk) -> Vec<String> {
    let city = invented::city(STUDENTS);
    let job = intake::import(desk.officer(), city.rows(), "demo", |_| {}).await;
    assert_eq!(
        counts(&job.expect("it is imported"), ImportKind::Student)[4],
        0
    );
    let register = desk.register().await;
    desk.close().await;
    assert!(register.len() as u64 > 2 * STUDENTS);
    register
}

fn differences(left: &[String], right: &[String]) -> Vec<String> {
    let here = left.iter().filter(|row| right.binary_search(row).is_err());
    let there = right.iter().filter(|row| left.binary_search(row).is_err());
    let here = here.map(|row| format!("< {row}"));
    here.chain(there.map(|row| format!("> {row}")))
        .take(12)
        .collect()
}

async fn same([desk, other]: [Desk; 2]) {
    let (expected, found) = (direct(other).await, desk.register().await);
    let none: [String; 0] = [];
    assert_eq!(differences(&expected, &found), none);
    assert_eq!(expected.len(), found.len());
    desk.close().await;
}

async fn imports(desk: &Desk, path: &Path) {
    let job = desk.import(path).await;
    assert_eq!(desk.faults(), [], "{path:?}");
    assert!(
        job.counts.iter().all(|one| one.rejected == 0),
        "{:?}",
        job.counts
    );
}

/// Sheets say nothing of the tree and of staff: those come from their own files.
async fn imports_sheet(sheet: impl FnOnce(&Path) -> (tempfile::TempDir, std::path::PathBuf)) {
    let desks = Desk::twins().await;
    let files = invented::files(STUDENTS);
    imports(&desks[0], &files.path().join("campus")).await;
    let (_home, path) = sheet(&files.path().join("xueji.csv"));
    imports(&desks[0], &path).await;
    same(desks).await;
}

#[tokio::test]
async fn oneroster_in_a_folder_gives_the_register_of_the_direct_rows_and_again_changes_nothing() {
    let desks = Desk::twins().await;
    let files = invented::files(STUDENTS);
    let folder = files.path().join("oneroster");
    imports(&desks[0], &folder).await;
    let again = desks[0].import(&folder).await;
    for one in &again.counts {
        assert_eq!(
            (one.created, one.changed, one.vanished),
            (0, 0, 0),
            "{one:?}"
        );
    }
    same(desks).await;
}

#[tokio::test]
async fn oneroster_in_version_1p2_and_a_zip_gives_the_same_register() {
    let desks = Desk::twins().await;
    let files = invented::files(STUDENTS);
    let folder = files.path().join("oneroster");
    invented::as_v1p2(&folder);
    let (_home, zip) = invented::zipped(&folder);
    imports(&desks[0], &zip).await;
    same(desks).await;
}

#[tokio::test]
async fn the_national_sheet_in_utf8_with_the_tree_beside_it_gives_the_same_register() {
    imports_sheet(|sheet| {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("学籍.csv");
        let text = fs::read_to_string(sheet).expect("a sheet");
        fs::write(&path, format!("\u{feff}{text}")).expect("it is written");
        (home, path)
    })
    .await;
}

#[tokio::test]
async fn the_national_sheet_in_gb18030_gives_the_same_register() {
    imports_sheet(invented::gb18030).await;
}

#[tokio::test]
async fn the_national_sheet_as_a_spreadsheet_gives_the_same_register() {
    imports_sheet(invented::spreadsheet).await;
}
