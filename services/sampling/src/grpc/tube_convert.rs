//! Field by field: tubes, swabs, results, holds and clearance, as they are told.

use chrono::{DateTime, Utc};
use kit::field::{to_date, to_timestamp};
use kit::status::Problem;
use proto::sampling::{
    AddSwabResponse, AddSwabsResponse, CustodyEvent, Hold, HoldEvent, MakeUpTask, RecheckOrder,
    Result as Outcome, Swab, Tube, add_swab_response, recheck_order, tube,
};

use super::convert::{group_of, person_name, reason_name};
use crate::app::hold_cases::Ordered;
use crate::app::swab_batch::POINT;
use crate::app::swabs::Scanned;
use crate::domain::day::Day;
use crate::domain::hold::Single;
use crate::domain::laboratory_result::{LaboratoryResult, Value};
use crate::domain::roll::{GroupKind, person};
use crate::domain::swab::Verdict;
use crate::domain::tube::State;
use crate::store::holds::{HoldEventRow, HoldRow};
use crate::store::results::ResultRow;
use crate::store::swabs::{MakeUpRow, SwabRow};
use crate::store::tubes::{CustodyRow, TubeRow};

/// An instant of a row; 0 is none.
pub(crate) fn instant(millis: i64) -> Option<prost_types::Timestamp> {
    let instant = DateTime::from_timestamp_millis(millis).filter(|_| millis != 0);
    instant.map(to_timestamp)
}

/// The name of a person of a row.
pub(crate) fn member(kind: i16, id: &[u8]) -> String {
    person_name(
        GroupKind::from_code(kind).unwrap_or(GroupKind::Students),
        person(id),
    )
}

fn name(collection: &str, id: &str) -> String {
    if id.is_empty() {
        String::new()
    } else {
        format!("{collection}/{id}")
    }
}

/// A tube; a laboratory is told nothing of where it comes from.
pub(crate) fn tube(row: &TubeRow, now: DateTime<Utc>, laboratory: bool) -> Tube {
    let TubeRow {
        code,
        laboratory: owner,
        lot,
        capacity,
        subject,
        state,
        org_path,
        class_group,
        point,
        draw,
        day,
        swab_count,
        parent,
        seal_time,
        sealed_by,
        courier: _,
        receive_time,
        late,
        due_time,
        result,
        result_version,
        reason,
        policy_version,
        positives,
        disease,
        holds: _,
        version: _,
    } = row;
    let hidden = |text: &str| {
        if laboratory {
            String::new()
        } else {
            text.to_owned()
        }
    };
    let pool = match capacity {
        1 => 1,
        5 => 2,
        10 => 3,
        _ => 4,
    };
    let waits = State::from_code(*state).is_some_and(|state| {
        matches!(
            state,
            State::Sealed | State::HandedOver | State::LabReceived | State::Testing
        )
    });
    let day = Day::from_number(u16::try_from(*day).unwrap_or_default());
    Tube {
        name: format!("tubes/{code}"),
        laboratory: owner.clone(),
        lot: lot.clone(),
        pool_type: pool,
        subject_type: i32::from(*subject),
        state: tube::State::try_from(i32::from(*state))
            .unwrap_or_default()
            .into(),
        org_path: hidden(org_path),
        class_group: hidden(class_group),
        point: hidden(point),
        draw: hidden(draw),
        sample_date: day.date().map(to_date),
        swab_count: *swab_count,
        parent: name("tubes", parent),
        seal_time: instant(*seal_time),
        sealed_by: hidden(sealed_by),
        receive_time: instant(*receive_time),
        late: *late,
        result_due_time: instant(*due_time),
        overdue: waits && *due_time != 0 && *due_time < now.timestamp_millis(),
        result: i32::from(*result),
        result_version: *result_version,
        reason: reason.clone(),
        policy_version: policy_version.clone(),
        positive_count: *positives,
        disease: i32::from(*disease),
    }
}

/// A hold with its people.
pub(crate) fn hold(row: &HoldRow, swabs: &[SwabRow]) -> Hold {
    let HoldRow {
        tube,
        org_path,
        class_group,
        state,
        released_version: _,
        start_time,
        notify_due,
        recheck_due,
        end_time,
        end_reason,
        positives,
        policy_version,
        version: _,
    } = row;
    let mut class_groups: Vec<String> = swabs.iter().map(|swab| group_of(&swab.org_path)).collect();
    class_groups.sort();
    class_groups.dedup();
    Hold {
        name: format!("holds/{tube}"),
        tube: format!("tubes/{tube}"),
        state: i32::from(*state),
        org_path: org_path.clone(),
        class_group: class_group.clone(),
        members: swabs
            .iter()
            .map(|swab| member(swab.kind, &swab.person))
            .collect(),
        start_time: instant(*start_time),
        notify_due_time: instant(*notify_due),
        recheck_due_time: instant(*recheck_due),
        end_time: instant(*end_time),
        end_reason: end_reason.clone(),
        positive_count: *positives,
        policy_version: policy_version.clone(),
        class_groups,
    }
}

