//! A whole city of processes for tests: each service as its own binary with its own database and
//! its own settings file, and an invented town that was imported into it.

pub mod checks;
pub mod city;
pub mod cluster;
pub mod disk;
pub mod import;
mod opening;
pub mod pair;
pub mod process;
mod row;
pub mod town;
pub mod tubes;
pub mod verbs;
pub mod wire;
pub mod wrong_clock;

pub use opening::{students_of, students_of_schools};

use std::future::Future;
use std::time::Duration;

use tonic::Status;

/// How long a test waits for anything before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a test waits before it asks again.
const PAUSE: Duration = Duration::from_millis(20);

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

/// Asks again and again until there is an answer, but not for ever.
///
/// # Panics
/// When there is none in time.
pub async fn until<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    within(what, asking).await
}

/// Reads page after page: `read` takes a page token and gives the items and the next token.
///
/// # Errors
/// As the service says.
pub async fn every<T, F, Fut>(mut read: F) -> Result<Vec<T>, Status>
where
    F: FnMut(String) -> Fut,
    Fut: Future<Output = Result<(Vec<T>, String), Status>>,
{
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let (page, next) = read(page_token).await?;
        all.extend(page);
        if next.is_empty() {
            return Ok(all);
        }
        page_token = next;
    }
}
