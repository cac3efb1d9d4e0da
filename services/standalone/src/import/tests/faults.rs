use std::ops::ControlFlow;

use proto::roster::ImportVerdict;
use tokio::sync::mpsc;

use super::sheets::SHEET;
use super::*;
use crate::import::sealed::{self, List, Listed};

fn rows_of(path: &Path) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for sheet in sheet::sheets(path).unwrap() {
        sheet::rows(path, sheet.as_deref(), |line| {
            lines.push(line.cells);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    }
    lines
}

fn verdict(row: i64, column: &str) -> ImportVerdict {
    ImportVerdict {
        row,
        column: column.to_owned(),
        reason: "ID_CHECKSUM".to_owned(),
        rejected: true,
        ..ImportVerdict::default()
    }
}

#[test]
fn the_list_is_private_sealed_without_formulas_and_without_whole_numbers() {
    let more = "2135010001,=HYPERLINK(\"x\"),三年级,1班,,@a,女,20120901,,440524188001010015,,林大山,13800138000\n";
    let (folder, input) = file(format!("{SHEET}{more}").as_bytes(), "学籍.csv");
    let path = folder.path().join("faults.xlsx");
    let roster = Roster::open(&input, options()).unwrap();
    let (pages, waiting) = mpsc::channel(1);
    pages.try_send(vec![verdict(6, "id_number")]).unwrap();
    drop(pages);
    let mut list = List::new(&path);
    super::super::faults::each(&roster, waiting.into(), &mut |fault| list.add(&fault)).unwrap();
    let Listed { count, seal, .. } = list.finish().unwrap().unwrap();
    assert_eq!(count, 1);
    #[cfg(unix)]
    for path in [&path, &sealed::beside(&path)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(seal.holds(&path).unwrap());
    let lines = rows_of(&path);
    assert_eq!(lines[0][7..9], ["学校标识码", "学校名称"]);
    assert_eq!(
        lines[1],
        [
            "学籍.csv",
            "4",
            "身份证件号",
            "退回",
            "ID_CHECKSUM",
            "",
            "",
            "2135010001",
            "'=HYPERLINK(\"x\")",
            "三年级",
            "1班",
            "",
            "'@a",
            "＊＊＊",
            "＊＊＊",
            "",
            "440***********0015",
            "",
            "＊＊＊",
            "＊＊＊"
        ]
    );
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(!seal.holds(&path).unwrap());
}

#[test]
fn verdicts_meet_their_lines_over_pages_and_a_refused_line_is_said_once() {
    let more = "2135010001,某小学,三年级,彩虹,,乙,,,,,,,\n";
    let (_folder, input) = file(format!("{SHEET}{more}").as_bytes(), "学籍.csv");
    let roster = Roster::open(&input, options()).unwrap();
    let (pages, waiting) = mpsc::channel(4);
    pages
        .try_send(vec![verdict(2, "phone"), verdict(3, "phone")])
        .unwrap();
    pages.try_send(Vec::new()).unwrap();
    pages
        .try_send(vec![verdict(5, "sex"), verdict(6, "class_group")])
        .unwrap();
    drop(pages);
    let mut said = Vec::new();
    super::super::faults::each(&roster, waiting.into(), &mut |fault| {
        said.push(format!("{} {}", fault.origin.line.number, fault.column));
        Ok(())
    })
    .unwrap();
    // The column of the student's phone is not in the file, that of the guardian is.
    assert_eq!(said, ["2 电话", "2 监护人1电话", "3 性别", "4 班级"]);
}

#[test]
fn nothing_to_say_leaves_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.xlsx");
    assert!(List::new(&path).finish().unwrap().is_none());
    assert!(!path.exists());
}
