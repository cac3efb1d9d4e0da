//! Overviews as they change: however many watch the same with the same rights, the services are asked once
//! for all of them.

mod bells;
mod follower;
mod watcher;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::drain::Drain;
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::sync::Semaphore;

use super::config::OverviewConfig;
use super::desk::{Budget, Desk, Subject};
use super::refusal::Refusal;
use super::who::{Rights, Who};
use crate::callers::{Callers, Place};
use follower::Follower;
pub(crate) use watcher::Watcher;

/// A caller who has too many open may try again after this.
const RETRY: Duration = Duration::from_secs(5);

/// Everything that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watches(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    desk: Desk,
    config: OverviewConfig,
    drain: Drain,
    callers: Callers,
    places: Arc<Semaphore>,
    followers: Mutex<HashMap<Key, Arc<Follower>>>,
}

/// Whoever has the same key is shown the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    rights: Rights,
    subject: Subject,
}

impl Watches {
    pub(crate) fn new(desk: Desk, config: OverviewConfig, drain: Drain) -> Self {
        Self(Arc::new(Shared {
            desk,
            callers: Callers::new(config.max_watches_per_caller),
            places: Arc::new(Semaphore::new(
                config.max_watches.min(Semaphore::MAX_PERMITS),
            )),
            followers: Mutex::default(),
            config,
            drain,
        }))
    }

    /// Begins to watch. The first overview is read for this caller alone: each service has then said
    /// itself what the caller may see. `under_way` is the caller's place among the calls of the gateway.
    ///
    /// # Errors
    /// OVERLOADED when the caller, or all together, watch as much as they may; else like reading.
    pub(crate) async fn watch(
        &self,
        who: Who,
        subject: Subject,
        budget: Budget,
        under_way: Place,
    ) -> Result<Watcher, Refusal> {
        let shared = &self.0;
        let full = || Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let caller = shared.callers.enter(&who.caller);
        let caller = caller.ok_or_else(full)?;
        let permit = shared.places.clone().try_acquire_owned();
        let permit = permit.map_err(|_| full())?;
        let reading = shared.desk.read(&who, &subject, budget).await?;
        let key = Key {
            rights: who.rights.clone(),
            subject: subject.clone(),
        };
        let mut followers = shared.followers();
        let follower = followers.entry(key.clone()).or_insert_with(|| {
            let follower = Arc::new(Follower::new(reading.clone()));
            tokio::spawn(follower.clone().follow(shared.clone(), key));
            follower
        });
        // Entered under the lock, so that the follower does not leave meanwhile.
        let member = follower.enter(who.clone());
        drop(followers);
        Ok(Watcher::new(
            shared.clone(),
            who,
            subject,
            reading,
            member,
            (under_way, caller, permit),
        ))
    }
}

impl Shared {
    fn followers(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Follower>>> {
        self.followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a follower go that nobody listens to; true when it is gone.
    fn retire(&self, key: &Key, follower: &Follower) -> bool {
        let mut followers = self.followers();
        let gone = follower.is_alone();
        if gone {
            followers.remove(key);
        }
        gone
    }
}
