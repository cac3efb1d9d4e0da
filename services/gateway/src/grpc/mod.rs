//! The wire: requests to what is meant, results to answers.

mod audit;
mod merge;
mod overview;
mod own;

pub(crate) use audit::AuditGrpc;
pub(crate) use overview::OverviewGrpc;
pub(crate) use own::Own;
