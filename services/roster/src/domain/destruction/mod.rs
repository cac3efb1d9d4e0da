//! The destruction of what was gathered for an emergency (rules 6.12 and F5).

mod catalogue;
mod event;
mod job;
mod manifest;
#[cfg(test)]
mod tests;

pub use catalogue::SERVICES;
pub use event::{BackupCheck, Capacity, CategoryReport, Event, Finding, Keep, Report, Step};
pub use job::{Job, Refused, State};
pub use manifest::{Certificate, Invalid, manifest};
