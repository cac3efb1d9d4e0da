//! What changes of tubes, holds, absences and clearance are announced in the feeds.

use chrono::{DateTime, Utc};
use kit::feed::Change;
use prost::Message;
use proto::sampling::sampling_event::State as EventState;
use proto::sampling::{Clearance, ClearanceEvent, SamplingEvent};

use super::health::absence_convert::absence;
use super::tube_convert::{hold, instant, tube};
use crate::domain::health::absence::AbsenceState;
use crate::domain::hold::HoldState;
use crate::domain::tube::State;
use crate::store::clearance::ClearanceRow;
use crate::store::health::absences::AbsenceRow;
use crate::store::holds::HoldRow;
use crate::store::swabs::SwabRow;
use crate::store::tubes::TubeRow;

/// The change of a tube for the feed; one that is at its end leaves the snapshot.
pub(crate) fn tube_change(row: &TubeRow, now: DateTime<Utc>) -> Change {
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

/// The change of a hold for the feed; only those in force stay in the snapshot.
pub(crate) fn hold_change(row: &HoldRow, swabs: &[SwabRow]) -> Change {
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

/// The change of an absence for the feed, without its illness; one that is over leaves the snapshot,
/// unless its upload is awaited.
pub(crate) fn absence_change(row: &AbsenceRow) -> Change {
    let ended = AbsenceState::from_code(row.state).is_none_or(AbsenceState::is_over);
    let awaited = row.due_upload() != 0 && row.upload_time == 0;
    let state = (!ended || awaited).then(|| EventState::Absence(absence(row, false)));
    sampling_change("absence", row.name(), row.version, &row.org_path, state)
}

/// The change of an entity for the sampling feed; without a state it leaves the snapshot.
pub(crate) fn sampling_change(
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
