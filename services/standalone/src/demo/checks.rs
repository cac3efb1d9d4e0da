//! What the demonstration must show.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::screen;

/// What was shown and what was not.
#[derive(Debug, Default)]
pub(super) struct Checks {
    shown: u32,
    missing: Vec<String>,
}

impl Checks {
    /// Says that `what` is so, or that it is not.
    pub(super) fn expect(&mut self, holds: bool, what: impl Into<String>) {
        let what = what.into();
        if holds {
            self.shown += 1;
            screen::done(&what);
        } else {
            screen::failed(&what);
            self.missing.push(what);
        }
    }

    /// # Errors
    /// When anything was not shown.
    pub(super) fn finish(self) -> anyhow::Result<u32> {
        match self.missing.first() {
            None => Ok(self.shown),
            Some(first) => bail!("{} not shown, the first: {first}", self.missing.len()),
        }
    }
}

/// Asks again and again until there is an answer; gives it with the time it took.
///
/// # Errors
/// When there is none within 20 seconds.
pub(super) async fn until<T, F, Fut>(what: &str, mut ask: F) -> anyhow::Result<(T, Duration)>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<Option<T>>>,
{
    let begun = Instant::now();
    let mut last = None;
    while begun.elapsed() < Duration::from_secs(20) {
        match ask().await {
            Ok(Some(answer)) => return Ok((answer, begun.elapsed())),
            Ok(None) => {}
            Err(err) => last = Some(err),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    match last {
        Some(err) => Err(err.context(format!("waited in vain: {what}"))),
        None => bail!("waited in vain: {what}"),
    }
}
