//! Cases of support, who saw them, and care tasks on the wire.

use kit::field::{Fields, private_count, to_date, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;
use uuid::Uuid;

use super::long_text;
use super::{malformed, unknown_value};
use crate::app::care::task_name;
use crate::app::support::{Figures, Opening, case_name};
use crate::domain::care::{self, Task};
use crate::domain::party::Party;
use crate::domain::support::{Case, Entry, Grade, Reason};
use crate::store::support::AccessRow;

const NOTE: usize = 2_000;

/// The case of a request.
pub(in crate::grpc) fn opening(request: &pb::OpenSupportCaseRequest) -> Result<Opening, Problem> {
    let case = request.support_case.as_ref();
    let case = case.ok_or_else(|| Problem::invalid("support_case", "必填", "required"))?;
    let mut fields = Fields::new();
    let person = Party::parse(&case.person).filter(|party| match party {
        Party::Student(_) | Party::Staff(_) => true,
        Party::Family(_) | Party::Guardian(..) | Party::Organization(_) => false,
    });
    if person.is_none() {
        fields.violation("support_case.person", "格式不正确", "malformed");
    }
    let grade = grade_of(case.grade);
    if grade.is_none() {
        let (zh, en) = ("请选择有效的选项", "not a known value");
        fields.violation("support_case.grade", zh, en);
    }
    fields.required("support_case.note", case.note.trim());
    long_text(&mut fields, "support_case.note", &case.note, NOTE);
    let concern = concern_of(&case.concern);
    if concern.is_none() {
        fields.violation("support_case.concern", "格式不正确", "malformed");
    }
    fields.finish()?;
    Ok(Opening {
        person: person.ok_or_else(|| malformed("support_case.person"))?,
        grade: grade.ok_or_else(|| unknown_value("support_case.grade"))?,
        note: case.note.clone(),
        concern: concern.ok_or_else(|| malformed("support_case.concern"))?,
    })
}

/// The concern that a case came from, if it came from one; none when it is malformed.
fn concern_of(name: &str) -> Option<Option<Uuid>> {
    if name.is_empty() {
        return Some(None);
    }
    let id = name.strip_prefix("concerns/")?;
    Uuid::try_parse(id).ok().map(Some)
}

fn grade_of(number: i32) -> Option<Grade> {
    Grade::ALL.into_iter().find(|grade| *grade as i32 == number)
}

pub(in crate::grpc) fn grade(number: i32) -> Result<Grade, Problem> {
    grade_of(number).ok_or_else(|| unknown_value("grade"))
}

/// Why a case is ended.
pub(in crate::grpc) fn close_reason(number: i32) -> Result<Reason, Problem> {
    let mut reasons = Reason::ALL.into_iter();
    let reason = reasons.find(|reason| *reason as i32 == number);
    reason.ok_or_else(|| unknown_value("reason"))
}

/// What a counsellor writes.
pub(in crate::grpc) fn note(note: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    fields.required("note", note.trim());
    long_text(&mut fields, "note", note, NOTE);
    fields.finish()?;
    Ok(note.to_owned())
}

/// A case as counsellors see it.
pub(in crate::grpc) fn support_case(case: Case, entries: Vec<Entry>) -> pb::SupportCase {
    let Case {
        organization,
        id,
        org_path: _,
        person,
        grade,
        state,
        note,
        concern,
        created,
        contact_due,
        late,
        reason,
        closed,
        informed,
        referred,
        reopenings,
        counsellor,
        counsellor_person: _,
        remind: _,
        entry_count: _,
    } = case;
    let concern = concern.map(|concern| format!("concerns/{}", concern.hyphenated()));
    pb::SupportCase {
        name: case_name(&organization, id),
        person,
        grade: grade as i32,
        state: state as i32,
        note,
        concern: concern.unwrap_or_default(),
        create_time: Some(to_timestamp(created)),
        contact_due_time: contact_due.map(to_timestamp),
        late,
        counsellor,
        entries: entries.into_iter().map(entry).collect(),
        close_reason: reason.map_or(0, |reason| reason as i32),
        close_time: closed.map(to_timestamp),
        inform_time: informed.map(to_timestamp),
        refer_time: referred.map(to_timestamp),
        reopen_count: reopenings,
    }
}

fn entry(entry: Entry) -> pb::SupportEntry {
    let Entry {
        event,
        time,
        subject,
        note,
    } = entry;
    pb::SupportEntry {
        event: event as i32,
        time: Some(to_timestamp(time)),
        subject,
        note,
    }
}

/// Somebody who read or changed a case.
pub(in crate::grpc) fn access(row: AccessRow) -> pb::SupportAccess {
    let AccessRow {
        id: _,
        support_case: _,
        subject,
        time_at,
        method,
    } = row;
    pb::SupportAccess {
        subject,
        time: chrono::DateTime::from_timestamp_millis(time_at).map(to_timestamp),
        method,
    }
}

/// Counts of open cases.
pub(in crate::grpc) fn support_figures(organization: &str, figures: Figures) -> pb::SupportFigures {
    let Figures {
        open,
        grave,
        overdue,
    } = figures;
    pb::SupportFigures {
        organization: format!("organizations/{organization}"),
        open_count: Some(private_count(open)),
        grave_count: Some(private_count(grave)),
        overdue_count: Some(private_count(overdue)),
    }
}

pub(in crate::grpc) fn care_state(number: i32) -> Result<Option<care::State>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let mut states = care::State::ALL.into_iter();
    let state = states.find(|state| *state as i32 == number);
    state.map(Some).ok_or_else(|| unknown_value("state"))
}

