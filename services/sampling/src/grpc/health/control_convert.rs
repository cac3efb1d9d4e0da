//! Field by field: controls from outside, as they are told.

use proto::sampling::ControlMeasure;

use super::cluster_convert::date;
use crate::grpc::tube_convert::{instant, member};
use crate::store::measures::MeasureRow;

/// A control.
pub(crate) fn measure(row: &MeasureRow) -> ControlMeasure {
    ControlMeasure {
        name: row.name(),
        person: member(row.kind, &row.person),
        org_path: row.org_path.clone(),
        control: i32::from(row.control),
        setting: i32::from(row.setting),
        state: i32::from(row.state),
        start_date: date(row.first_day),
        end_date: date(row.last_day),
        basis_document: row.document.clone(),
        reason: row.reason.clone(),
        place_time: instant(row.place_time),
        placed_by: row.placed_by.clone(),
        end_time: instant(row.end_time),
        ended_by: row.ended_by.clone(),
        end_reason: row.end_reason.clone(),
        policy_version: row.policy_version.clone(),
    }
}
