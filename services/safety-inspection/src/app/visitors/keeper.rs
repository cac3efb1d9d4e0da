//! What happens by itself: visitors who stay too long are looked for, days close, and what is no longer
//! needed is destroyed. One replica works at a time, a piece in a transaction.

use std::time::Duration;

use chrono::{DateTime, Days, Timelike, Utc};
use kit::drain::Drain;
use kit::lease::{self, Lease};
use kit::rows::Lock;
use sea_orm::DbErr;
use uuid::Uuid;

use super::Visitors;
use crate::app::place;
use crate::app::timers::timer;
use crate::domain::responsibility::SAFETY;
use crate::domain::visitor::state::Verb;
use crate::domain::visitor::visit::Due;
use crate::error::Error;
use crate::store::Store;
use crate::store::gate::retention::first_id_at;
use crate::store::visits::VisitEvent;

/// The name of the lease.
const LEASE: &str = "gate-keeper";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How many visits are handled before the lease is taken anew.
const TOGETHER: u64 = 100;
/// How many decisions one transaction destroys.
const BATCH: u64 = 1000;
/// Who does what nobody does.
const SYSTEM: &str = "system";

/// Looks after visits that wait for the clock, and after what is kept too long.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    visitors: Visitors,
    holder: String,
}

impl Keeper {
    /// Looks each second until the drain.
    pub(crate) fn start(visitors: Visitors, drain: Drain) {
        let holder = Uuid::new_v4().to_string();
        let keeper = Self { visitors, holder };
        tokio::spawn(keeper.watch(drain));
    }

    async fn watch(self, drain: Drain) {
        let mut swept = None;
        let timer = timer(&self.visitors.base, "visits");
        loop {
            match self.pass_visits().await {
                Ok(()) => timer.now(),
                Err(err) => {
                    tracing::warn!(error = %err, "cannot look after visits, trying again");
                }
            }
            // Decisions are destroyed once an hour.
            let now = self.visitors.base.clock.now();
            let hour = (now.date_naive(), now.hour());
            if swept != Some(hour) {
                match self.sweep_decisions(now, &drain).await {
                    Ok(()) => swept = Some(hour),
                    Err(err) => tracing::warn!(error = %err, "cannot destroy old decisions yet"),
                }
            }
            if !drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    /// Handles every visit that is due unless another replica is at it.
    async fn pass_visits(&self) -> Result<(), DbErr> {
        let db = self.visitors.base.store.database();
        loop {
            let now = self.visitors.base.clock.now();
            let due = Store::visits_due(db.read(), now, TOGETHER).await?;
            if due.is_empty() {
                return Ok(());
            }
            let Some(lease) = lease::take(db, LEASE, &self.holder, TTL).await? else {
                return Ok(());
            };
            let mut done = 0;
            for id in due {
                match self.pass_visit(&lease, id, now).await {
                    Ok(()) => done += 1,
                    Err(err) => tracing::warn!(error = %err, "a visit could not be moved on"),
                }
            }
            if done == 0 {
                return lease.release(db).await;
            }
        }
    }

    async fn pass_visit(&self, lease: &Lease, id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        let visitors = &self.visitors;
        let tx = visitors.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        // Somebody may have moved it meanwhile.
        let kept = Store::visit(&tx, id, Lock::Yes).await?;
        let due = kept.and_then(|kept| Some((kept.visit.is_due(now)?, kept)));
        match due {
            None => {}
            Some((Due::Forget, _)) => Store::forget_visit(&tx, id).await?,
            Some((Due::Move(verb), mut kept)) => {
                let path = place(&kept.visit.org_path);
                let policy = visitors.gate.policy(&path, now).visits;
                if verb == Verb::Overstay {
                    // The alarm names who answers for safety there.
                    let answers = Store::answerable(&tx, &path, SAFETY, "").await?;
                    let answers = answers.map(|found| found.staff_member);
                    kept.visit.responsible = answers.unwrap_or_default();
                }
                let from = kept.visit.advance(verb, now, &policy)?;
                let event = VisitEvent {
                    verb,
                    from: Some(from),
                    to: kept.visit.state,
                    actor: SYSTEM.to_owned(),
                    note: String::new(),
                    time: now,
                };
                Store::save_visit(&tx, &kept, &event).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Destroys decisions older than the policy of their school keeps them (rule 6.13), school by
    /// school, each found by one look into the index.
    async fn sweep_decisions(&self, now: DateTime<Utc>, drain: &Drain) -> Result<(), DbErr> {
        let db = self.visitors.base.store.database();
        let mut school = String::new();
        while let Some(oldest) = Store::oldest_decision_after(db.read(), &school).await? {
            if drain.is_draining() {
                return Ok(());
            }
            let path = place(&oldest.org_path);
            let days = self.visitors.gate.policy(&path, now).retention_days;
            let days = Days::new(u64::try_from(days).unwrap_or_default());
            let end = first_id_at(now.checked_sub_days(days).unwrap_or(now));
            school = oldest.school;
            if oldest.id < end && !self.forget_decisions(&school, end).await? {
                // Another replica is at it.
                return Ok(());
            }
        }
        Ok(())
    }

    /// False when another replica holds the lease.
    async fn forget_decisions(&self, school: &str, end: Uuid) -> Result<bool, DbErr> {
        let db = self.visitors.base.store.database();
        loop {
            let Some(lease) = lease::take(db, LEASE, &self.holder, TTL).await? else {
                return Ok(false);
            };
            let tx = db.begin().await?;
            if !lease.holds(&tx).await? {
                return Ok(false);
            }
            let gone = Store::forget_decisions(&tx, school, end, BATCH).await?;
            tx.commit().await?;
            if gone < BATCH {
                return Ok(true);
            }
        }
    }
}
