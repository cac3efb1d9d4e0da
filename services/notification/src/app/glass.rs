//! Raises alerts for broken glasses: reads the audit log of each service from where it was read last, so
//! that none is missed whoever was away for how long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kit::audit::{break_glass_uses, last_sequence};
use kit::db::Tx;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::upstream::BreakGlassUpstream;
use proto::audit::BreakGlassUse;
use sea_orm::DbErr;
use tokio::sync::Notify;

use super::Base;
use crate::domain::alert::{Alert, State};
use crate::domain::fact::Source;
use crate::glass_facts::{record, told};
use crate::store::Store;

/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How long to wait for a service that is away.
const AWAY: Duration = Duration::from_secs(5);
/// How many uses of the own log one transaction follows.
const TOGETHER: u64 = 100;
/// Logs have no snapshots.
const GENERATION: i64 = 0;

/// Where an audit log is.
#[derive(Debug)]
pub(crate) enum Log {
    /// In the database of this service.
    Own,
    /// At a neighbour.
    Of(BreakGlassUpstream),
}

/// Follows one audit log.
#[derive(Debug)]
pub(crate) struct Glass {
    pub(crate) base: Base,
    /// Whose log it is, such as `roster`.
    pub(crate) service: &'static str,
    pub(crate) log: Log,
    /// Woken when alerts have changed.
    pub(crate) changed: Arc<Notify>,
}

/// What comes next in a log.
struct Found {
    uses: Vec<BreakGlassUse>,
    /// The last record of the log.
    last: i64,
}

impl Glass {
    /// Follows it until the drain.
    pub(crate) fn start(self, drain: Drain) {
        tokio::spawn(self.follow(drain));
    }

    async fn follow(mut self, drain: Drain) {
        loop {
            let pause = match self.round().await {
                Ok(true) if !drain.is_draining() => continue,
                Ok(_) => PERIOD,
                Err(err) => {
                    let service = self.service;
                    tracing::warn!(service, error = %err, "an audit log cannot be followed, trying again");
                    AWAY
                }
            };
            if !drain.sleep(pause).await {
                return;
            }
        }
    }

    /// Raises alerts for the next uses; whether there may be more.
    async fn round(&mut self) -> Result<bool, Unread> {
        let from = self.base.store.glass_read(self.service).await?;
        let Found { uses, last } = self.after(from).await?;
        let to = match uses.last() {
            Some(used) => used.sequence,
            // The log was restored to what it was before.
            None if last < from => last,
            None => return Ok(false),
        };
        let tx = self.base.store.database().begin().await?;
        if !Store::note_glass_read(&tx, self.service, (from, to)).await? {
            return Ok(false);
        }
        if !uses.is_empty() {
            // Before the register is known nobody can be asked.
            let Some(root) = Store::root_place(&tx).await? else {
                return Ok(false);
            };
            self.raise(&tx, &uses, &root).await?;
        }
        tx.commit().await?;
        self.changed.notify_one();
        Ok(true)
    }

    async fn after(&mut self, from: i64) -> Result<Found, Unread> {
        match &mut self.log {
            Log::Own => {
                let db = self.base.store.database();
                let last = last_sequence(db).await?;
                let uses = break_glass_uses(db, &OrgPath::root(), from, TOGETHER).await?;
                Ok(Found { uses, last })
            }
            Log::Of(upstream) => {
                let found = upstream.after(from).await;
                let found = found.map_err(|status| Unread::Away(status.code()))?;
                Ok(Found {
                    uses: found.uses,
                    last: found.last_sequence,
                })
            }
        }
    }

    /// Uses of the same caller in the same hour are one fact, named after the first of them. When somebody
    /// has ended its alert already, a further use is another fact.
    async fn raise(&self, tx: &Tx, uses: &[BreakGlassUse], root: &str) -> Result<(), DbErr> {
        Store::lock_alerts(tx).await?;
        let now = self.base.clock.now();
        let firsts: Vec<String> = uses
            .iter()
            .map(|used| self.name(used.first_sequence))
            .collect();
        let names: Vec<&str> = firsts.iter().map(|name| &**name).collect();
        let latest = Store::latest_alerts(tx, &names).await?;
        let latest: HashMap<&str, &Alert> =
            latest.iter().map(|alert| (&*alert.basis, alert)).collect();
        let told = uses.iter().zip(&firsts).map(|(used, first)| {
            let alert = latest.get(&**first);
            let ended = alert.is_some_and(|alert| alert.state == State::Resolved);
            let name = if ended {
                self.name(used.sequence)
            } else {
                first.clone()
            };
            told(name, used, root, now)
        });
        Store::follow_facts(tx, Source::Audit, told.collect(), GENERATION, now).await
    }

    fn name(&self, sequence: i64) -> String {
        record(self.service, sequence)
    }
}

/// A log cannot be followed now.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("the service does not tell it: {0:?}")]
    Away(tonic::Code),
    #[error("the database failed")]
    Database(#[from] DbErr),
}
