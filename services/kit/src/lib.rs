//! What every service of Campus needs, once: settings, telemetry, the server, errors, pages,
//! request ids, the change feed and its consumers, leases, group commit, the audit log, the vault,
//! which counts of people are hidden, how long another service is waited for, how the roster is told
//! of teaching modes, how it is asked about approvals, and what is told to people about themselves.

pub mod approvals;
pub mod audit;
pub mod auth;
pub mod batch;
pub mod bulk;
pub mod calendar;
pub mod catalogue;
pub mod channel;
pub mod clock;
pub mod config;
pub mod copy;
pub mod db;
pub mod deadline;
pub mod destruction;
pub mod drain;
pub mod feed;
pub mod field;
pub mod hop;
pub mod lease;
pub mod migration;
pub mod org;
pub mod page;
pub mod privacy;
pub mod projection;
pub mod request;
pub mod rows;
pub mod scratch;
pub mod secret;
pub mod server;
pub mod sound;
mod stand_in;
pub mod status;
pub mod subject;
pub mod teaching;
pub mod telemetry;
pub mod tls;
pub mod upstream;
pub mod vault;
mod watched;

/// The allocator of every process of Campus: a tenth more calls than with that of the C library, and as
/// many with musl's, whose own is slow. It asks for no huge pages, with which a process holds two thirds more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
