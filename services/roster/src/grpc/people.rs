//! Class groups, students and guardians: names from the wire, and field by field to it.

use chrono::NaiveDate;
use kit::status::Problem;
use proto::roster as pb;

use super::convert::{etag, instant, malformed};
use crate::domain::class_group::{self, ClassGroup};
use crate::domain::guardian::Guardian;
use crate::domain::import::{ClassGroupId, IdKind, Sex};
use crate::domain::student::Student;

/// The organisation and the class group in a name.
///
/// # Errors
/// INVALID_FIELD when the name is of another form.
pub(crate) fn class_group_id<'a>(
    field: &str,
    name: &'a str,
) -> Result<(&'a str, ClassGroupId), Problem> {
    let parts = name
        .strip_prefix("organizations/")
        .and_then(|rest| rest.split_once("/classGroups/"))
        .filter(|(organization, _)| kit::org::is_id(organization));
    let parts = parts.and_then(|(organization, id)| Some((organization, id.parse().ok()?)));
    parts.ok_or_else(|| malformed(field, name, "organizations/…/classGroups"))
}

/// A class group for the wire.
pub(crate) fn class_group(group: ClassGroup, today: NaiveDate) -> pb::ClassGroup {
    let name = group.name();
    let grade = group.grade(today).unwrap_or_default();
    let ClassGroup {
        org_path,
        organization: _,
        id,
        display_name,
        teaching_mode,
        head_teacher,
        state,
        school_year,
        version,
        roll_version,
        student_count,
        update_time,
    } = group;
    pb::ClassGroup {
        name,
        display_name: class_group::shown_name(&display_name, &id, school_year, today),
        stage: id.stage().code().into(),
        entry_year: id.entry_year(),
        number: id.number(),
        grade,
        teaching_mode: teaching_mode.code().into(),
        head_teacher: head_teacher.map_or_else(String::new, |id| format!("staff/{id}")),
        student_count,
        org_path,
        state: state.code().into(),
        roll_version,
        update_time: instant(update_time),
        etag: etag(version),
    }
}

/// A student for the wire: no number leaves in full.
pub(crate) fn student(student: Student, masked_phone: String) -> pb::Student {
    let (name, class_group) = (student.name(), student.class_group());
    let Student {
        id: _,
        org_path: _,
        display_name,
        sex,
        birth_month,
        id_kind,
        id_hash: _,
        sealed: _,
        presence,
        boarder,
        dormitory,
        swab_exempt,
        start_day,
        end_day,
        state,
        version,
        update_time,
    } = student;
    pb::Student {
        name,
        display_name,
        class_group,
        sex: sex.map_or(0, Sex::code).into(),
        birth_month,
        id_type: id_kind.map_or(0, IdKind::code).into(),
        id_number: String::new(),
        student_number: String::new(),
        phone: String::new(),
        masked_phone,
        presence: presence.code().into(),
        boarder,
        dormitory,
        swab_exempt,
        start_date: super::convert::day(Some(start_day)),
        end_date: super::convert::day(end_day),
        state: state.code().into(),
        update_time: instant(update_time),
        etag: etag(version),
    }
}

/// A guardian for the wire: no number leaves in full.
pub(crate) fn guardian(guardian: Guardian, masked_phone: String) -> pb::Guardian {
    let name = guardian.name();
    let Guardian {
        id: _,
        student,
        display_name,
        relation,
        sealed: _,
        priority,
        version,
        update_time,
    } = guardian;
    pb::Guardian {
        name,
        student: format!("students/{student}"),
        display_name,
        relation: relation.code().into(),
        phone: String::new(),
        masked_phone,
        priority: priority.into(),
        update_time: instant(update_time),
        etag: etag(version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_class_groups_are_read() {
        let (organization, id) =
            class_group_id("name", "organizations/2135010001/classGroups/p2019-01").unwrap();
        assert_eq!((organization, id.as_str()), ("2135010001", "p2019-01"));
        for name in [
            "",
            "organizations/2135010001",
            "organizations/2135010001/classGroups/-",
            "organizations//classGroups/p2019-01",
            "organizations/a/classGroups/p2019-1",
            "organizations/a/classGroups/p2019-01/x",
        ] {
            assert!(class_group_id("name", name).is_err(), "{name}");
        }
    }
}
