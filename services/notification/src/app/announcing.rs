//! Keeps the feed complete: what was not announced where it was written is announced soon after.

use std::time::Duration;

use kit::drain::Drain;
use kit::server::Latch;

use super::Base;

/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);

/// Looks until the drain. The latch is let go once everything that stood before is in the feed.
pub(crate) fn start(base: Base, latch: Latch, drain: Drain) {
    tokio::spawn(keep(base, Some(latch), drain));
}

async fn keep(base: Base, mut latch: Option<Latch>, drain: Drain) {
    loop {
        match base.store.announce_left(base.clock.now()).await {
            Ok(true) => {
                if drain.is_draining() {
                    return;
                }
                continue;
            }
            Ok(false) => drop(latch.take()),
            Err(err) => tracing::warn!(error = %err, "cannot complete the feed, trying again"),
        }
        if !drain.sleep(PERIOD).await {
            return;
        }
    }
}
