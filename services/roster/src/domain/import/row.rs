//! A row from cells to a thing the register can take, or to the reasons why not.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use super::cell::{Sex, date, flag, normal, other_id, phone, resident_id, sex};
use super::id::{ClassGroupId, IdKind, OrganizationId};
use super::reason::{Finding, Reason};
use super::words::{self, organization_kind};
use crate::domain::code::{is_school_code, is_student_number};

/// What judging needs to know beside the row.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Today, Asia/Shanghai.
    pub today: NaiveDate,
    /// What is known of a GB/T 2260 code.
    pub division: fn(&str, NaiveDate) -> Division,
}

/// What is known of a division code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// In force.
    Current,
    /// Retired; the code that replaced it.
    Retired(&'static str),
    /// There is none.
    Unknown,
}

macro_rules! cells {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident),* })*) => {
        $($(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the contract explains each cell")]
        pub struct $name { $(pub $field: String),* })*
    };
}

cells! {
    /// An organisation as written.
    OrganizationCells { organization, kind, display_name, parent, division_code, school_code }
    /// A class group as written.
    ClassGroupCells { organization, class_group, display_name, grade }
    /// A member of staff as written.
    StaffMemberCells { organization, display_name, post, id_type, id_number, phone, class_group }
    /// A student as written.
    StudentCells { organization, class_group, display_name, sex, birth_date, id_type, id_number, student_number, phone, boarder, modified_date }
    /// A guardian as written.
    GuardianCells { student, display_name, relation, phone, priority }
}

/// The cells of a row by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum RowCells {
    Organization(OrganizationCells),
    ClassGroup(ClassGroupCells),
    StaffMember(StaffMemberCells),
    Student(StudentCells),
    Guardian(GuardianCells),
}

/// A row as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The id in the source.
    pub external_id: String,
    /// The row asks for removal.
    pub removal: bool,
    /// The cells.
    pub cells: RowCells,
}

/// An organisation that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract explains each field")]
pub struct Organization {
    pub id: OrganizationId,
    pub kind: &'static str,
    pub name: String,
    pub parent: Option<OrganizationId>,
    pub division: Option<String>,
    pub school_code: Option<String>,
}

/// A class group that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract explains each field")]
pub struct ClassGroup {
    pub organization: OrganizationId,
    pub id: ClassGroupId,
    pub name: String,
}

/// The kind and the number of an identity document; no number when there is none.
pub type Document = (IdKind, Option<String>);

/// A member of staff who can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract explains each field")]
pub struct StaffMember {
    pub organization: OrganizationId,
    pub name: String,
    pub post: &'static str,
    pub document: Document,
    pub phone: Option<String>,
    pub class_group: Option<ClassGroupId>,
}

/// A student who can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract explains each field")]
pub struct Student {
    pub organization: OrganizationId,
    pub class_group: ClassGroupId,
    pub name: String,
    pub sex: Option<Sex>,
    pub birth_date: Option<NaiveDate>,
    pub document: Document,
    pub student_number: Option<String>,
    pub phone: Option<String>,
    pub boarder: bool,
}

/// A guardian who can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract explains each field")]
pub struct Guardian {
    pub student: String,
    pub name: String,
    pub relation: &'static str,
    pub phone: Option<String>,
    pub priority: u8,
}

/// What the register can take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Clean {
    Organization(Organization),
    ClassGroup(ClassGroup),
    StaffMember(StaffMember),
    Student(Student),
    Guardian(Guardian),
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The id in the source, in one spelling.
    pub external_id: String,
    /// The thing; none when the row is refused.
    pub clean: Option<Clean>,
    /// What there is to say.
    pub findings: Vec<Finding>,
}

/// Judges one row by itself; what depends on other rows is judged by the plan.
pub fn judge(record: &Record, context: &Context) -> Judged {
    let mut judge = Judge {
        context,
        findings: Vec::new(),
    };
    let external_id = judge.text("external_id", &record.external_id, 128, true);
    let clean = match &record.cells {
        RowCells::Organization(cells) => judge.organization(cells).map(Clean::Organization),
        RowCells::ClassGroup(cells) => judge.class_group(cells).map(Clean::ClassGroup),
        RowCells::StaffMember(cells) => judge.staff_member(cells).map(Clean::StaffMember),
        RowCells::Student(cells) => judge.student(cells).map(Clean::Student),
        RowCells::Guardian(cells) => judge.guardian(cells).map(Clean::Guardian),
    };
    let refused = judge
        .findings
        .iter()
        .any(|finding| finding.reason.refuses());
    Judged {
        external_id,
        clean: clean.filter(|_| !refused),
        findings: judge.findings,
    }
}

