//! What happens by itself: warnings end, suspensions begin and end, the register is told. One
//! replica looks at a time, a few at a time.

use std::time::Duration;

use kit::drain::Drain;
use kit::lease;
use uuid::Uuid;

use super::Weather;
use crate::error::Error;
use crate::store::Store;

/// The name of the lease.
const LEASE: &str = "weather";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How many are handled in one transaction.
const TOGETHER: u64 = 64;

/// Looks each second, and at once when something was decided here, until the drain.
pub(crate) async fn watch(weather: Weather, drain: Drain) {
    let holder = Uuid::new_v4().to_string();
    loop {
        match weather.pass(&holder).await {
            // There may be more.
            Ok(true) if !drain.is_draining() => continue,
            Ok(_) => {}
            Err(err) => tracing::warn!(error = %err, "cannot look after the weather, trying again"),
        }
        let again = tokio::select! {
            again = drain.sleep(PERIOD) => again,
            () = weather.wake.notified() => !drain.is_draining(),
        };
        if !again {
            return;
        }
    }
}

impl Weather {
    /// Handles what is due, unless another replica is at it; whether there may be more.
    async fn pass(&self, holder: &str) -> Result<bool, Error> {
        let db = self.base.store.database();
        let now = self.base.clock.now();
        if !Store::weather_is_due(db.read(), now.timestamp_millis()).await? {
            return Ok(false);
        }
        let Some(lease) = lease::take(db, LEASE, holder, TTL).await? else {
            return Ok(false);
        };
        let tx = db.begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(false);
        }
        self.expire(&tx, now, TOGETHER).await?;
        self.suspensions_due(&tx, now, TOGETHER).await?;
        let calls = self
            .teaching_due(&tx, now.timestamp_millis(), TOGETHER)
            .await?;
        tx.commit().await?;
        let more = !calls.is_empty();
        self.tell_all(calls).await;
        Ok(more)
    }
}
