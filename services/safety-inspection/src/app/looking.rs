//! What looks each second, and at once when something was decided here: one replica at a time, a few
//! things at a time.

use std::time::Duration;

use kit::db::{Database, Tx};
use kit::drain::Drain;
use kit::lease;
use kit::telemetry::figures::Beat;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::error::Error;

/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);

/// What time and decisions make due.
pub(crate) trait Look: Send + Sync {
    /// The name of the lease, and of what is looked after in logs.
    const NAME: &'static str;

    /// Something was decided here.
    fn wake(&self) -> &Notify;

    /// Handles some of what is due, unless another replica is at it; whether there may be more.
    fn pass(&self, holder: &str) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Looks until the drain; the timer beats at each look that came to its end.
pub(crate) async fn look<L: Look>(looker: L, timer: Beat, drain: Drain) {
    let holder = Uuid::new_v4().to_string();
    loop {
        match looker.pass(&holder).await {
            Ok(more) => {
                timer.now();
                if more && !drain.is_draining() {
                    continue;
                }
            }
            Err(err) => {
                tracing::warn!(error = %err, what = L::NAME, "cannot look after it, trying again");
            }
        }
        let again = tokio::select! {
            again = drain.sleep(PERIOD) => again,
            () = looker.wake().notified() => !drain.is_draining(),
        };
        if !again {
            return;
        }
    }
}

/// A transaction in which this replica alone looks; none while another one does.
///
/// # Errors
/// When the database fails.
pub(crate) async fn turn<L: Look>(db: &Database, holder: &str) -> Result<Option<Tx>, Error> {
    let Some(lease) = lease::take(db, L::NAME, holder, TTL).await? else {
        return Ok(None);
    };
    let tx = db.begin().await?;
    Ok(lease.holds(&tx).await?.then_some(tx))
}
