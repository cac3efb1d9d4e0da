//! Deadlines of hazards, watched by one replica at a time: overdue, escalated, progress that did not
//! come.

use std::time::Duration;

use kit::drain::Drain;
use kit::lease::{self, Lease};
use sea_orm::DbErr;
use uuid::Uuid;

use super::setting::{moment, setting};
use super::telling::{note, tell};
use crate::app::timers::timer;
use crate::app::{Base, Site, place};
use crate::domain::hazard::accountability::Telling;
use crate::store::Store;
use crate::store::hazards::Change;

const LEASE: &str = "hazards";
const TTL: Duration = Duration::from_secs(15);
const PERIOD: Duration = Duration::from_secs(1);
/// How many hazards are handled before the lease is renewed.
const TOGETHER: u64 = 50;

/// Looks for hazards to which time does something.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    base: Base,
    holder: String,
}

impl Watch {
    /// Looks each second until the drain.
    pub(crate) fn start(base: Base, drain: Drain) {
        let holder = Uuid::new_v4().to_string();
        tokio::spawn(Self { base, holder }.watch(drain));
    }

    async fn watch(self, drain: Drain) {
        let timer = timer(&self.base, "hazards");
        loop {
            match self.pass_all().await {
                Ok(()) => timer.now(),
                Err(err) => {
                    tracing::warn!(error = %err, "cannot look for overdue hazards, trying again");
                }
            }
            if !drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    /// Handles everything that is due unless another replica is at it.
    async fn pass_all(&self) -> Result<(), DbErr> {
        let db = self.base.store.database();
        loop {
            let today = self.base.clock.today();
            let waited = Store::hazards_waited(db.read(), today, TOGETHER).await?;
            if waited.is_empty() {
                return Ok(());
            }
            let Some(lease) = lease::take(db, LEASE, &self.holder, TTL).await? else {
                return Ok(());
            };
            let mut done = 0;
            for id in waited {
                match self.pass(&lease, id).await {
                    Ok(()) => done += 1,
                    Err(err) => {
                        tracing::warn!(error = %err, "the deadline of a hazard could not be handled");
                    }
                }
            }
            if done == 0 {
                return lease.release(db).await;
            }
        }
    }

    async fn pass(&self, lease: &Lease, id: Uuid) -> Result<(), DbErr> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let now = moment(self.base.clock.now());
        let Some(hazard) = Store::hazard_to_change(&tx, id).await? else {
            return Ok(());
        };
        let organization = Store::organization(&tx, &hazard.home.organization).await?;
        let Some(organization) = organization else {
            // The register says nothing of it for now: it waits until tomorrow.
            Store::delay_hazard(&tx, id, now.today).await?;
            return tx.commit().await;
        };
        let site = Site {
            path: place(&organization.org_path),
            organization,
        };
        let around = setting(&tx, &site, now.at).await?;
        let (mut hazard, passed) = hazard.pass(now.today, &around);
        for passed in passed {
            let change = Change {
                sequence: 0,
                act: passed.act().to_owned(),
                from: Some(hazard.state),
                to: hazard.state,
                actor: String::new(),
                at: now.at,
                note: String::new(),
            };
            note(&tx, &mut hazard, change).await?;
            let telling = Telling::of_time(passed, &hazard);
            tell(&tx, &hazard, vec![telling], now.at).await?;
        }
        Store::save_hazard(&tx, &hazard, &around.terms).await?;
        tx.commit().await
    }
}
