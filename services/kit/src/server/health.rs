//! Readiness by named latches, told through the health service.

use std::collections::BTreeMap;

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::MAX_OPEN_REQUEST;
use crate::drain::Drain;
use crate::telemetry::Health;

/// Health services that a probe may ask for. Liveness says that the process answers.
const LIVENESS: &str = "liveness";
const READINESS: &str = "readiness";
/// What a service waits for that is about to stop.
const DRAIN: &str = "its end";

/// The conditions of readiness by name, with how many latches each still waits for.
type Pending = BTreeMap<&'static str, usize>;

#[derive(Clone, Debug)]
pub(super) struct Readiness(watch::Sender<Pending>);

impl Readiness {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Pending::new()))
    }

    pub(super) fn latch(&self, name: &'static str) -> Latch {
        self.0
            .send_modify(|pending| *pending.entry(name).or_default() += 1);
        Latch {
            name,
            pending: self.0.clone(),
        }
    }

    /// What it waits for, by name; the drain as well once it has begun.
    pub(super) fn missing(&self, drain: &Drain) -> Vec<&'static str> {
        let pending = self.0.borrow();
        let open = pending.iter().filter(|(_, latches)| **latches > 0);
        let open = open.map(|(name, _)| *name);
        open.chain(drain.is_draining().then_some(DRAIN)).collect()
    }

    /// The health service, which answers at once and is told of changes until the drain; then it says not
    /// serving.
    pub(super) async fn health(&self, drain: Drain) -> Health {
        let reporter = HealthReporter::new();
        reporter
            .set_service_status(LIVENESS, ServingStatus::Serving)
            .await;
        self.tell(&reporter, drain.is_draining()).await;
        let health = HealthService::from_health_reporter(reporter.clone());
        tokio::spawn(self.clone().report(reporter, drain));
        HealthServer::new(health).max_decoding_message_size(MAX_OPEN_REQUEST)
    }

    async fn report(self, reporter: HealthReporter, drain: Drain) {
        let mut changes = self.0.subscribe();
        loop {
            changes.mark_unchanged();
            let draining = drain.is_draining();
            self.tell(&reporter, draining).await;
            if draining {
                return;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = drain.draining() => {}
            }
        }
    }

    /// Tells how it is now. Each latch is a health service of its own, so that one can see what is missing.
    async fn tell(&self, reporter: &HealthReporter, draining: bool) {
        let pending = self.0.borrow().clone();
        let ready = pending.values().all(|latches| *latches == 0) && !draining;
        for (name, latches) in pending {
            reporter
                .set_service_status(name, status(latches == 0))
                .await;
        }
        reporter.set_service_status(READINESS, status(ready)).await;
        reporter.set_service_status("", status(ready)).await;
    }
}

fn status(serving: bool) -> ServingStatus {
    if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}

/// A condition of readiness. It is met when the latch is dropped.
#[derive(Debug)]
pub struct Latch {
    name: &'static str,
    pending: watch::Sender<Pending>,
}

impl Latch {
    /// The condition is met.
    pub fn release(self) {}
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.pending.send_modify(|pending| {
            if let Some(count) = pending.get_mut(self.name) {
                *count -= 1;
            }
        });
    }
}
