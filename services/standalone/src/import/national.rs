//! The national 学籍 sheet and other sheets of one row a student, and sheets of one row a member of
//! staff.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::bail;
use proto::roster::import_row::Record;
use proto::roster::{
    ClassGroupRow, GuardianRow, ImportRow, OrganizationRow, StaffMemberRow, StudentRow,
};
use sha2::{Digest as _, Sha256};

use super::cohort::{self, Grade};
use super::headings;
use super::note::Note;
use super::options::ReadOptions;
use super::piece::{Origin, Sink};
use super::sheet::{self, Answer, Line};
use super::table::{Heading, narrow};

/// How many rows above the heading may be titles.
const TITLES: usize = 20;

/// Reads every sheet of a file that has a heading; a workbook often has one for each class.
pub(super) fn read(path: &Path, options: &ReadOptions, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let mut found = false;
    let mut classes = HashSet::new();
    let mut schools = HashSet::new();
    for sheet in sheet::sheets(path)? {
        let file = sheet::file_name(path);
        let file = match &sheet {
            Some(sheet) if found => format!("{file}#{sheet}"),
            _ => file,
        };
        let mut reading = Reading {
            file,
            options,
            heading: None,
            classes: &mut classes,
            schools: &mut schools,
            titles: 0,
        };
        sheet::rows(path, sheet.as_deref(), |line| reading.line(line, sink))?;
        found |= reading.heading.is_some();
    }
    if !found {
        bail!(
            "{}：前 {TITLES} 行中找不到表头，需要“姓名”和至少两个认识的列，如“年级”“班级”“学校标识码” \
             (no heading with 姓名 and two more known columns in the first {TITLES} rows)",
            sheet::file_name(path)
        );
    }
    Ok(())
}

struct Reading<'a> {
    file: String,
    options: &'a ReadOptions,
    heading: Option<Heading>,
    /// The class groups that were sent, over all sheets.
    classes: &'a mut HashSet<(String, String)>,
    /// The schools that were sent, over all sheets.
    schools: &'a mut HashSet<String>,
    titles: usize,
}

impl Reading<'_> {
    fn line(&mut self, line: Line, sink: &mut Sink<'_>) -> Answer {
        let Some(heading) = self.heading.take() else {
            self.heading = headings::find(&self.file, &line);
            self.titles += 1;
            let without = self.heading.is_none() && self.titles >= TITLES;
            return Ok(if without {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            });
        };
        let answer = self.row(&heading, line, sink);
        self.heading = Some(heading);
        answer.map(ControlFlow::Continue)
    }

    fn row(&mut self, heading: &Heading, line: Line, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        // A total or remark below the table has one cell; a heading may stand again on each page.
        let filled = line.cells.iter().filter(|cell| !cell.trim().is_empty());
        if filled.count() <= 1 || line.cells == heading.table().heading {
            return Ok(());
        }
        let origin = Origin {
            table: heading.table().clone(),
            line,
        };
        if heading.misfits(&origin.line) {
            return sink.note(Note::columns(""), &origin);
        }
        if heading.has("staff_code") || heading.has("post") {
            staff_member(heading, &origin, sink)
        } else {
            self.student(heading, &origin, sink)
        }
    }

    fn student(
        &mut self,
        heading: &Heading,
        origin: &Origin,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let cell = |name: &str| narrow(heading.cell(&origin.line, name));
        let organization = cell("school_code");
        let mut student = StudentRow {
            organization: organization.clone(),
            class_group: String::new(),
            display_name: cell("name"),
            sex: cell("sex"),
            birth_date: cell("birth"),
            id_type: cell("id_type"),
            id_number: cell("id_number"),
            student_number: cell("student_number"),
            phone: cell("phone"),
            boarder: cell("boarder"),
            modified_date: String::new(),
        };
        let class = if organization.is_empty() {
            Err(Note::school("学校标识码"))
        } else {
            self.class_group(&cell)
        };
        let (class_group, grade) = match class {
            Ok(class) => class,
            Err(note) => {
                let id = external_id(&student);
                return sink.refused(imported(id, Record::Student(student)), note, origin);
            }
        };
        student.class_group.clone_from(&class_group);
        let id = external_id(&student);
        self.school(&organization, &cell("school"), origin, sink)?;
        if self
            .classes
            .insert((organization.clone(), class_group.clone()))
        {
            let own = format!("{organization}/{class_group}");
            let row = ClassGroupRow {
                organization,
                class_group,
                display_name: class_name(&cell("grade"), &cell("class")),
                grade: grade.map_or(0, Grade::number),
            };
            sink.row(imported(own, Record::ClassGroup(row)), origin)?;
        }
        sink.row(imported(id.clone(), Record::Student(student)), origin)?;
        for priority in 1..=2 {
            let row = GuardianRow {
                student: id.clone(),
                display_name: cell(&format!("guardian{priority}")),
                relation: cell(&format!("relation{priority}")),
                phone: cell(&format!("phone{priority}")),
                priority,
            };
            if !row.display_name.is_empty() {
                let own = format!("{id}~{priority}");
                sink.row(imported(own, Record::Guardian(row)), origin)?;
            }
        }
        Ok(())
    }

    /// Sends a school that the register does not know, where that was asked for.
    fn school(
        &mut self,
        code: &str,
        name: &str,
        origin: &Origin,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let wanted = self
            .options
            .known_schools
            .as_ref()
            .is_some_and(|known| !known.contains(code));
        if !wanted || name.is_empty() || !self.schools.insert(code.to_owned()) {
            return Ok(());
        }
        let kind = if code.starts_with("11") {
            "KINDERGARTEN"
        } else {
            "SCHOOL"
        };
        let row = OrganizationRow {
            organization: code.to_owned(),
            kind: kind.to_owned(),
            display_name: name.to_owned(),
            parent: String::new(),
            division_code: String::new(),
            school_code: code.to_owned(),
        };
        sink.row(imported(code.to_owned(), Record::Organization(row)), origin)
    }

    fn class_group(&self, cell: &dyn Fn(&str) -> String) -> Result<(String, Option<Grade>), Note> {
        let (written, class, entry) = (cell("grade"), cell("class"), cell("entry"));
        let known = Grade::word(&written).or_else(|| {
            let silent = written.is_empty();
            let leading = cohort::leading_grade(&class).filter(|_| silent);
            leading.or(self.options.assume_grade.filter(|_| silent))
        });
        for code in [&cell("class_code"), &class] {
            if cohort::is_class_group(code) {
                return Ok((code.clone(), known));
            }
        }
        let grade = known.ok_or_else(|| Note::grade("年级"))?;
        let number = cohort::number(&class).ok_or_else(|| Note::class_number("班级"))?;
        let entered = grade.entry_year(self.options.school_year);
        let written: Option<i32> = entry.get(..4).and_then(|year| year.parse().ok());
        // Who repeated or skipped a year, or counts from an earlier stage, differs by some years.
        if written.is_some_and(|year| {
            year > self.options.school_year
                || entered.saturating_sub(year) > 9
                || year.saturating_sub(entered) > 3
        }) {
            return Err(Note::cohort("入学年月"));
        }
        let class_group = grade.class_group(self.options.school_year, number);
        Ok((class_group, Some(grade)))
    }
}