/// The id of a class group of the school; none when it is not asked for.
pub(in crate::grpc) fn class_group<'a>(
    school: &str,
    name: &'a str,
) -> Result<Option<&'a str>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let id = name.strip_prefix(&format!("organizations/{school}/classGroups/"));
    let id = id.filter(|id| kit::org::is_id(id));
    id.map(Some).ok_or_else(|| malformed("class_group"))
}

/// A care task as callers see it.
pub(in crate::grpc) fn care_task(task: Task) -> pb::CareTask {
    let Task {
        organization,
        id,
        class_group,
        org_path: _,
        student,
        kind,
        state,
        day,
        due,
        completed,
        completer,
        late,
        above: _,
    } = task;
    pb::CareTask {
        name: task_name(&organization, id),
        student: Party::Student(student).name(),
        class_group: format!("organizations/{organization}/classGroups/{class_group}"),
        kind: kind as i32,
        state: state as i32,
        day: Some(to_date(day)),
        due_time: Some(to_timestamp(due)),
        complete_time: completed.map(to_timestamp),
        completer,
        late,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::support;

    #[test]
    fn values_have_the_numbers_and_names_of_the_contract() {
        for grade in Grade::ALL {
            let pb = pb::support_case::Grade::try_from(grade as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("GRADE_{}", grade.as_str()));
        }
        for state in support::State::ALL {
            let pb = pb::support_case::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for reason in Reason::ALL {
            let pb = pb::support_case::CloseReason::try_from(reason as i32).unwrap();
            assert_eq!(
                pb.as_str_name(),
                format!("CLOSE_REASON_{}", reason.as_str())
            );
        }
        for event in support::Event::ALL {
            let pb = pb::support_entry::Event::try_from(event as i32).unwrap();
            let ours = format!("EVENT_{event:?}").to_uppercase();
            assert_eq!(pb.as_str_name(), ours);
        }
        for state in care::State::ALL {
            let pb = pb::care_task::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for kind in care::Kind::ALL {
            let pb = pb::care_task::Kind::try_from(kind as i32).unwrap();
            let ours = format!("KIND_{kind:?}").to_uppercase();
            assert_eq!(pb.as_str_name(), ours);
        }
    }
}
