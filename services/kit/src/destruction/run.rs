//! Carries destructions out: one replica at a time, a piece in a transaction, from where it stopped.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbErr;
use tokio::time::Instant;
use tonic::Code;
use uuid::Uuid;

use super::store::{self, Count, Phase, Underway};
use super::{Batch, Destroyer, Reporter};
use crate::clock::Clock;
use crate::db::Database;
use crate::drain::Drain;
use crate::lease::{self, Lease};
use crate::teaching::backoff;
use crate::vault::{EmergencyVault, STALE};

/// The name of the lease.
const LEASE: &str = "destruction";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// After so long no replica uses a key whose row is deleted.
const FORGOTTEN: Duration = STALE.saturating_add(Duration::from_secs(1));
/// How long to wait for records that are not over before looking at them again.
const AGAIN: Duration = Duration::from_secs(10);
/// How many samples are kept of a job.
const SAMPLES: usize = 20;

/// Carries out what the roster orders.
#[derive(Debug)]
pub struct Runner<D> {
    /// Where the records are.
    pub db: Database,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who knows the records.
    pub destroyer: D,
    /// Under whose keys they are sealed; none where nothing is.
    pub vault: Option<EmergencyVault>,
    /// Who is told.
    pub reporter: Reporter,
}

/// Why a piece was not done.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error("the secret of the emergency cannot be removed")]
    Secret(#[from] std::io::Error),
    #[error("the roster was not told")]
    Roster(#[from] Box<tonic::Status>),
}

impl<D: Destroyer> Runner<D> {
    /// Looks each second until the drain.
    pub fn start(self, drain: Drain) {
        tokio::spawn(async move {
            let holder = Uuid::new_v4().to_string();
            let mut failures = 0;
            loop {
                let wait = match self.pass(&holder, &drain).await {
                    Ok(()) => {
                        failures = 0;
                        PERIOD
                    }
                    Err(err) => {
                        tracing::warn!(error = %err, "cannot destroy yet, trying again");
                        failures += 1;
                        let millis = u64::try_from(backoff(failures)).unwrap_or_default();
                        Duration::from_millis(millis)
                    }
                };
                if !drain.sleep(wait).await {
                    self.give_back(&holder).await;
                    return;
                }
            }
        });
    }

    /// Lets another replica go on at once.
    async fn give_back(&self, holder: &str) {
        if let Ok(Some(lease)) = lease::take(&self.db, LEASE, holder, TTL).await {
            // It runs out by itself where it cannot be given back.
            let _ = lease.release(&self.db).await;
        }
    }

    /// Does everything that is to be done unless another replica is at it.
    async fn pass(&self, holder: &str, drain: &Drain) -> Result<(), Stopped> {
        // When this replica saw the row of a key deleted.
        let mut deleted = None;
        while store::next(&self.db).await?.is_some() {
            if drain.is_draining() {
                return Ok(());
            }
            let Some(lease) = lease::take(&self.db, LEASE, holder, TTL).await? else {
                return Ok(());
            };
            // As it is now that nobody else changes it: another replica may have gone on before the
            // lease was taken.
            let Some(underway) = store::next(&self.db).await? else {
                return Ok(());
            };
            match underway.phase {
                Phase::Records => self.records(&lease, underway).await?,
                Phase::Key => {
                    let since = *deleted.get_or_insert_with(Instant::now);
                    if since.elapsed() < FORGOTTEN {
                        drain.sleep(FORGOTTEN / 4).await;
                        continue;
                    }
                    deleted = None;
                    if self.key(&lease, underway).await? > 0 {
                        drain.sleep(AGAIN).await;
                    }
                }
                Phase::Done => self.tell(&lease, underway).await?,
                Phase::Told => return Ok(()),
            }
        }
        Ok(())
    }

    /// Destroys a part of the present category; after the last one the row of the key.
    async fn records(&self, lease: &Lease, underway: Underway) -> Result<(), Stopped> {
        let Underway {
            order,
            mut progress,
            ..
        } = underway;
        let categories = self.destroyer.categories();
        progress.counts.resize(categories.len(), Count::default());
        let tx = self.db.begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        let mut phase = Phase::Records;
        if let Some(category) = categories.get(progress.category) {
            let batch = self
                .destroyer
                .destroy(&tx, &order, category, &progress.cursor)
                .await?;
            let Batch {
                cursor,
                destroyed,
                resealed,
                exposed,
                samples,
            } = batch;
            let count = &mut progress.counts[progress.category];
            count.destroyed += destroyed;
            count.resealed += resealed;
            count.exposed += exposed;
            let room = SAMPLES.saturating_sub(progress.samples.len());
            let some = samples.into_iter().take(room);
            let some = some.map(|sample| (hex::encode(sample.owner), hex::encode(sample.sealed)));
            progress.samples.extend(some);
            progress.category += usize::from(cursor.is_none());
            progress.cursor = cursor.unwrap_or_default();
        } else {
            if let Some(fingerprint) = EmergencyVault::delete_key(&tx, order.emergency).await? {
                progress.fingerprint = fingerprint;
                progress.key_destroyed = Some(self.clock.now().timestamp_millis());
            }
            phase = Phase::Key;
        }
        store::save(&tx, &order.job, phase, &progress).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the secret of the key for good, counts what is left, tries the samples, and gives
    /// the count.
    async fn key(&self, lease: &Lease, underway: Underway) -> Result<i64, Stopped> {
        let Underway {
            order,
            mut progress,
            ..
        } = underway;
        let mut left = 0;
        for (category, count) in self.destroyer.categories().iter().zip(&mut progress.counts) {
            count.remaining = if order.kept.contains(*category) {
                0
            } else {
                self.destroyer.remaining(&self.db, &order, category).await?
            };
            left += count.remaining;
        }
        progress.opened = 0;
        if let Some(vault) = &self.vault {
            vault.shred(order.emergency).await?;
            for (owner, sealed) in &progress.samples {
                let owner = hex::decode(owner).unwrap_or_default();
                let sealed = hex::decode(sealed).unwrap_or_default();
                let opened = vault.open(&owner, &sealed).is_ok();
                progress.opened += i64::from(opened);
            }
        }
        let phase = if left > 0 {
            // Somebody wrote meanwhile, or a record still decides about somebody: once more from the
            // beginning.
            progress.category = 0;
            progress.cursor.clear();
            Phase::Records
        } else {
            progress.finished = self.clock.now().timestamp_millis();
            Phase::Done
        };
        let tx = self.db.begin().await?;
        if lease.holds(&tx).await? {
            store::save(&tx, &order.job, phase, &progress).await?;
            tx.commit().await?;
        }
        Ok(left)
    }

    async fn tell(&self, lease: &Lease, underway: Underway) -> Result<(), Stopped> {
        let Underway {
            order, progress, ..
        } = underway;
        let categories = self.destroyer.categories();
        let told = self.reporter.report(&order, categories, &progress).await;
        match told {
            Ok(()) => {}
            // The job was confirmed before: an order that is heard again, as after a restore, is
            // carried out and does not hold later ones up.
            Err(status) if status.code() == Code::FailedPrecondition => {
                tracing::warn!(job = %order.job, "the roster waits for no report on a job any more");
            }
            Err(status) => return Err(Box::new(status).into()),
        }
        let tx = self.db.begin().await?;
        if lease.holds(&tx).await? {
            store::save(&tx, &order.job, Phase::Told, &progress).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
