//! The national 学籍 sheet, and other sheets of one row a student.

use std::collections::HashSet;
use std::path::Path;

use proto::roster::import_row::Record;
use proto::roster::{ClassGroupRow, GuardianRow, ImportRow, StudentRow};
use sha2::{Digest as _, Sha256};

use super::ReadOptions;
use super::cohort::{self, Grade};
use super::piece::{Heading, Note, Origin, Sink};
use super::sheet::{self, Line};

/// How many rows above the heading may be titles.
const TITLES: usize = 20;

const SYNONYMS: [(&str, &[&str]); 20] = [
    ("name", &["姓名", "学生姓名", "名字", "name"]),
    ("sex", &["性别", "sex"]),
    ("birth", &["出生日期", "出生年月日", "出生年月", "生日"]),
    ("id_type", &["身份证件类型", "证件类型", "身份证类型"]),
    (
        "id_number",
        &[
            "身份证件号",
            "身份证件号码",
            "身份证号",
            "身份证号码",
            "公民身份号码",
            "证件号码",
            "证件号",
        ],
    ),
    (
        "student_number",
        &["全国学籍号", "学籍号", "国网学籍号", "全国学籍编号"],
    ),
    (
        "school_code",
        &["学校标识码", "学校代码", "学校(机构)标识码", "机构标识码"],
    ),
    ("school", &["学校名称", "学校", "所在学校"]),
    ("grade", &["年级", "所在年级", "年级名称"]),
    ("class", &["班级", "班号", "班级名称", "所在班级"]),
    (
        "entry",
        &["入学年月", "入学年份", "入学年度", "入学时间", "入学日期"],
    ),
    ("phone", &["学生电话", "联系电话", "手机号", "本人电话"]),
    (
        "boarder",
        &["是否寄宿", "是否住校", "是否寄宿生", "就读方式", "寄宿"],
    ),
    ("class_code", &["班级代码", "班级标识"]),
    (
        "guardian1",
        &["监护人1姓名", "监护人姓名", "成员1姓名", "家长姓名"],
    ),
    (
        "relation1",
        &["监护人1关系", "监护人关系", "与学生关系", "成员1关系"],
    ),
    (
        "phone1",
        &[
            "监护人1电话",
            "监护人1联系电话",
            "监护人电话",
            "成员1联系电话",
            "家长电话",
        ],
    ),
    ("guardian2", &["监护人2姓名", "成员2姓名"]),
    ("relation2", &["监护人2关系", "成员2关系"]),
    (
        "phone2",
        &["监护人2电话", "监护人2联系电话", "成员2联系电话"],
    ),
];

/// Reads a sheet.
pub(super) fn read(path: &Path, options: &ReadOptions, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let file = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut reading = Reading {
        file,
        options,
        heading: None,
        classes: HashSet::new(),
        titles: 0,
    };
    sheet::rows(path, |line| reading.line(line, sink))?;
    anyhow::ensure!(
        reading.heading.is_some(),
        "找不到表头：需要姓名、年级、班级等列: no heading with 姓名 and others in the first {TITLES} rows"
    );
    Ok(())
}

struct Reading<'a> {
    file: String,
    options: &'a ReadOptions,
    heading: Option<Heading>,
    classes: HashSet<(String, String)>,
    titles: usize,
}