struct Judge<'a> {
    context: &'a Context,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn find(&mut self, column: &'static str, reason: Reason) {
        self.findings.push(Finding { column, reason });
    }

    fn text(&mut self, column: &'static str, cell: &str, most: usize, needed: bool) -> String {
        let text = normal(cell);
        if needed && text.is_empty() {
            self.find(column, Reason::Missing);
        } else if text.chars().take(most + 1).count() > most {
            self.find(column, Reason::TooLong);
        } else if text.chars().any(|c| c.is_control() || c == '\u{fffd}') {
            self.find(column, Reason::BadCharacters);
        }
        text
    }

    fn parsed<T: FromStr>(
        &mut self,
        column: &'static str,
        cell: &str,
        reason: Reason,
    ) -> Option<T> {
        let text = normal(cell);
        let value = text.parse().ok();
        if text.is_empty() {
            self.find(column, Reason::Missing);
        } else if value.is_none() {
            self.find(column, reason);
        }
        value
    }

    fn optional<T: FromStr>(
        &mut self,
        column: &'static str,
        cell: &str,
        reason: Reason,
    ) -> Option<T> {
        (!normal(cell).is_empty()).then(|| self.parsed(column, cell, reason))?
    }

    fn phone(&mut self, cell: &str) -> Option<String> {
        if normal(cell).is_empty() {
            return None;
        }
        let number = phone(cell);
        if number.is_none() {
            self.find("phone", Reason::Phone);
        }
        number
    }

    /// The document, and what its number tells of a resident's birth and sex.
    fn document(&mut self, kind: &str, number: &str) -> (Document, Option<(NaiveDate, Sex)>) {
        const NONE: Document = (IdKind::None, None);
        let text = normal(kind);
        let Some(id_kind) = IdKind::read(&text) else {
            self.find("id_type", Reason::IdType);
            return (NONE, None);
        };
        if normal(number).is_empty() {
            return (NONE, None);
        }
        match id_kind {
            IdKind::Resident => match resident_id(number, self.context.today) {
                Ok((number, born, sex)) => ((id_kind, Some(number)), Some((born, sex))),
                Err(reason) => {
                    self.find("id_number", reason);
                    ((id_kind, None), None)
                }
            },
            IdKind::Passport | IdKind::HongKongMacao | IdKind::Taiwan | IdKind::ForeignResident => {
                let number = other_id(&self.text("id_number", number, 32, false));
                ((id_kind, Some(number)), None)
            }
            IdKind::None => (NONE, None),
        }
    }

    fn organization(&mut self, cells: &OrganizationCells) -> Option<Organization> {
        let OrganizationCells {
            organization,
            kind,
            display_name,
            parent,
            division_code,
            school_code,
        } = cells;
        let name = self.text("display_name", display_name, 100, true);
        let id = self.parsed("organization", organization, Reason::OrganizationId);
        let parent = self.optional("parent", parent, Reason::OrganizationId);
        let kind = organization_kind(&normal(kind));
        if kind.is_none() {
            self.find("kind", Reason::OrganizationKind);
        }
        if id.is_some() && id == parent {
            self.find("parent", Reason::Cycle);
        }
        let code = normal(school_code);
        if !code.is_empty() && !is_school_code(&code) {
            self.find("school_code", Reason::SchoolCode);
        }
        let mut division = normal(division_code);
        if !division.is_empty() {
            match (self.context.division)(&division, self.context.today) {
                Division::Current => {}
                Division::Retired(current) => {
                    self.find("division_code", Reason::DivisionRetired);
                    division = current.to_owned();
                }
                Division::Unknown => self.find("division_code", Reason::Division),
            }
        }
        Some(Organization {
            id: id?,
            kind: kind?,
            name,
            parent,
            division: some(division),
            school_code: some(code),
        })
    }

    fn class_group(&mut self, cells: &ClassGroupCells) -> Option<ClassGroup> {
        let ClassGroupCells {
            organization,
            class_group,
            display_name,
            grade,
        } = cells;
        let organization = self.parsed("organization", organization, Reason::OrganizationId);
        let id: Option<ClassGroupId> =
            self.parsed("class_group", class_group, Reason::ClassGroupId);
        let name = self.text("display_name", display_name, 63, false);
        let grade = normal(grade);
        if let (Some(id), false) = (&id, grade.is_empty() || grade == "0")
            && id
                .grade(self.context.today)
                .is_none_or(|expected| grade.parse() != Ok(expected))
        {
            self.find("grade", Reason::GradeCohort);
        }
        Some(ClassGroup {
            organization: organization?,
            id: id?,
            name,
        })
    }

    fn staff_member(&mut self, cells: &StaffMemberCells) -> Option<StaffMember> {
        let StaffMemberCells {
            organization,
            display_name,
            post,
            id_type,
            id_number,
            phone,
            class_group,
        } = cells;
        let organization = self.parsed("organization", organization, Reason::OrganizationId);
        let name = self.text("display_name", display_name, 63, true);
        let (document, _) = self.document(id_type, id_number);
        let phone = self.phone(phone);
        let class_group = self.optional("class_group", class_group, Reason::ClassGroupId);
        let post = words::post(&normal(post)).unwrap_or_else(|| {
            self.find("post", Reason::Post);
            "TEACHER"
        });
        Some(StaffMember {
            organization: organization?,
            name,
            post,
            document,
            phone,
            class_group,
        })
    }

    fn student(&mut self, cells: &StudentCells) -> Option<Student> {
        let StudentCells {
            organization,
            class_group,
            display_name,
            sex: sex_cell,
            birth_date,
            id_type,
            id_number,
            student_number,
            phone,
            boarder,
            modified_date,
        } = cells;
        let organization = self.parsed("organization", organization, Reason::OrganizationId);
        let class_group = self.parsed("class_group", class_group, Reason::ClassGroupId);
        let name = self.text("display_name", display_name, 63, true);
        let (document, within) = self.document(id_type, id_number);
        let birth_date = self.birth_date(birth_date, within.map(|(born, _)| born));
        let sex = self.sex(sex_cell, within.map(|(_, sex)| sex));
        let phone = self.phone(phone);
        let number = normal(student_number).to_ascii_uppercase();
        if !number.is_empty() && !is_student_number(&number) {
            self.find("student_number", Reason::StudentNumber);
        }
        let boarder = flag(boarder).unwrap_or_else(|| {
            self.find("boarder", Reason::Flag);
            false
        });
        if !normal(modified_date).is_empty() && date(modified_date).is_none() {
            self.find("modified_date", Reason::ModifiedDate);
        }
        Some(Student {
            organization: organization?,
            class_group: class_group?,
            name,
            sex,
            birth_date,
            document,
            student_number: some(number),
            phone,
            boarder,
        })
    }

    fn birth_date(&mut self, cell: &str, within: Option<NaiveDate>) -> Option<NaiveDate> {
        if normal(cell).is_empty() {
            return within;
        }
        let Some(born) = date(cell) else {
            self.find("birth_date", Reason::DateFormat);
            return None;
        };
        if born > self.context.today || born.year() < 1900 {
            self.find("birth_date", Reason::BirthDate);
        } else if within.is_some_and(|within| within != born) {
            self.find("birth_date", Reason::BirthDateDiffers);
        }
        Some(born)
    }

    fn sex(&mut self, cell: &str, within: Option<Sex>) -> Option<Sex> {
        let written = sex(cell);
        if written.is_none() && !normal(cell).is_empty() {
            self.find("sex", Reason::Sex);
        }
        if let (Some(written), Some(within)) = (written, within)
            && written != within
        {
            self.find("sex", Reason::SexDiffers);
        }
        within.or(written)
    }

    fn guardian(&mut self, cells: &GuardianCells) -> Option<Guardian> {
        let GuardianCells {
            student,
            display_name,
            relation,
            phone,
            priority,
        } = cells;
        let student = self.text("student", student, 128, true);
        let name = self.text("display_name", display_name, 63, true);
        let phone = self.phone(phone);
        let relation = words::relation(&normal(relation)).unwrap_or_else(|| {
            self.find("relation", Reason::Relation);
            "OTHER"
        });
        let priority = normal(priority)
            .parse()
            .ok()
            .filter(|p| (1..=9).contains(p))
            .unwrap_or(1);
        Some(Guardian {
            student,
            name,
            relation,
            phone,
            priority,
        })
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
