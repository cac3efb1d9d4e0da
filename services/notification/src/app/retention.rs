//! Removes what was over long ago: messages, warnings of other systems, the record of documents. One replica
//! does so at a time, a few rows in each transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::drain::Drain;
use kit::lease::{self, Lease};
use kit::telemetry::figures::{Count, Name};
use uuid::Uuid;

use super::Base;
use crate::config::RetentionConfig;
use crate::error::Error;
use crate::store::Store;

const REMOVED: Name = Name::count(
    "campus.retention.removed",
    "Rows that were kept long enough, by what they were and, of deliveries, by state",
);
const LEASE: &str = "retention";
/// Renewed with each transaction.
const TTL: Duration = Duration::from_secs(30);
/// How many transactions one sweep makes of each kind at most; the rest waits for the next one.
const STEPS: usize = 1_000;

/// What is removed.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Messages,
    Warnings,
    Exports,
}

/// What was over before these instants, in milliseconds since 1970, was kept long enough.
#[derive(Clone, Copy, Debug)]
struct Before {
    messages: i64,
    warnings: i64,
}

impl Before {
    fn of(config: &RetentionConfig, now: DateTime<Utc>) -> Self {
        let before = |kept| {
            let kept = chrono::Duration::from_std(kept).unwrap_or(chrono::Duration::MAX);
            let before = now.checked_sub_signed(kept);
            before.map_or(i64::MIN, |before| before.timestamp_millis())
        };
        Self {
            messages: before(config.messages),
            warnings: before(config.warnings),
        }
    }
}

/// Removes what is too old.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    base: Base,
    config: RetentionConfig,
    drain: Drain,
    holder: String,
    /// How many rows were removed, by what they were.
    removed: Count,
}

impl Retention {
    /// Begins to look, each `interval` of the settings.
    pub(crate) fn start(base: Base, config: RetentionConfig, drain: Drain) {
        let retention = Self {
            base,
            config,
            drain,
            holder: Uuid::new_v4().to_string(),
            removed: REMOVED.counted(),
        };
        tokio::spawn(retention.work());
    }

    async fn work(self) {
        loop {
            if let Err(err) = self.sweep().await {
                tracing::warn!(error = %err, "cannot remove what is too old, trying again");
            }
            if !self.drain.sleep(self.config.interval).await {
                return;
            }
        }
    }

    /// Removes what there is to remove, unless another replica is at it.
    async fn sweep(&self) -> Result<(), Error> {
        let store = &self.base.store;
        let before = Before::of(&self.config, self.base.clock.now());
        if !store
            .is_anything_old(before.messages, before.warnings)
            .await?
        {
            return Ok(());
        }
        let db = store.database();
        for kind in [Kind::Messages, Kind::Warnings, Kind::Exports] {
            for _ in 0..STEPS {
                if self.drain.is_draining() {
                    return Ok(());
                }
                let lease = lease::take(db, LEASE, &self.holder, TTL).await?;
                let Some(lease) = lease else { return Ok(()) };
                if !self.step(&lease, kind, before).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes a few rows of a kind; whether there were any.
    async fn step(&self, lease: &Lease, kind: Kind, before: Before) -> Result<bool, Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(false);
        }
        let counts = self.remove(&tx, kind, before).await?;
        tx.commit().await?;
        let any = counts.iter().any(|(_, count)| *count > 0);
        let service = self.base.store.database().service();
        for ((kind, state), count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let labels = [("service", service), ("kind", kind), ("state", state)];
            self.removed.add(count, labels);
        }
        Ok(any)
    }

    /// Removes a few rows of a kind; how many there were, by what they were and in which state.
    async fn remove(
        &self,
        tx: &Tx,
        kind: Kind,
        before: Before,
    ) -> Result<Vec<((&'static str, &'static str), u64)>, Error> {
        let of = |what| (what, "");
        Ok(match kind {
            Kind::Messages => {
                let removed =
                    Store::remove_messages(tx, before.messages, self.config.batch).await?;
                let deliveries = removed.deliveries.into_iter();
                let deliveries =
                    deliveries.map(|(state, count)| (("delivery", state.as_str()), count));
                let messages = (of("message"), removed.messages);
                deliveries.chain([messages]).collect()
            }
            Kind::Warnings => {
                vec![(
                    of("warning"),
                    Store::remove_warnings(tx, before.warnings).await?,
                )]
            }
            Kind::Exports => {
                vec![(
                    of("export"),
                    Store::remove_exports(tx, before.warnings).await?,
                )]
            }
        })
    }
}