fn staff_member(heading: &Heading, origin: &Origin, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let cell = |name: &str| narrow(heading.cell(&origin.line, name));
    let row = StaffMemberRow {
        organization: cell("school_code"),
        display_name: cell("name"),
        post: cell("post"),
        id_type: cell("id_type"),
        id_number: cell("id_number"),
        phone: cell("phone"),
        class_group: cell("class_code"),
    };
    let code = cell("staff_code");
    let parts = [row.organization.as_str(), &row.display_name];
    let id = match (code.is_empty(), row.id_number.is_empty()) {
        (false, _) => format!("{}/{code}", row.organization),
        (true, false) => hashed(&[&row.id_number.to_ascii_uppercase()]),
        (true, true) => hashed(&parts),
    };
    if row.organization.is_empty() {
        let note = Note::school("学校标识码");
        return sink.refused(imported(id, Record::StaffMember(row)), note, origin);
    }
    sink.row(imported(id, Record::StaffMember(row)), origin)
}

/// The name of a class: with its grade, unless it says that itself.
fn class_name(grade: &str, class: &str) -> String {
    let class = if class.bytes().all(|byte| byte.is_ascii_digit()) && !class.is_empty() {
        let number = cohort::number(class);
        number.map_or_else(|| class.to_owned(), |number| format!("{number}班"))
    } else {
        class.to_owned()
    };
    if cohort::leading_grade(&class).is_some() || class.contains(grade) {
        class
    } else {
        format!("{grade}{class}")
    }
}

/// The id of a student in this source: the same in each delivery, without showing the numbers.
fn external_id(student: &StudentRow) -> String {
    let number = [&student.id_number, &student.student_number]
        .into_iter()
        .find(|number| !number.is_empty());
    match number {
        Some(number) => hashed(&[&number.to_ascii_uppercase()]),
        None => hashed(&[
            &student.organization,
            &student.class_group,
            &student.display_name,
            &student.birth_date,
        ]),
    }
}

fn hashed(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"campus/national/v1");
    for part in parts {
        hasher.update(b"\0");
        hasher.update(part);
    }
    let hash = hasher.finalize();
    hash.iter()
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
