//! Messages are expanded: one transaction after the other writes rows for some of the recipients and
//! how far it has come. A cut between two of them leaves nobody out, and a repeat tells nobody twice.

use std::time::Duration;

use kit::lease::{self, Lease};
use uuid::Uuid;

use super::messages::Messages;
use crate::domain::message::{Message, Phase, State};
use crate::error::Error;
use crate::store::Store;
use crate::store::messages::Figures;

/// One replica expands at a time, and soon another one when it is gone.
const LEASE: &str = "messages";
const TTL: Duration = Duration::from_secs(2);
/// How many messages take turns, a part each: a large one does not hold up the others.
const TURNS: u64 = 4;
/// How many deliveries end in one transaction.
const ENDING: u32 = 5_000;

impl Messages {
    /// Works until the drain: at once when woken, else each `poll`.
    pub(super) async fn work(self, poll: Duration, chunk: u32) {
        let holder = Uuid::new_v4().to_string();
        while !self.drain.is_draining() {
            if let Err(err) = self.pass(&holder, chunk).await {
                tracing::warn!(error = %err, "cannot expand messages, trying again");
            }
            if let Err(err) = self.look().await {
                tracing::warn!(error = %err, "cannot look for messages, trying again");
            }
            tokio::select! {
                () = self.work.notified() => {}
                () = tokio::time::sleep(poll) => {}
                () = self.drain.draining() => {}
            }
        }
    }

    /// Tells those who watch inboxes when there is something new.
    async fn look(&self) -> Result<(), Error> {
        let revision = self.base.store.messages_revision().await?;
        self.news
            .send_if_modified(|known| std::mem::replace(known, revision.max(*known)) < revision);
        Ok(())
    }

    /// Does everything that there is to do, unless another replica is at it.
    async fn pass(&self, holder: &str, chunk: u32) -> Result<(), Error> {
        let db = self.base.store.database();
        loop {
            let turns = self.base.store.expanding(TURNS).await?;
            let over = self.base.store.is_any_over(self.now()).await?;
            if turns.is_empty() && !over {
                return Ok(());
            }
            let Some(lease) = lease::take(db, LEASE, holder, TTL).await? else {
                return Ok(());
            };
            let mut moved = false;
            for id in turns {
                match self.expand(&lease, id, chunk).await {
                    Ok(()) => moved = true,
                    Err(err) => tracing::warn!(error = %err, "a message could not be expanded"),
                }
                self.look().await?;
            }
            if over {
                moved |= self.expire(&lease).await?;
            }
            if !moved || self.drain.is_draining() {
                return Ok(lease.release(db).await?);
            }
        }
    }

    /// Ends some of the deliveries of a message that is over; says whether there were any.
    async fn expire(&self, lease: &Lease) -> Result<bool, Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(false);
        }
        let now = self.now().timestamp_millis();
        let ended = Store::expire(&tx, now, ENDING).await?;
        tx.commit().await?;
        Ok(ended > 0)
    }

    /// Writes the next part of the ledger of a message.
    async fn expand(&self, lease: &Lease, id: Uuid, chunk: u32) -> Result<(), Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let found = Store::message_to_change(&tx, id).await?;
        let Some(message) = found.filter(|message| message.state == State::Expanding) else {
            return Ok(());
        };
        let now = self.now();
        let (sources, up_to) = if message.progress.phase == Phase::Few {
            resolve(&tx, &message).await?;
            (Store::few(&tx, &message), None)
        } else {
            let slice = Store::slice(&tx, &message, chunk).await?;
            (vec![slice.source], slice.up_to)
        };
        let mut written = Figures::default();
        for source in &sources {
            written.add(Store::write_rows(&tx, &message, source, now).await?);
        }
        let message = message.advance(up_to, now)?;
        Store::save_progress(&tx, message.clone()).await?;
        Store::end_part(&tx, &message, written).await?;
        tx.commit().await?;
        if message.state == State::Expanded {
            self.inboxes.filled(&message, self.now());
        }
        Ok(())
    }
}

/// Keeps whom a message is for, from the register as it is now.
async fn resolve(tx: &kit::db::Tx, message: &Message) -> Result<(), Error> {
    let recipients = &message.recipients;
    let organizations = match &recipients.audience {
        None => Vec::new(),
        Some(audience) => {
            let tree = Store::organizations(tx, &message.org_path).await?;
            let addressed = audience.addressed(tree).into_iter();
            addressed.map(|organization| organization.id).collect()
        }
    };
    let places = Store::class_group_places(tx, &recipients.class_groups).await?;
    let places = places.into_values().collect();
    let targets = (organizations, places, &recipients.parties[..]);
    Ok(Store::keep_targets(tx, message.id, targets).await?)
}
