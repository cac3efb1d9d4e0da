//! Incidents: rows in and out.

mod counts;
mod file;
mod history;
mod lists;

pub use counts::Count;
pub use file::{IncidentRow, StepRow};
pub use history::{AccountabilityRow, CauseRow, EventRow, Findings, ReportRow};
pub use lists::Filter;

use sea_orm::Value;

use super::below_end;

/// What lies at or below a place, with the placeholders $1 to $3.
const BELOW: &str = "(org_path = $1 OR (org_path > $2 AND org_path < $3))";

/// Rows of one incident after a number.
const AFTER: &str = "incident = $1 AND sequence > $2";

/// The values of [`BELOW`].
fn below(place: &str) -> Vec<Value> {
    let first = format!("{place}/");
    vec![place.into(), first.into(), below_end(place).into()]
}

/// The number of a value that may be none.
fn number<T: Copy>(value: Option<T>, of: impl Fn(T) -> i16) -> i16 {
    value.map_or(0, of)
}
