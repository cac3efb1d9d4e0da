//! Keeps the feed complete: what follows from several changes, and what time alone changes, is told by
//! one replica soon after; then the changes of figures are added up.

mod entities;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kit::drain::Drain;
use kit::lease::{self, Lease};
use kit::server::Latch;
use uuid::Uuid;

use super::Base;
use super::duty::Templates;
use super::timers::timer;
use crate::domain::gate::day::number_of;
use crate::error::Error;
use crate::store::Store;
use entities::Known;

const LEASE: &str = "announcing";
const TTL: Duration = Duration::from_secs(15);
/// How often to look.
const PERIOD: Duration = Duration::from_millis(250);
/// How many rows are looked at before the lease is renewed.
const ROWS: u32 = 500;
/// How many standings are told in one transaction.
const TOGETHER: usize = 50;
/// How many changes of figures are added up in one transaction.
const CHANGES: u64 = 1000;
/// An entity that cannot be told is tried again after so many milliseconds; the others go on.
const AGAIN: i64 = 60_000;

/// Tells what must be told anew.
#[derive(Clone, Debug)]
pub(crate) struct Announcing {
    base: Base,
    templates: Templates,
    holder: String,
}

/// Entities, each with the ids of the rows that ask for it.
type Work = BTreeMap<String, Vec<Uuid>>;

impl Announcing {
    /// Looks until the drain. The latch is let go once everything that stood before is told.
    pub(crate) fn start(base: Base, templates: Templates, latch: Latch, drain: Drain) {
        let announcing = Self {
            base,
            templates,
            holder: Uuid::new_v4().to_string(),
        };
        tokio::spawn(announcing.keep(Some(latch), drain));
    }

    async fn keep(self, mut latch: Option<Latch>, drain: Drain) {
        let timer = timer(&self.base, "announcing");
        loop {
            let passed = self.pass().await;
            if passed.is_ok() {
                timer.now();
            }
            match passed {
                Ok(true) if !drain.is_draining() => continue,
                Ok(true) => return,
                Ok(false) => drop(latch.take()),
                Err(err) => tracing::warn!(error = %err, "cannot complete the feed, trying again"),
            }
            if !drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    /// Tells some of it; says whether there may be more to do here.
    async fn pass(&self) -> Result<bool, Error> {
        let db = self.base.store.database();
        let work = self.work().await?;
        let counted = Store::has_figure_changes(db.read()).await?
            || Store::has_gate_changes(db.read()).await?;
        if work.is_empty() && !counted {
            return Ok(false);
        }
        let Some(lease) = lease::take(db, LEASE, &self.holder, TTL).await? else {
            return Ok(false);
        };
        let found = !work.is_empty();
        // What there is of an organisation once is told by nobody else. Other entities are held while
        // they are told, so each has a transaction of its own: nobody holds one and waits for another.
        let (standings, others): (Vec<_>, Vec<_>) = work
            .into_iter()
            .partition(|(entity, _)| entity.split('/').count() == 3);
        for part in standings.chunks(TOGETHER) {
            if let Err(err) = self.tell(&lease, part).await {
                tracing::warn!(error = %err, "cannot tell some entities together");
                self.tell_singly(&lease, part).await?;
            }
        }
        self.tell_singly(&lease, &others).await?;
        let more = self.add_up(&lease).await?;
        Ok(more || found)
    }

    async fn work(&self) -> Result<Work, Error> {
        let db = self.base.store.database().read();
        let now = self.base.clock.now().timestamp_millis();
        let mut work = Work::new();
        for (id, entity) in Store::retellings(db, now, ROWS).await? {
            work.entry(entity).or_default().push(id);
        }
        for entity in Store::told_to_wake(db, now, ROWS).await? {
            work.entry(entity).or_default();
        }
        Ok(work)
    }

    /// Tells entities as they are now, in one transaction.
    async fn tell(&self, lease: &Lease, part: &[(String, Vec<Uuid>)]) -> Result<(), Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let now = self.base.clock.now();
        let rules = Store::rules(&tx).await?;
        let mut tellings = Vec::with_capacity(part.len());
        let known = Known {
            rules: &rules,
            templates: &self.templates,
        };
        for (entity, _) in part {
            tellings.extend(entities::telling(&tx, known, entity, now).await?);
        }
        let known: BTreeSet<&str> = tellings.iter().map(|one| &*one.entity).collect();
        let unknown = part.iter().map(|(entity, _)| &**entity);
        let unknown: Vec<&str> = unknown.filter(|entity| !known.contains(entity)).collect();
        for entity in unknown {
            // Nothing is known of it any more, so nothing wakes it.
            Store::forget_told(&tx, entity).await?;
        }
        Store::tell(&tx, tellings).await?;
        let ids = part.iter().flat_map(|(_, ids)| ids).copied().collect();
        Store::retold(&tx, ids).await?;
        Ok(tx.commit().await?)
    }

    /// One by one: what cannot be told waits, and does not hold up the others.
    async fn tell_singly(&self, lease: &Lease, part: &[(String, Vec<Uuid>)]) -> Result<(), Error> {
        for one in part {
            let Err(err) = self.tell(lease, std::slice::from_ref(one)).await else {
                continue;
            };
            let (entity, ids) = one;
            tracing::error!(error = %err, entity, "an entity cannot be told");
            let tx = self.base.store.database().begin().await?;
            let at = self.base.clock.now().timestamp_millis() + AGAIN;
            Store::delay_retellings(&tx, ids.clone(), at).await?;
            Store::delay_told(&tx, entity, at).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn add_up(&self, lease: &Lease) -> Result<bool, Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(false);
        }
        let today = number_of(self.base.clock.today());
        let figures = Store::add_figures_up(&tx, CHANGES).await?;
        let gates = Store::add_gates_up(&tx, today, CHANGES).await?;
        tx.commit().await?;
        Ok(figures || gates)
    }
}
