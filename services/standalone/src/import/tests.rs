use std::fs;
use std::path::PathBuf;

use encoding_rs::GB18030;
use proptest::prelude::*;
use proto::roster::import_row::Record;
use rust_xlsxwriter::{Format, Workbook};
use tempfile::TempDir;

use super::*;

fn options() -> ReadOptions {
    ReadOptions::on(NaiveDate::from_ymd_opt(2022, 4, 7).unwrap(), None)
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

/// What a row is about, in few words.
fn words(pieces: &[Piece]) -> Vec<String> {
    let word = |piece: &Piece| match piece {
        Piece::Note(note, origin) => {
            format!("{}:{} {}", origin.file, origin.line.number, note.reason)
        }
        Piece::Row(row, _) => match row.record.as_ref().unwrap() {
            Record::Organization(row) => format!("organization {}", row.organization),
            Record::ClassGroup(row) => format!("class {}/{}", row.organization, row.class_group),
            Record::StaffMember(row) => format!("staff {} {}", row.display_name, row.post),
            Record::Student(row) => format!(
                "student {} {} {}",
                row.display_name, row.class_group, row.birth_date
            ),
            Record::Guardian(row) => format!("guardian {} {}", row.display_name, row.phone),
        },
    };
    pieces.iter().map(word).collect()
}

const SHEET: &str = "学校标识码,学校名称,年级,班级,入学年月,姓名,性别,出生日期,身份证件类型,身份证件号,学籍号,监护人1姓名,监护人1电话\n\
    2135010001,某小学,三年级,1班,201909,林小雨,女,２０１２０９０１,居民身份证,,,林大山,13800138000\n\
    2135010001,某小学,三年级,（二）班,2019-09,陈明,男,2012年9月2日,居民身份证,,,,\n";

const EXPECTED: [&str; 5] = [
    "class 2135010001/p2019-01",
    "student 林小雨 p2019-01 20120901",
    "guardian 林大山 13800138000",
    "class 2135010001/p2019-02",
    "student 陈明 p2019-02 2012年9月2日",
];

#[test]
fn a_sheet_reads_the_same_in_each_encoding_and_below_titles() {
    let marked = [b"\xef\xbb\xbf", SHEET.as_bytes()].concat();
    let (gb18030, ..) = GB18030.encode(SHEET);
    let titled = format!("某市学籍信息表,,,,\n填报日期：2022年4月,,,,\n{SHEET}");
    let tabs = SHEET.replace(',', "\t");
    for bytes in [
        SHEET.as_bytes(),
        &marked,
        &gb18030,
        titled.as_bytes(),
        tabs.as_bytes(),
    ] {
        let (_folder, path) = file(bytes, "学籍.csv");
        assert_eq!(words(&pieces(&path, options()).unwrap()), EXPECTED);
    }
}

#[test]
fn a_spreadsheet_with_merged_titles_and_numbers_for_dates_is_understood() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet
        .merge_range(0, 0, 0, 12, "某市学籍信息表", &Format::new())
        .unwrap();
    for (row, line) in (1..).zip(SHEET.lines()) {
        for (column, cell) in (0..).zip(line.split(',')) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    sheet.write_number(2, 7, 20_120_901).unwrap();
    sheet
        .write_number(2, 9, 440_524_188_001_010_014_f64)
        .unwrap();
    sheet
        .write_number_with_format(3, 7, 41154, &Format::new().set_num_format("yyyy-mm-dd"))
        .unwrap();
    let (_folder, path) = file(&book.save_to_buffer().unwrap(), "学籍.xlsx");
    let read = pieces(&path, options()).unwrap();
    let mut expected = EXPECTED.map(str::to_owned);
    expected[4] = "student 陈明 p2019-02 41154".to_owned();
    assert_eq!(words(&read), expected);
    let Piece::Row(row, origin) = &read[1] else {
        panic!("a note")
    };
    let Some(Record::Student(student)) = &row.record else {
        panic!("not a student")
    };
    assert!(student.id_number.contains("E+"), "{}", student.id_number);
    assert_eq!((row.row, origin.line.number), (2, 3));
}

#[test]
fn lines_that_cannot_be_sent_are_explained() {
    let more = "2135010001,某小学,九十年级,1班,,甲,,,,,,,\n\
        2135010001,某小学,三年级,彩虹,,乙,,,,,,,\n\
        ,某小学,三年级,1班,,丙,,,,,,,\n\
        2135010001,某小学,三年级,1班,202309,丁,,,,,,,\n\
        2135010001,某小学,三年级,1班,,戊,,,,,,,,多,余\n\
        合计：7人\n";
    let (_folder, path) = file(format!("{SHEET}{more}").as_bytes(), "学籍.csv");
    let read = words(&pieces(&path, options()).unwrap());
    assert_eq!(
        read[5..],
        [
            "GRADE_UNKNOWN",
            "CLASS_NUMBER",
            "SCHOOL_MISSING",
            "GRADE_COHORT",
            "COLUMN_COUNT"
        ]
        .iter()
        .zip(4..)
        .map(|(reason, line)| format!("学籍.csv:{line} {reason}"))
        .collect::<Vec<_>>()
    );
}

#[test]
fn oneroster_takes_one_home_class_and_explains_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put(
        "orgs.csv",
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n\
        S,,,某小学,school,2135010001,D\nD,,,某区,district,350102,\nA,,,甲,school,,B\nB,,,乙,school,,A\n",
    );
    put(
        "classes.csv",
        "sourcedId,status,title,grades,classCode,classType,schoolSourcedId\n\
        c1,,数学,03,,scheduled,S\nc2,,三年级2班,03,,homeroom,S\nc3,,多级,\"03,04\",,scheduled,S\n",
    );
    put(
        "users.csv",
        "sourcedId,status,dateLastModified,orgSourcedIds,role,givenName,familyName,userIds,agentSourcedIds,sms\n\
        p,,1/05/2023,S,parent,大山,林,,u,13800138000\nq,,,S,parent,无,子,,,\n\
        u,,,S,student,小雨,林,{residentId:440524188001010014},,\nt,,,S,teacher,Ann,Lee,,,\n\
        w,,,S,wizard,x,y,,,\nv,,,S,student,无,班,,,\n",
    );
    put(
        "enrollments.csv",
        "sourcedId,status,classSourcedId,userSourcedId,role,primary\n\
        1,,c1,u,student,\n2,,c2,u,student,\n3,,c2,t,teacher,true\n4,,c9,u,student,\n5,,c2,nobody,student,\n",
    );
    assert_eq!(
        words(&pieces(folder.path(), options()).unwrap()),
        [
            "organization or-3f39d5c348e5b79d06e842c1".to_owned(),
            "organization 2135010001".to_owned(),
            "orgs.csv:4 ORGANIZATION_CYCLE".to_owned(),
            "orgs.csv:5 ORGANIZATION_CYCLE".to_owned(),
            "class 2135010001/p2019-01".to_owned(),
            "class 2135010001/p2019-02".to_owned(),
            "classes.csv:4 COURSE_CLASS".to_owned(),
            "enrollments.csv:2 EXTRA_ENROLMENT".to_owned(),
            "enrollments.csv:5 UNKNOWN_CLASS_GROUP".to_owned(),
            "student 林小雨 p2019-02 ".to_owned(),
            "staff Ann Lee HEAD_TEACHER".to_owned(),
            "users.csv:6 UNKNOWN_ROLE".to_owned(),
            "users.csv:7 NO_CLASS_GROUP".to_owned(),
            "enrollments.csv:6 ORPHAN_ENROLMENT".to_owned(),
            "users.csv:2 MODIFIED_DATE".to_owned(),
            "guardian 林大山 13800138000".to_owned(),
            "users.csv:3 GUARDIAN_WITHOUT_STUDENT".to_owned(),
        ]
    );
}

