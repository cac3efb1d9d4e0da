//! What reading a file gives: rows to send, and what was found already here.

use std::collections::HashMap;

use proto::roster::ImportRow;

use super::sheet::Line;

/// Where something stands in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, without folders.
    pub file: String,
    /// The line and its cells.
    pub line: Line,
}

/// What there is to say about a line that is not sent, or sent in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The heading of the column.
    pub column: String,
    /// A stable word.
    pub reason: &'static str,
    /// What to do, Chinese.
    pub hint: &'static str,
    /// The same in English.
    pub hint_en: &'static str,
    /// Nothing of the line is taken.
    pub rejected: bool,
}

/// One outcome of reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A row to send, its number set, and where it comes from.
    Row(Box<ImportRow>, Origin),
    /// Something that was found while reading.
    Note(Note, Origin),
}

/// Takes the pieces and numbers the rows.
pub(super) struct Sink<'a> {
    sent: i64,
    each: &'a mut dyn FnMut(Piece) -> anyhow::Result<()>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(each: &'a mut dyn FnMut(Piece) -> anyhow::Result<()>) -> Self {
        Self { sent: 0, each }
    }

    pub(super) fn row(&mut self, mut row: ImportRow, origin: &Origin) -> anyhow::Result<()> {
        self.sent += 1;
        row.row = self.sent;
        (self.each)(Piece::Row(Box::new(row), origin.clone()))
    }

    pub(super) fn note(&mut self, note: Note, origin: &Origin) -> anyhow::Result<()> {
        (self.each)(Piece::Note(note, origin.clone()))
    }
}

macro_rules! notes {
    ($($name:ident = $reason:literal, $rejected:literal, $hint:literal, $hint_en:literal;)*) => {
        impl Note { $(
            pub(super) fn $name(column: &str) -> Self {
                Self { column: column.to_owned(), reason: $reason, hint: $hint, hint_en: $hint_en, rejected: $rejected }
            }
        )* }
    };
}

notes! {
    columns = "COLUMN_COUNT", true, "该行的列数与表头不符，可能多了或少了分隔符", "the line has another number of columns than the heading";
    cycle = "ORGANIZATION_CYCLE", true, "上级机构构成循环，请核对上级", "the parents form a cycle";
    parent = "UNKNOWN_PARENT", false, "上级机构不在文件中，已直接挂在导入机构之下", "the parent is not in the files: placed below the organisation of the import";
    unknown_org = "UNKNOWN_ORGANIZATION", true, "机构不在 orgs.csv 中", "the organisation is not in orgs.csv";
    unknown_class = "UNKNOWN_CLASS_GROUP", true, "班级不在 classes.csv 中或未被采用", "the class is not in classes.csv or was not taken";
    grade = "GRADE_UNKNOWN", true, "无法确定年级，请补填，或用 --assume-grade 指定", "the grade cannot be told: fill it in, or give --assume-grade";
    course = "COURSE_CLASS", true, "这是走班课程，不是行政班，未作为班级登记", "a course, not a home class: not registered as a class group";
    extra = "EXTRA_ENROLMENT", false, "该学生另有行政班，本条选课未登记", "the student has another home class: this enrolment was not registered";
    no_class = "NO_CLASS_GROUP", true, "该学生没有可登记的班级", "the student has no class that can be registered";
    no_student = "GUARDIAN_WITHOUT_STUDENT", true, "该监护人没有关联学生", "the guardian is linked to no student";
    role = "UNKNOWN_ROLE", true, "身份无法识别", "unknown role";
    orphan = "ORPHAN_ENROLMENT", true, "选课记录中的人员不在 users.csv 中", "the user of the enrolment is not in users.csv";
    school = "SCHOOL_MISSING", true, "缺少学校标识码", "the school code is missing";
    cohort = "GRADE_COHORT", true, "年级与入学年份不符，请核对", "the grade does not follow from the entry year";
    class_number = "CLASS_NUMBER", true, "班级无法识别，请写成“1班”", "unknown class: write it like 1班";
    modified = "MODIFIED_DATE", false, "最后修改时间格式不规范，已忽略", "malformed modification date, ignored";
}

/// The columns of a table by heading, without regard to case and blanks.
pub(super) struct Heading {
    places: HashMap<String, usize>,
    width: usize,
}

impl Heading {
    pub(super) fn new(cells: &[String]) -> Self {
        let key = |cell: &String| cell.trim().trim_start_matches('\u{feff}').to_lowercase();
        let places = cells
            .iter()
            .enumerate()
            .rev()
            .map(|(place, cell)| (key(cell), place))
            .collect();
        Self {
            places,
            width: cells.len(),
        }
    }

    /// The cell below a heading; empty when there is no such column.
    pub(super) fn cell<'l>(&self, line: &'l Line, name: &str) -> &'l str {
        let place = self.places.get(name);
        place
            .and_then(|place| line.cells.get(*place))
            .map_or("", |cell| cell.trim())
    }

    /// Whether a line has cells beyond the heading, or lacks more than empty ones at its end.
    pub(super) fn misfits(&self, line: &Line) -> bool {
        let surplus = line
            .cells
            .iter()
            .skip(self.width)
            .any(|cell| !cell.trim().is_empty());
        surplus || line.cells.len() * 2 < self.width
    }
}
