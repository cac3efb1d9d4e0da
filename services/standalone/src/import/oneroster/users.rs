//! Users as students and staff.

use proto::roster::import_row::Record;
use proto::roster::{ClassGroupRow, StaffMemberRow, StudentRow};

use super::classes::{Class, State};
use super::people::{Roles, link, listed};
use super::words::{Part, is_student_number, person_name, resident_id};
use super::{Cells, Delivery, Known, Pass, imported, key};
use crate::import::cohort::Grade;
use crate::import::note::Note;
use crate::import::options::ReadOptions;
use crate::import::piece::Sink;

/// The class group of a grade whose students have no home class.
const UNASSIGNED: u32 = 99;

impl Delivery {
    /// Sends students and staff; guardians come when every student is known.
    pub(super) fn users(
        &self,
        options: &ReadOptions,
        known: &mut Known,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        self.each("users.csv", &[], Pass::Silent, sink, |cells, sink| {
            let roles = known.people.roles(cells);
            match roles.part() {
                None => {
                    let note = if roles.word.is_empty() {
                        Note::no_role("role")
                    } else {
                        Note::role("role")
                    };
                    sink.note(note, &cells.origin)
                }
                Some(Part::Student) => {
                    wards(cells, known);
                    student(cells, &roles, options, known, sink)
                }
                Some(Part::Staff) => {
                    cells.remark_modified(sink)?;
                    staff_member(cells, &roles, known, sink)
                }
                Some(Part::Guardian) => Ok(()),
            }
        })
    }
}

/// Remembers the guardians that the line of a student names and whose own lines do not.
fn wards(cells: &Cells<'_>, known: &mut Known) {
    let people = &mut known.people;
    for agent in listed(cells.get("agentsourcedids")) {
        if !people.linked.contains(&link(agent, cells.id())) {
            let wards = people.wards.entry(key(agent)).or_default();
            wards.push(cells.owned("sourcedid"));
        }
    }
}

fn student(
    cells: &Cells<'_>,
    roles: &Roles,
    options: &ReadOptions,
    known: &mut Known,
    sink: &mut Sink<'_>,
) -> anyhow::Result<()> {
    let user = key(cells.id());
    let (birth_date, sex) = known.people.birth(user);
    let number = cells.get("identifier");
    let mut row = StudentRow {
        organization: organization(cells, roles, known).unwrap_or_default(),
        class_group: String::new(),
        display_name: person_name(cells.get("familyname"), cells.get("givenname")),
        sex,
        birth_date,
        id_type: String::new(),
        id_number: resident_id(cells.get("userids")),
        student_number: if is_student_number(number) {
            number.to_owned()
        } else {
            String::new()
        },
        phone: phone(cells),
        boarder: cells.owned("metadata.boarder"),
        modified_date: cells.owned("datelastmodified"),
    };
    let removal = cells.is_removal();
    let home = known.people.homes.get(&user).map(|(home, _)| *home);
    let home = home.and_then(|home| known.list.get(usize::try_from(home).ok()?));
    match home {
        Some(class) if class.state == State::Home || removal => {
            row.organization.clone_from(&class.organization);
            row.class_group.clone_from(&class.id);
        }
        _ if removal => {}
        other => match unassigned(cells, &row.organization, options) {
            Some((class_group, grade)) => {
                sink.note(Note::unassigned("sourcedId"), &cells.origin)?;
                row.class_group.clone_from(&class_group);
                unassigned_class(cells, &row.organization, class_group, grade, known, sink)?;
            }
            None => {
                let note = match other {
                    Some(_) => Note::class_goes("sourcedId"),
                    None => Note::no_class("sourcedId"),
                };
                let row = imported(cells.id(), false, Record::Student(row));
                return sink.refused(row, note, &cells.origin);
            }
        },
    }
    let row = imported(cells.id(), removal, Record::Student(row));
    sink.row(row, &cells.origin)
}

/// The class group of students of this grade who have no home class, where that is asked for.
fn unassigned(
    cells: &Cells<'_>,
    organization: &str,
    options: &ReadOptions,
) -> Option<(String, Grade)> {
    let written = listed(cells.get("grades")).next();
    let grade = written.and_then(Grade::oneroster).or(options.assume_grade);
    let grade = grade.filter(|_| options.unassigned && !organization.is_empty())?;
    Some((grade.class_group(options.school_year, UNASSIGNED), grade))
}

fn unassigned_class(
    cells: &Cells<'_>,
    organization: &str,
    class_group: String,
    grade: Grade,
    known: &mut Known,
    sink: &mut Sink<'_>,
) -> anyhow::Result<()> {
    let place = (organization.to_owned(), class_group.clone());
    if !known.taken.insert(place) {
        return Ok(());
    }
    let id = format!("{organization}/{class_group}");
    let row = ClassGroupRow {
        organization: organization.to_owned(),
        class_group,
        display_name: "未分班".to_owned(),
        grade: grade.number(),
    };
    sink.row(imported(&id, false, Record::ClassGroup(row)), &cells.origin)
}

fn staff_member(
    cells: &Cells<'_>,
    roles: &Roles,
    known: &Known,
    sink: &mut Sink<'_>,
) -> anyhow::Result<()> {
    let head = known.people.heads.get(&key(cells.id()));
    let head: Option<&Class> = head.and_then(|head| known.list.get(usize::try_from(*head).ok()?));
    let own = organization(cells, roles, known);
    let post = match (cells.get("metadata.post"), head) {
        ("", Some(_)) => "HEAD_TEACHER",
        ("", None) => &roles.word,
        (post, _) => post,
    };
    let row = StaffMemberRow {
        organization: head
            .map(|head| head.organization.clone())
            .or_else(|| own.clone())
            .unwrap_or_default(),
        display_name: person_name(cells.get("familyname"), cells.get("givenname")),
        post: post.to_owned(),
        id_type: String::new(),
        id_number: resident_id(cells.get("userids")),
        phone: phone(cells),
        class_group: head.map(|head| head.id.clone()).unwrap_or_default(),
    };
    let removal = cells.is_removal();
    let row = imported(cells.id(), removal, Record::StaffMember(row));
    if head.is_none() && own.is_none() && !removal {
        return sink.refused(row, Note::unknown_org("orgSourcedIds"), &cells.origin);
    }
    sink.row(row, &cells.origin)
}

/// The organisation of a user: the first of those named that the files have.
fn organization(cells: &Cells<'_>, roles: &Roles, known: &Known) -> Option<String> {
    std::iter::once(roles.organization.as_str())
        .chain(listed(cells.get("orgsourcedids")))
        .chain([cells.get("primaryorgsourcedid")])
        .find_map(|id| known.organizations.get(id).cloned())
}

pub(super) fn phone(cells: &Cells<'_>) -> String {
    let sms = cells.get("sms");
    if sms.is_empty() {
        cells.get("phone").to_owned()
    } else {
        sms.to_owned()
    }
}
