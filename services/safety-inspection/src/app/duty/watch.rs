//! The clock looks whether somebody has come: on one replica, a few shifts at a time, by an index
//! over those that are awaited.

use std::time::Duration;

use kit::drain::Drain;
use kit::lease::{self, Lease};
use kit::rows::Lock;
use uuid::Uuid;

use super::{Duty, SHIFTS};
use crate::app::not_done::{NotDone, tell_not_done};
use crate::app::timers::timer;
use crate::domain::duty::Refused;
use crate::error::Error;
use crate::store::Store;

/// The name of the lease: one replica looks at a time.
const LEASE: &str = "duty";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How many are handled before the lease is taken anew.
const TOGETHER: u32 = 100;
/// Who acts where the clock does.
const CLOCK: &str = "service";

impl Duty {
    /// Raises alerts until the drain.
    pub(crate) async fn watch(self, drain: Drain) {
        let holder = Uuid::new_v4().to_string();
        let timer = timer(&self.base, "duty");
        while !drain.is_draining() {
            match self.look(&holder).await {
                Ok(more) => {
                    timer.now();
                    if more {
                        continue;
                    }
                }
                Err(err) => tracing::warn!(error = %err, "cannot look for shifts, trying again"),
            }
            if !drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    /// Raises the alerts of some shifts; says whether there may be more.
    async fn look(&self, holder: &str) -> Result<bool, Error> {
        let db = self.base.store.database();
        let due = Store::unattended_shifts(db.read(), self.base.clock.now(), TOGETHER).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let Some(lease) = lease::take(db, LEASE, holder, TTL).await? else {
            return Ok(false);
        };
        let mut raised = false;
        for (organization, id) in &due {
            match self.raise(&lease, organization, *id).await {
                Ok(done) => raised |= done,
                Err(err) => tracing::warn!(error = %err, "an alert of a shift could not be raised"),
            }
        }
        // When none of them can be handled, others may try.
        if !raised {
            lease.release(db).await?;
        }
        Ok(raised)
    }

    /// Raises the alert of one shift, in one transaction; says whether it did.
    async fn raise(&self, lease: &Lease, organization: &str, id: Uuid) -> Result<bool, Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(false);
        }
        let now = self.base.clock.now();
        let Some(record) = Store::shift(&tx, organization, id, Lock::Yes).await? else {
            return Ok(false);
        };
        let (shift, moved) = match record.value.clone().raise_alert(now) {
            Ok(raised) => raised,
            // Somebody came meanwhile.
            Err(Refused::State(_)) => return Ok(false),
            Err(refused) => return Err(refused.into()),
        };
        let record = record.with(shift);
        Store::save_shifts(&tx, std::slice::from_ref(&record)).await?;
        let name = record.name(SHIFTS);
        Store::note_move(&tx, &name, &moved, (CLOCK, ""), now).await?;
        let missed = NotDone {
            home: (&record.organization, &record.org_path),
            resource: &name,
            person: &record.value.crew.leader,
            subject: "SAFETY",
            answers_at: "",
            since: record.value.span.start,
        };
        tell_not_done(&tx, missed, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}
