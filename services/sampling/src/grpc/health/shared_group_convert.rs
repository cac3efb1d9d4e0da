//! Field by field: shared groups, as they are told.

use proto::sampling::SharedGroup;
use proto::sampling::shared_group::Member;

use super::cluster_convert::school_name;
use crate::grpc::convert::group_of;
use crate::grpc::tube_convert::{instant, member};
use crate::store::health::shared_groups::{SharedGroupRow, SharedMemberRow};

/// A group with those of its people that are told.
pub(crate) fn shared_group(row: &SharedGroupRow, members: &[SharedMemberRow]) -> SharedGroup {
    SharedGroup {
        name: format!("{}/sharedGroups/{}", school_name(&row.school), row.code),
        kind: i32::from(row.kind),
        display_name: row.display_name.clone(),
        members: members.iter().map(told).collect(),
        class_groups: row.paths().map(group_of).collect(),
        member_count: row.members,
        update_time: instant(row.update_time),
        updated_by: row.updated_by.clone(),
    }
}

fn told(row: &SharedMemberRow) -> Member {
    Member {
        person: member(row.kind, &row.person),
        row: i32::from(row.seat_row),
        column: i32::from(row.seat_column),
    }
}
