//! Field by field: tubes, holds, clearance.

use chrono::{DateTime, Utc};
use kit::feed::Change;
use kit::field::{to_date, to_timestamp};
use prost::Message;
use proto::sampling::sampling_event::State as EventState;
use proto::sampling::{Clearance, ClearanceEvent, Hold, SamplingEvent, Tube, tube};

use super::convert::person_name;
use crate::domain::day::Day;
use crate::domain::roll::{GroupKind, person};
use crate::domain::tube::State;
use crate::store::holds::{ClearanceRow, HoldRow};
use crate::store::tubes::{SwabRow, TubeRow};

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
    }
}

/// The change of a tube for the feed; one that is at its end leaves the snapshot.
pub(crate) fn change(row: &TubeRow, now: DateTime<Utc>) -> Change {
    let removed = row.state == State::Closed.code() || row.state == State::Voided.code();
    let state = (!removed).then(|| EventState::Tube(tube(row, now, false)));
    sampling_change(
        "tube",
        format!("tubes/{}", row.code),
        row.version,
        &row.org_path,
        state,
    )
}

/// A hold with its people.
pub(crate) fn hold(row: &HoldRow, swabs: &[SwabRow]) -> Hold {
    let HoldRow {
        tube,
        org_path,
        class_group,
        state,
        by_hand: _,
        start_time,
        notify_due,
        recheck_due,
        end_time,
        end_reason,
        positives,
        policy_version,
        version: _,
    } = row;
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
    }
}

/// The change of a hold for the feed; only those in force stay in the snapshot.
pub(crate) fn hold_change(row: &HoldRow, swabs: &[SwabRow]) -> Change {
    use crate::domain::hold::HoldState;
    let ended = [HoldState::ResolvedNegative, HoldState::Released];
    let removed = ended.iter().any(|state| state.code() == row.state);
    let state = (!removed).then(|| EventState::Hold(hold(row, swabs)));
    sampling_change(
        "hold",
        format!("holds/{}", row.tube),
        row.version,
        &row.org_path,
        state,
    )
}

fn sampling_change(
    kind: &'static str,
    entity: String,
    version: i64,
    org_path: &str,
    state: Option<EventState>,
) -> Change {
    let removed = state.is_none();
    let event = SamplingEvent {
        entity: entity.clone(),
        version,
        org_path: org_path.to_owned(),
        removed,
        state,
    };
    Change {
        feed: "sampling",
        kind,
        entity,
        version,
        removed,
        org_path: org_path.parse().unwrap_or_default(),
        payload: event.encode_to_vec(),
        latest: true,
    }
}

/// The change of somebody's clearance.
pub(crate) fn clearance_change(name: &str, row: &ClearanceRow, removed: bool) -> Change {
    let ClearanceRow {
        person: _,
        org_path,
        control,
        medical,
        effective_time,
        rule,
        policy_version,
        basis,
        version,
    } = row;
    let clearance = Clearance {
        person: name.to_owned(),
        control: i32::from(*control),
        medical: i32::from(*medical),
        effective_time: instant(*effective_time),
        rule: rule.clone(),
        policy_version: policy_version.clone(),
        basis: basis.clone(),
    };
    let event = ClearanceEvent {
        entity: name.to_owned(),
        version: *version,
        org_path: org_path.clone(),
        removed,
        clearance: (!removed).then_some(clearance),
    };
    Change {
        feed: "clearance",
        kind: "clearance",
        entity: name.to_owned(),
        version: *version,
        removed,
        org_path: org_path.parse().unwrap_or_default(),
        payload: event.encode_to_vec(),
        latest: true,
    }
}
