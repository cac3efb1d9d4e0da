//! Field by field: suspensions, as they are told.

use proto::sampling::{Suspension, SuspensionAmendment};

use super::cluster_convert::{date, school_name};
use crate::domain::health::suspension::Away;
use crate::grpc::convert::group_of;
use crate::grpc::draw_convert::etag;
use crate::grpc::tube_convert::instant;
use crate::store::health::suspensions::{AmendmentRow, SuspensionRow, Whole};

/// A suspension.
pub(crate) fn suspension(whole: &Whole) -> Suspension {
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
        version,
        people: _,
        conditions: _,
        amendments: _,
        classes: _,
    } = &whole.row;
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
        amendments: whole.amendments.iter().map(amendment).collect(),
        etag: etag(*version),
        class_groups: match whole.away() {
            Away::Classes(classes) => classes.keys().map(|path| group_of(path)).collect(),
            Away::Grade(_) | Away::School => Vec::new(),
        },
    }
}

fn amendment(row: &AmendmentRow) -> SuspensionAmendment {
    SuspensionAmendment {
        amend_time: instant(row.time),
        amended_by: row.amended_by.clone(),
        amender: row.amender.clone(),
        reason: row.reason.clone(),
        from_scope: row.from_scope.into(),
        to_scope: row.to_scope.into(),
        from_return_date: date(row.from_return),
        to_return_date: date(row.to_return),
        from_class_groups: row.from_classes.lines().map(group_of).collect(),
        to_class_groups: row.to_classes.lines().map(group_of).collect(),
    }
}
