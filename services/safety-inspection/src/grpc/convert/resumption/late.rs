//! Who returns later.

use kit::field::to_date;
use proto::safety as pb;

use super::number;
use crate::domain::resumption::late::{LateReturn, Reason};

/// Somebody who returns later, as callers see it.
pub(in crate::grpc) fn late_return(late: LateReturn) -> pb::LateReturn {
    let LateReturn {
        person,
        org_path,
        grade,
        reason,
        earliest,
    } = late;
    pb::LateReturn {
        person: person.to_string(),
        org_path,
        grade: i32::from(grade),
        reason: reason as i32,
        earliest_return_date: earliest.map(to_date),
    }
}

/// How many return later for one reason.
pub(in crate::grpc) fn late_count((reason, people): (Reason, u32)) -> pb::late_return::Count {
    pb::late_return::Count {
        reason: reason as i32,
        person_count: number(people),
    }
}