impl Reading<'_> {
    fn line(&mut self, line: Line, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let Some(heading) = self.heading.take() else {
            self.heading = self::heading(&line);
            self.titles += 1;
            anyhow::ensure!(
                self.heading.is_some() || self.titles < TITLES,
                "找不到表头: no heading found"
            );
            return Ok(());
        };
        let answer = self.student(&heading, line, sink);
        self.heading = Some(heading);
        answer
    }

    fn student(
        &mut self,
        heading: &Heading,
        line: Line,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        // A total or remark below the table has one cell at most.
        if line
            .cells
            .iter()
            .filter(|cell| !cell.trim().is_empty())
            .count()
            <= 1
        {
            return Ok(());
        }
        let cell = |name: &str| narrow(heading.cell(&line, name));
        if heading.misfits(&line) {
            return sink.note(
                Note::columns(""),
                &Origin {
                    file: self.file.clone(),
                    line,
                },
            );
        }
        let names = [cell("name"), cell("guardian1"), cell("guardian2")];
        let organization = cell("school_code");
        let class = self.class_group(
            &cell("grade"),
            &cell("class"),
            &cell("class_code"),
            &cell("entry"),
        );
        let grade = Grade::word(&cell("grade")).map_or(0, Grade::number);
        let student = StudentRow {
            organization: organization.clone(),
            class_group: class.clone().unwrap_or_default(),
            display_name: names[0].clone(),
            sex: cell("sex"),
            birth_date: cell("birth"),
            id_type: cell("id_type"),
            id_number: cell("id_number"),
            student_number: cell("student_number"),
            phone: cell("phone"),
            boarder: cell("boarder"),
            modified_date: String::new(),
        };
        let guardians: Vec<GuardianRow> = (1..=2)
            .map(|place| GuardianRow {
                student: String::new(),
                display_name: cell(&format!("guardian{place}")),
                relation: cell(&format!("relation{place}")),
                phone: cell(&format!("phone{place}")),
                priority: place,
            })
            .filter(|guardian| !guardian.display_name.is_empty())
            .collect();
        let class_name = format!("{}{}", cell("grade"), cell("class"));
        let origin = Origin {
            file: self.file.clone(),
            line,
        };
        if organization.is_empty() {
            return sink.note(Note::school("学校标识码"), &origin);
        }
        let class_group = match class {
            Ok(class_group) => class_group,
            Err(note) => return sink.note(note, &origin),
        };
        if self
            .classes
            .insert((organization.clone(), class_group.clone()))
        {
            let id = format!("{organization}/{class_group}");
            let row = ClassGroupRow {
                organization,
                class_group,
                display_name: class_name,
                grade,
            };
            sink.row(imported(id, Record::ClassGroup(row)), &origin)?;
        }
        let id = external_id(&student);
        sink.row(imported(id.clone(), Record::Student(student)), &origin)?;
        for mut guardian in guardians {
            guardian.student.clone_from(&id);
            let own = format!("{id}~{}", guardian.priority);
            sink.row(imported(own, Record::Guardian(guardian)), &origin)?;
        }
        Ok(())
    }

    fn class_group(
        &self,
        grade: &str,
        class: &str,
        code: &str,
        entry: &str,
    ) -> Result<String, Note> {
        for code in [code, class] {
            if cohort::is_class_group(code) {
                return Ok(code.to_owned());
            }
        }
        let known = Grade::word(grade).or(self.options.assume_grade.filter(|_| grade.is_empty()));
        let grade = known.ok_or_else(|| Note::grade("年级"))?;
        let number = cohort::number(class).ok_or_else(|| Note::class_number("班级"))?;
        let entered = grade.entry_year(self.options.school_year);
        let written: Option<i32> = entry.get(..4).and_then(|year| year.parse().ok());
        // Who repeated or skipped a year, or counts from an earlier stage, differs by some years.
        if written.is_some_and(|year| {
            year > self.options.school_year || entered - year > 9 || year - entered > 3
        }) {
            return Err(Note::cohort("入学年月"));
        }
        Ok(grade.class_group(self.options.school_year, number))
    }
}

fn heading(line: &Line) -> Option<Heading> {
    let names: Vec<String> = line
        .cells
        .iter()
        .map(|cell| {
            let word: String = narrow(cell)
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '*')
                .collect();
            let known = SYNONYMS
                .iter()
                .find(|(_, words)| words.contains(&word.as_str()));
            known.map_or(word.clone(), |(name, _)| (*name).to_owned())
        })
        .collect();
    let known = SYNONYMS
        .iter()
        .filter(|(name, _)| names.iter().any(|own| own == name))
        .count();
    (known >= 3 && names.iter().any(|name| name == "name")).then(|| Heading::new(&names))
}

/// Full-width signs as ASCII. The server does the rest.
fn narrow(cell: &str) -> String {
    let one = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    };
    cell.chars().map(one).collect::<String>().trim().to_owned()
}

/// The id of a student in this source: the same in each delivery, without showing the numbers.
fn external_id(student: &StudentRow) -> String {
    let number = [&student.id_number, &student.student_number]
        .into_iter()
        .find(|number| !number.is_empty());
    let mut hasher = Sha256::new();
    hasher.update(b"campus/national/v1");
    match number {
        Some(number) => hasher.update(number.to_ascii_uppercase()),
        None => {
            for part in [
                &student.organization,
                &student.class_group,
                &student.display_name,
                &student.birth_date,
            ] {
                hasher.update(b"\0");
                hasher.update(part);
            }
        }
    }
    hasher
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn imported(external_id: String, record: Record) -> ImportRow {
    ImportRow {
        row: 0,
        removal: false,
        external_id,
        record: Some(record),
    }
}
