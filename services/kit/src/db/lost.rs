//! Whether a database is lost: nothing was answered by it for longer than a moment.

use std::io;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement, sqlx};
use tokio::time::{Instant, timeout};

use super::{Backend, Database, conn_err};
use crate::drain::Drain;

/// Replicas that lose their database together do not say so together.
const SPREAD: std::ops::Range<f64> = 1.0..1.3;
/// Whoever asks a database that is lost waits for so long.
pub(super) const WHILE_LOST: Duration = Duration::from_secs(1);

/// When a database counts as lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How often is looked. Whatever was answered within this is proof enough, and nothing is asked.
    pub(crate) look: Duration,
    /// What is asked has to be answered within this.
    pub(crate) answer: Duration,
    /// The database is lost when it has not been for so long, or up to a third longer.
    pub(crate) lost: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(1),
            answer: Duration::from_secs(3),
            lost: Duration::from_secs(10),
        }
    }
}

impl Database {
    /// Tells `told` whether this database is lost, for the first time and whenever that changes, until the drain.
    /// It is asked by the pool of the service, so that a pool of which every connection hangs counts as well.
    pub(crate) async fn watch_for_loss(
        self,
        patience: Patience,
        drain: Drain,
        mut told: impl FnMut(bool) + Send,
    ) {
        let lost_after = patience.lost.mul_f64(rand::random_range(SPREAD));
        let (mut known, mut failing) = (None, None);
        loop {
            let asked = Instant::now();
            let answers = self.observed.answered_within(patience.look)
                || self.answers_within(patience.answer).await;
            let lost = if answers {
                failing = None;
                false
            } else {
                let since: Instant = *failing.get_or_insert(asked);
                known == Some(true) || since.elapsed() >= lost_after
            };
            if (answers || lost) && known != Some(lost) {
                if lost {
                    tracing::warn!("the database cannot be used, the service is not ready");
                } else if known.is_some() {
                    tracing::info!("the database can be used again");
                }
                known = Some(lost);
                self.observed.set_lost(lost);
                told(lost);
            }
            if !drain.sleep(patience.look).await {
                return;
            }
        }
    }

    /// Whether the database answers the smallest question.
    async fn answers_within(&self, within: Duration) -> bool {
        let connection = self.read.inner();
        let smallest = match self.backend {
            Backend::Postgres => "SELECT 1",
            // One that is read from the file.
            Backend::Sqlite => "SELECT count(*) FROM sqlite_master",
        };
        let backend = connection.get_database_backend();
        let asked = connection.query_one_raw(Statement::from_string(backend, smallest));
        timeout(within, asked).await.is_ok_and(|told| told.is_ok())
    }
}

/// What is told whoever asks a database that is lost.
pub(super) fn away() -> DbErr {
    conn_err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))
}
