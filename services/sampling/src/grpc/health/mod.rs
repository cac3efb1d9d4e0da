//! The wire of the health of people.

pub(super) mod absence;
pub(crate) mod absence_convert;
pub(crate) mod announced;
pub(super) mod cluster;
pub(crate) mod cluster_convert;
mod cluster_rules;
pub(super) mod person;
pub(crate) mod person_convert;
pub(super) mod screening;
pub(crate) mod screening_convert;
mod screening_requests;
pub(super) mod suspension;
pub(crate) mod suspension_convert;

use kit::field::Fields;
use kit::status::Problem;
use proto::error::ErrorReason;

use super::convert;
use crate::domain::roll::{GroupKind, PersonId};

/// Whoever a resource name stands for.
pub(crate) type Who = (GroupKind, PersonId);

/// The person behind `students/{student}` or `staff/{staff_member}`.
fn who(fields: &mut Fields, field: &str, name: &str) -> Option<Who> {
    let kind = if name.starts_with("staff/") {
        GroupKind::Staff
    } else {
        GroupKind::Students
    };
    convert::person(fields, field, name).map(|person| (kind, person))
}

/// The person behind `students/{student}/health` or `staff/{staff_member}/health`.
fn whose_health(fields: &mut Fields, field: &str, name: &str) -> Option<Who> {
    let person = name.strip_suffix("/health");
    if person.is_none() {
        fields.violation(
            field,
            "应为 students/…/health 或 staff/…/health",
            "must be students/…/health or staff/…/health",
        );
    }
    person.and_then(|person| who(fields, field, person))
}

/// What was read without a fault; none is a fault that was not named.
fn whole<T>(fields: Fields, read: Option<T>) -> Result<T, Problem> {
    fields.finish()?;
    read.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}
