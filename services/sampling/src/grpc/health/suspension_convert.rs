//! Field by field: suspensions, as they are told.

use proto::sampling::Suspension;

use super::cluster_convert::{date, school_name};
use crate::grpc::convert::group_of;
use crate::grpc::tube_convert::instant;
use crate::store::health::suspensions::SuspensionRow;

/// A suspension.
pub(crate) fn suspension(row: &SuspensionRow) -> Suspension {
    let SuspensionRow {
        id,
        cluster,
        school,
        org_path,
        rule,
        policy_version,
        state,
        scope,
        group_path,
        grade,
        days,
        propose_time,
        decide_time,
        decided_by,
        decider,
        reason,
        advice,
        start_day,
        return_day,
        attempts,
        round: _,
        apply_time,
        end_time,
        version: _,
    } = row;
    Suspension {
        name: format!("suspensions/{id}"),
        state: i32::from(*state),
        cluster: format!("clusters/{cluster}"),
        rule: rule.clone(),
        policy_version: policy_version.clone(),
        org_path: org_path.clone(),
        organization: school_name(school),
        class_group: match group_path.as_str() {
            "" => String::new(),
            path => group_of(path),
        },
        grade: *grade,
        scope: i32::from(*scope),
        suspend_days: *days,
        propose_time: instant(*propose_time),
        decide_time: instant(*decide_time),
        decided_by: decided_by.clone(),
        decider: decider.clone(),
        reason: reason.clone(),
        advice: advice.clone(),
        start_date: date(*start_day),
        return_date: date(*return_day),
        failed_attempt_count: *attempts,
        apply_time: instant(*apply_time),
        end_time: instant(*end_time),
    }
}
