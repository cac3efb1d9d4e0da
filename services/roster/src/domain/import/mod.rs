//! What an import decides: whether a row can be taken, what differs, and whether too many vanish.

mod cell;
mod hash;
mod id;
mod job;
mod plan;
mod reason;
mod row;
#[cfg(test)]
mod tests;
mod words;

use crate::domain::organization::coded;

pub use cell::{Sex, date, flag, hidden, normal, other_id, phone, resident_id, sex};
pub use id::{ClassGroupId, IdKind, OrganizationId, school_year};
pub use job::{Illegal, State, Verb};
pub use plan::{Difference, Entry, Key, compare, too_many_vanish};
pub use reason::{Finding, Reason};
pub use row::{
    ClassGroup, ClassGroupCells, Clean, Context, Division, Document, Guardian, GuardianCells,
    Judged, Organization, OrganizationCells, Record, RowCells, StaffMember, StaffMemberCells,
    Student, StudentCells, judge,
};

coded! {
    /// What a row is about.
    Kind {
        /// An organisation.
        Organization = 1 "ORGANIZATION",
        /// A class group.
        ClassGroup = 2 "CLASS_GROUP",
        /// A member of staff.
        StaffMember = 3 "STAFF_MEMBER",
        /// A student.
        Student = 4 "STUDENT",
        /// A guardian.
        Guardian = 5 "GUARDIAN",
    }
}
