//! The wire: requests to what is meant, results to answers.

mod audit;
mod held;
mod merge;
mod overview;
mod own;
mod subject;

pub(crate) use audit::AuditGrpc;
pub(crate) use overview::OverviewGrpc;
pub(crate) use own::Own;
pub(crate) use subject::SubjectDataGrpc;
