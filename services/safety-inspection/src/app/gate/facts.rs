//! The copy of the facts in memory, kept fresh from the database.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::drain::Drain;
use sea_orm::DbErr;
use tokio::sync::{Mutex, Notify};

use crate::domain::gate::index::Index;
use crate::heard::Heard;
use crate::store::Store;

/// How often it is noted when a feed was last heard of.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// Everything that a gate decides from. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    store: Store,
    index: Arc<RwLock<Index>>,
    /// The revision up to which the index is, held by whoever brings it further.
    reached: Arc<Mutex<i64>>,
    heard: [(&'static str, Heard); 2],
}

impl Facts {
    /// Loads everything and begins to follow: at once when `changed` wakes, else every `refresh`,
    /// as another replica may have stored something.
    pub(super) async fn open(
        store: Store,
        heard: [(&'static str, Heard); 2],
        changed: Arc<Notify>,
        refresh: Duration,
        drain: Drain,
    ) -> Result<Self, DbErr> {
        for (feed, heard) in &heard {
            if let Some(at) = store.heard(feed).await? {
                heard.note(at);
            }
        }
        let facts = Self {
            store,
            index: Arc::default(),
            reached: Arc::default(),
            heard,
        };
        let revision = facts.catch_up().await?;
        tracing::info!(people = facts.with(Index::len), revision, "facts loaded");
        tokio::spawn(facts.clone().follow(changed, refresh, drain));
        Ok(facts)
    }

    /// Reads from the index. No waiting inside.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Index) -> T) -> T {
        read(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the facts were last confirmed: the older of the two feeds.
    pub(super) fn time(&self) -> Option<DateTime<Utc>> {
        let [(_, roster), (_, clearance)] = &self.heard;
        Some(roster.at()?.min(clearance.at()?))
    }

    /// Reads what is stored and not yet in memory; returns the revision reached.
    pub(super) async fn catch_up(&self) -> Result<i64, DbErr> {
        let mut reached = self.reached.lock().await;
        let index = self.index.clone();
        let apply = move |change: &mut dyn FnMut(&mut Index)| {
            change(&mut index.write().unwrap_or_else(PoisonError::into_inner));
        };
        *reached = self.store.catch_up(*reached, apply).await?;
        Ok(*reached)
    }

    async fn follow(self, changed: Arc<Notify>, refresh: Duration, drain: Drain) {
        let mut noted: [Option<DateTime<Utc>>; 2] = [None; 2];
        while !drain.is_draining() {
            tokio::select! {
                () = changed.notified() => {}
                () = tokio::time::sleep(refresh) => {}
                () = drain.draining() => {}
            }
            if let Err(err) = self.catch_up().await {
                tracing::warn!(error = %err, "cannot read facts, trying again");
            }
            self.note(&mut noted).await;
        }
    }

    /// Remembers across a restart how old the facts are.
    async fn note(&self, noted: &mut [Option<DateTime<Utc>>; 2]) {
        for ((feed, heard), noted) in self.heard.iter().zip(noted) {
            let Some(at) = heard.at() else { continue };
            let age = noted.map(|noted| at - noted);
            if age.is_some_and(|age| age.to_std().unwrap_or_default() < NOTE_EVERY) {
                continue;
            }
            match self.store.note_heard(feed, at).await {
                Ok(()) => *noted = Some(at),
                Err(err) => tracing::warn!(feed, error = %err, "cannot note the age of facts"),
            }
        }
    }
}