#[test]
fn the_samples_of_others_are_read_with_each_line_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/oneroster");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no samples in {}", folder.display());
        return;
    }
    for (name, students, staff) in [
        ("catalyst_v1p2_full_dataset.zip", 1, 3),
        ("catalyst_Test_minimal_data_set.zip", 1, 2),
    ] {
        let options = ReadOptions {
            assume_grade: Grade::from_number(10),
            ..options()
        };
        let read = words(&pieces(&folder.join(name), options).unwrap());
        let count = |word: &str| read.iter().filter(|line| line.starts_with(word)).count();
        assert_eq!(
            (count("student"), count("staff"), count("organization")),
            (students, staff, 1),
            "{read:#?}"
        );
        let users = read
            .iter()
            .filter(|line| line.starts_with("users.csv") && !line.ends_with("MODIFIED_DATE"));
        assert_eq!(
            students + staff + users.count() + count("guardian"),
            6,
            "{read:#?}"
        );
    }
}

#[test]
fn the_list_of_faults_is_private_sealed_and_without_formulas() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.xlsx");
    let cells = vec![
        "=HYPERLINK(\"x\")".to_owned(),
        "@a".to_owned(),
        "林".to_owned(),
    ];
    let origin = Origin {
        file: "a.csv".to_owned(),
        line: Line { number: 7, cells },
    };
    let seal = sealed::write(&path, &[Fault::noted(Note::columns("姓名"), origin)]).unwrap();
    #[cfg(unix)]
    for path in [&path, &sealed::beside(&path)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(seal.holds(&path).unwrap());
    let mut lines = Vec::new();
    sheet::rows(&path, |line| {
        lines.push(line.cells);
        Ok(())
    })
    .unwrap();
    assert_eq!(
        lines[1][..5],
        ["a.csv", "7", "姓名", "退回", "COLUMN_COUNT"]
    );
    assert_eq!(lines[1][7..], ["'=HYPERLINK(\"x\")", "'@a", "林"]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(!seal.holds(&path).unwrap());
}

#[test]
fn grades_and_class_numbers_are_read_as_schools_write_them() {
    let class = |grade: &str, class: &str| {
        Some(Grade::word(grade)?.class_group(2021, cohort::number(class)?))
    };
    for (grade, number, expected) in [
        ("小班", "1班", "k2021-01"),
        ("一年级", "十二班", "p2021-12"),
        ("小学六年级", "2016级(3)班", "p2016-03"),
        ("初二", "5", "j2020-05"),
        ("九年级", "（一）班", "j2019-01"),
        ("高一", "高一（10）班", "s2021-10"),
        ("11", "2班", "s2020-02"),
    ] {
        assert_eq!(
            class(grade, number).as_deref(),
            Some(expected),
            "{grade} {number}"
        );
    }
    assert_eq!(
        (
            class("初四", "1班"),
            class("十三年级", "1班"),
            class("一年级", "彩虹班")
        ),
        (None, None, None)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), name in "(a\\.csv|a\\.xlsx|a\\.zip)", headed in any::<bool>()) {
        let head: &[u8] = if headed { SHEET.as_bytes() } else { b"" };
        let (_folder, path) = file(&[head, &bytes].concat(), &name);
        let _ = pieces(&path, options());
    }
}
