//! What happens by itself: warnings end, suspensions begin and end, the register is told.

use tokio::sync::Notify;

use super::Weather;
use crate::app::looking::{Look, turn};
use crate::error::Error;
use crate::store::Store;

/// How many are handled in one transaction.
const TOGETHER: u64 = 64;

impl Look for Weather {
    const NAME: &'static str = "weather";

    fn wake(&self) -> &Notify {
        &self.wake
    }

    async fn pass(&self, holder: &str) -> Result<bool, Error> {
        let db = self.base.store.database();
        let now = self.base.clock.now();
        if !Store::weather_is_due(db.read(), now.timestamp_millis()).await? {
            return Ok(false);
        }
        let Some(tx) = turn::<Self>(db, holder).await? else {
            return Ok(false);
        };
        self.expire(&tx, now, TOGETHER).await?;
        self.warn_newcomers(&tx, now).await?;
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
