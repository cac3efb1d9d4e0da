//! One signal that tells every task of a service to finish.

use std::sync::Arc;

use tokio::sync::watch;

/// Tells that the service is stopping. Clones share the signal.
#[derive(Clone, Debug)]
pub struct Drain(Arc<watch::Sender<bool>>);

impl Drain {
    /// A signal that was not given yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Gives the signal; again is harmless.
    pub fn signal(&self) {
        self.0.send_replace(true);
    }

    /// Whether the signal was given.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the signal is given.
    pub async fn draining(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|draining| *draining).await;
    }

    /// Waits `delay`, but not past the signal; true when there is time left to go on.
    pub async fn sleep(&self, delay: std::time::Duration) -> bool {
        tokio::select! {
            () = self.draining() => false,
            () = tokio::time::sleep(delay) => true,
        }
    }

    /// Gives the signal on SIGTERM or SIGINT.
    pub fn on_termination(&self) {
        let drain = self.clone();
        tokio::spawn(async move {
            let interrupt = tokio::signal::ctrl_c();
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut terminate) => {
                    tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
                }
                Err(_) => drop(interrupt.await),
            }
            drain.signal();
        });
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}
