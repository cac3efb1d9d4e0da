//! What every service of Campus needs, once: settings, telemetry, the server, errors, pages,
//! request ids, the change feed and its consumers, leases, group commit, the audit log, the vault,
//! how the roster is told of teaching modes, and how it is asked about approvals.

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
pub mod destruction;
pub mod drain;
pub mod feed;
pub mod field;
pub mod hop;
pub mod lease;
pub mod migration;
pub mod org;
pub mod page;
pub mod projection;
pub mod request;
pub mod rows;
pub mod scratch;
pub mod secret;
pub mod server;
pub mod status;
pub mod teaching;
pub mod telemetry;
pub mod tls;
pub mod upstream;
pub mod vault;
mod watched;

/// The allocator of every process of Campus: a tenth more calls than with that of the C library, and as
/// many with musl's, whose own is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
