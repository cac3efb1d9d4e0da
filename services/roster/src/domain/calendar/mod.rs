//! The school calendar: which civil day is a school day, and why (rule 7.10).

mod document;
#[cfg(test)]
mod tests;
mod year;

pub(crate) use document::civil;
pub use document::{SHIPPED, Unreadable, read};
pub use year::{CalendarYear, Fault, Kind, NamedDay, SchoolDay, Term};
