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

pub use cell::{Sex, date, flag, hidden, normal, other_id, phone, resident_id, sex};
pub use id::{ClassGroupId, IdKind, OrganizationId, school_year};
pub use job::{Illegal, State, Verb};
pub use plan::{Difference, Entry, compare, too_many_vanish};
pub use reason::{Finding, Reason};
pub use row::{
    ClassGroup, ClassGroupCells, Clean, Context, Division, Guardian, GuardianCells, Judged,
    Organization, OrganizationCells, Record, RowCells, StaffMember, StaffMemberCells, Student,
    StudentCells, judge,
};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An organisation.
    Organization,
    /// A class group.
    ClassGroup,
    /// A member of staff.
    StaffMember,
    /// A student.
    Student,
    /// A guardian.
    Guardian,
}