/// What became of a scan.
pub(crate) fn scanned(scanned: Scanned) -> AddSwabResponse {
    let Scanned {
        verdict,
        count,
        capacity,
    } = scanned;
    let (outcome, other) = match verdict {
        Verdict::Add => (add_swab_response::Outcome::Added, String::new()),
        Verdict::Repeat => (add_swab_response::Outcome::Repeated, String::new()),
        Verdict::Move(other) => (add_swab_response::Outcome::Moved, other),
    };
    AddSwabResponse {
        outcome: outcome.into(),
        swab_count: count,
        capacity,
        other_tube: name("tubes", &other),
    }
}

/// The answer to one scan of a stream.
pub(crate) fn answer(index: usize, answer: Result<AddSwabResponse, Problem>) -> AddSwabsResponse {
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    match answer {
        Ok(answer) => AddSwabsResponse {
            index,
            answer: Some(answer),
            ..Default::default()
        },
        Err(problem) => AddSwabsResponse {
            index,
            answer: None,
            error_reason: reason_name(&problem),
            error_message: problem.chinese(),
        },
    }
}

/// One swab; that of a point names nobody.
pub(crate) fn swab(row: &SwabRow) -> Swab {
    let of_point = row.kind == POINT;
    let known = |text: String| if of_point { String::new() } else { text };
    Swab {
        person: known(member(row.kind, &row.person)),
        class_group: known(group_of(&row.org_path)),
        scan_time: instant(row.scan_time),
    }
}

pub(crate) fn custody(row: CustodyRow) -> CustodyEvent {
    let CustodyRow {
        tube: _,
        sequence,
        time,
        verb,
        actor,
        state,
        note,
    } = row;
    CustodyEvent {
        sequence: i32::try_from(sequence).unwrap_or(i32::MAX),
        event_time: instant(time),
        verb,
        actor,
        state: i32::from(state),
        note,
    }
}

pub(crate) fn make_up(row: MakeUpRow) -> MakeUpTask {
    let MakeUpRow {
        tube,
        person,
        kind,
        org_path,
        cause,
        create_time,
    } = row;
    MakeUpTask {
        person: member(kind, &person),
        class_group: group_of(&org_path),
        tube: name("tubes", &tube),
        cause,
        create_time: instant(create_time),
    }
}

/// A version of a result that is taken in now.
pub(crate) fn result(result: &LaboratoryResult, now: DateTime<Utc>) -> Outcome {
    let LaboratoryResult {
        tube,
        report,
        version,
        value,
        tested,
        reason,
    } = result.clone();
    Outcome {
        tube: name("tubes", &tube),
        report,
        version,
        value: i32::from(value.code()),
        test_time: instant(tested.timestamp_millis()),
        reason,
        receive_time: Some(to_timestamp(now)),
    }
}

/// A version of a result.
pub(crate) fn result_row(row: ResultRow) -> Outcome {
    let ResultRow {
        tube,
        report,
        version,
        value,
        test_time,
        reason,
        receive_time,
    } = row;
    Outcome {
        tube: name("tubes", &tube),
        report,
        version,
        value: i32::from(value),
        test_time: instant(test_time),
        reason,
        receive_time: instant(receive_time),
    }
}

/// A single swab that a hold ordered.
pub(crate) fn order(ordered: Ordered) -> RecheckOrder {
    let Ordered {
        order,
        single,
        tube,
    } = ordered;
    let state = match single {
        Single::Ordered | Single::Pending | Single::Found(Value::Invalid) => {
            recheck_order::State::Pending
        }
        Single::Found(Value::Negative) => recheck_order::State::Negative,
        Single::Found(Value::Suspect | Value::Positive) => recheck_order::State::Positive,
    };
    RecheckOrder {
        person: member(order.kind, &order.person),
        tube: name("tubes", &tube),
        state: state.into(),
        due_time: instant(order.due_time),
    }
}

/// One audit line.
pub(crate) fn hold_event(row: HoldEventRow) -> HoldEvent {
    let HoldEventRow {
        hold: _,
        sequence,
        time,
        kind,
        person,
        actor,
        reason,
    } = row;
    HoldEvent {
        sequence: i32::try_from(sequence).unwrap_or(i32::MAX),
        event_time: instant(time),
        kind,
        person,
        actor,
        reason,
    }
}
