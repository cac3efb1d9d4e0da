//! A server that answers, until it has stopped.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::ServeError;
use crate::drain::Drain;

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where operators ask for its metrics and whether it is ready.
    pub page: Option<SocketAddr>,
    pub(super) drain: Drain,
    pub(super) patience: Duration,
    pub(super) task: JoinHandle<Result<(), ServeError>>,
    pub(super) work: Vec<JoinHandle<()>>,
}

impl Running {
    /// Has stopped only when `work`, which ends by itself at the drain, has as well, or has had the
    /// configured time for it.
    #[must_use]
    pub fn with(mut self, work: Vec<JoinHandle<()>>) -> Self {
        self.work.extend(work);
        self
    }

    /// Waits until it has stopped.
    ///
    /// # Errors
    /// When it failed.
    pub async fn finished(self) -> Result<(), ServeError> {
        let ended = self.task.await?;
        let patience = tokio::time::sleep(self.patience);
        tokio::pin!(patience);
        for work in self.work {
            tokio::select! {
                // Work that panicked has ended.
                _ = work => {}
                () = &mut patience => {
                    tracing::warn!("work was cut off at the end of the drain");
                    break;
                }
            }
        }
        ended
    }

    /// Drains it and waits until it has stopped.
    ///
    /// # Errors
    /// When it failed.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.drain.signal();
        self.finished().await
    }
}
