//! Hand-overs that were arranged for later: their organisations are announced once they begin.

use std::time::Duration;

use kit::drain::Drain;
use kit::lease::{self, Lease};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{App, announce};
use crate::store::duties;

/// The name of the lease: one replica announces at a time.
const LEASE: &str = "duties";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(60);
/// How many organisations one transaction announces.
const ORGANIZATIONS: i64 = 300;

/// Looks each minute until the drain.
pub(crate) async fn keep_announcing(app: App, drain: Drain) {
    let holder = Uuid::new_v4().to_string();
    loop {
        if let Err(err) = announce_as(&app, &holder).await {
            tracing::warn!(error = %err, "cannot announce hand-overs, trying again");
        }
        if !drain.sleep(PERIOD).await {
            return;
        }
    }
}

/// Announces what is due unless another replica is at it.
async fn announce_as(app: &App, holder: &str) -> Result<(), DbErr> {
    loop {
        let Some(lease) = lease::take(&app.db, LEASE, holder, TTL).await? else {
            return Ok(());
        };
        let announced = announce_due(app, &lease).await?;
        if announced == 0 {
            return lease.release(&app.db).await;
        }
        tracing::info!(organizations = announced, "hand-overs began");
    }
}

/// Announces a few hundred organisations at which a hand-over began and was not announced yet, and
/// tells how many; a beginning is remembered until it is told, so none is lost while nobody looks.
async fn announce_due(app: &App, lease: &Lease) -> Result<usize, DbErr> {
    let now = app.now();
    let tx = app.db.begin().await?;
    if !lease.holds(&tx).await? {
        return Ok(0);
    }
    let due = duties::take_due(&tx, now, ORGANIZATIONS).await?;
    let announced = due.len();
    announce::responsibility_rolls(&tx, due, now).await?;
    tx.commit().await?;
    Ok(announced)
}

#[cfg(test)]
mod tests;
