use encoding_rs::GB18030;
use rust_xlsxwriter::{Format, Workbook};

use super::*;

pub(super) const SHEET: &str = "学校标识码,学校名称,年级,班级,入学年月,姓名,性别,出生日期,身份证件类型,身份证件号,学籍号,监护人1姓名,监护人1电话\n\
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
    let lone = format!("某市学籍信息表\n\n{}", SHEET.replace(',', ";"));
    let windows = SHEET.replace('\n', "\r\n");
    let starred = SHEET.replace("姓名,性别", "*姓名（必填）,性 别");
    for bytes in [
        SHEET.as_bytes(),
        &marked,
        &gb18030,
        titled.as_bytes(),
        lone.as_bytes(),
        SHEET.replace(',', "\t").as_bytes(),
        windows.as_bytes(),
        starred.as_bytes(),
    ] {
        let (_folder, path) = file(bytes, "学籍.csv");
        assert_eq!(words(&pieces(&path, options()).unwrap()), EXPECTED);
    }
}

#[test]
fn one_broken_byte_does_not_turn_a_file_of_utf8_into_gb18030() {
    let names = "林小雨陈明".repeat(20);
    let mut bytes = format!("{SHEET}2135010001,{names},三年级,1班,,坏").into_bytes();
    bytes.extend(b"\xff,,,,,,,\n");
    let (_folder, path) = file(&bytes, "学籍.csv");
    let read = words(&pieces(&path, options()).unwrap());
    assert_eq!(read[..5], EXPECTED);
    assert_eq!(read[5], "student 坏\u{fffd} p2019-01 ");
}

#[test]
fn lines_have_the_numbers_that_an_editor_shows() {
    let mac = SHEET.replace('\n', "\r");
    let windows = SHEET.replace('\n', "\r\n");
    let wrapped = SHEET.replace("林小雨", "\"林\n小雨\"");
    let blank = SHEET.replacen('\n', "\n\n", 1);
    for (text, expected) in [
        (SHEET, [2, 3]),
        (&windows, [2, 3]),
        (&wrapped, [2, 4]),
        (&blank, [3, 4]),
        (SHEET.trim_end(), [2, 3]),
        (windows.trim_end(), [2, 3]),
        (&mac, [2, 3]),
    ] {
        let (_folder, path) = file(text.as_bytes(), "学籍.csv");
        let read = pieces(&path, options()).unwrap();
        let students = read.iter().filter_map(|piece| match piece {
            Piece::Row(row, origin) if matches!(row.record, Some(Record::Student(_))) => {
                Some(origin.line.number)
            }
            _ => None,
        });
        assert_eq!(students.collect::<Vec<_>>(), expected, "{text:?}");
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
fn every_sheet_of_a_workbook_that_has_a_heading_is_read() {
    let mut book = Workbook::new();
    book.add_worksheet()
        .write_string(0, 0, "填写说明：请勿改动表头")
        .unwrap();
    for line in SHEET.lines().skip(1) {
        let sheet = book.add_worksheet();
        let heading = SHEET.lines().next().unwrap();
        for (row, line) in (0..).zip([heading, line]) {
            for (column, cell) in (0..).zip(line.split(',')) {
                sheet.write_string(row, column, cell).unwrap();
            }
        }
    }
    let (_folder, path) = file(&book.save_to_buffer().unwrap(), "学籍.xlsx");
    assert_eq!(words(&pieces(&path, options()).unwrap()), EXPECTED);
}

#[test]
fn lines_that_cannot_be_taken_are_explained_and_their_people_still_named() {
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
            "refused GRADE_UNKNOWN",
            "refused CLASS_NUMBER",
            "refused SCHOOL_MISSING",
            "refused GRADE_COHORT",
            "COLUMN_COUNT"
        ]
        .iter()
        .zip(4..)
        .map(|(reason, line)| format!("学籍.csv:{line} {reason}"))
        .collect::<Vec<_>>()
    );
}

#[test]
fn schools_that_the_register_lacks_are_added_only_when_asked_for() {
    let (_folder, path) = file(SHEET.as_bytes(), "学籍.csv");
    let with = |known: &[&str]| {
        let known = known.iter().map(|code| (*code).to_owned()).collect();
        let options = ReadOptions {
            known_schools: Some(Arc::new(known)),
            ..options()
        };
        words(&pieces(&path, options).unwrap())
    };
    assert_eq!(with(&["2135010001"]), EXPECTED);
    let added = with(&[]);
    assert_eq!(added[0], "organization 2135010001");
    assert_eq!(added[1..], EXPECTED);
}

#[test]
fn a_sheet_of_staff_is_read_as_staff() {
    let text = "学校标识码,教职工编号,姓名,岗位,班级代码\n2135010001,T1,王老师,班主任,p2019-01\n,T2,李老师,,\n";
    let (_folder, path) = file(text.as_bytes(), "教职工.csv");
    assert_eq!(
        words(&pieces(&path, options()).unwrap()),
        ["staff 王老师 班主任", "教职工.csv:3 refused SCHOOL_MISSING"]
    );
}

#[test]
fn what_cannot_be_a_roster_says_so_and_what_to_give() {
    for (bytes, name, word) in [
        (&b"[]"[..], "schools.json", "不认识这种文件"),
        (b"a,b\n1,2\n", "a.csv", "找不到表头"),
        (b"PK\x03\x04nothing", "a.xlsx", "另存"),
        (b"not a zip", "a.zip", "无法解压"),
        (b"\xd0\xcf\x11\xe0", "a.xls", ".xlsx"),
        (b"", "empty.csv", "找不到表头"),
    ] {
        let (_folder, path) = file(bytes, name);
        let said = crate::screen::failure(&pieces(&path, options()).unwrap_err());
        assert!(said.contains(word), "{name}: {said}");
    }
    let lost = format!(
        "{SHEET}2135010001,某小学,三年级,1班,,\"甲{}",
        ",x".repeat(4 << 20)
    );
    let (_folder, path) = file(lost.as_bytes(), "学籍.csv");
    let said = crate::screen::failure(&pieces(&path, options()).unwrap_err());
    assert!(said.contains("缺少右引号"), "{said}");
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
        ("三年级", "0301", "p2019-01"),
        ("三年级", "201912", "p2019-12"),
        ("中班", "中2班", "k2020-02"),
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
    let leading =
        |class: &str| cohort::leading_grade(class).map(|grade| grade.class_group(2021, 1));
    assert_eq!(leading("三年级2班").as_deref(), Some("p2019-01"));
    assert_eq!(leading("初二（3）班").as_deref(), Some("j2020-01"));
    assert_eq!(leading("大1班").as_deref(), Some("k2019-01"));
    assert_eq!(leading("2班"), None);
}
