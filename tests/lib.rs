//! A whole city of processes for tests: each service as its own binary with its own database and
//! its own settings file, before a register that the test writes.

pub mod city;
pub mod process;
pub mod register;

use std::future::Future;
use std::time::Duration;

/// How long a test waits for anything before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for `what`, but not for ever.
///
/// # Panics
/// When it does not come in time.
pub async fn within<F: Future>(what: &str, wait: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(output) => output,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}
