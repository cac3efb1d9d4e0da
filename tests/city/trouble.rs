//! What happens to the processes of a city, besides being called.

use std::time::Duration;

use super::City;
use crate::process::{Process, SERVICES};
use crate::until;
use crate::wire::Wire;

impl City {
    /// The wires between its processes and to their databases; none where they were not laid.
    pub fn wires(&self) -> &[Wire] {
        &self.wires
    }

    /// Stops a service with SIGSTOP for a moment.
    ///
    /// # Panics
    /// When it has ended.
    pub async fn freeze(&self, service: &str, moment: Duration) {
        let process = self.first(service).await;
        process.freeze().await;
        tokio::time::sleep(moment).await;
        process.thaw().await;
    }

    /// Moves the clocks of a service's processes to this many seconds ahead of the machine's, and those of every
    /// second replica as far behind it.
    ///
    /// # Panics
    /// When they have that of the machine.
    pub async fn move_clocks(&self, service: &str, ahead: i64) {
        for (replica, sign) in self.processes[service]
            .iter()
            .zip([1_i64, -1].into_iter().cycle())
        {
            replica.lock().await.move_clock(ahead * sign);
        }
    }

    /// Ends every connection to the database of a service, which is one of PostgreSQL.
    ///
    /// # Panics
    /// When that fails, or the service has no database.
    pub async fn cut_off(&self, service: &str) {
        let mut known = SERVICES.iter().zip(&self.databases);
        let database = known.find(|(name, _)| **name == service);
        let (_, database) = database.expect("a service with a database");
        database.cut_off().await;
    }

    /// Restarts one replica of a service after the other, each with SIGTERM, and goes on when it is ready and
    /// every gateway calls it again.
    ///
    /// # Panics
    /// When one of them does not end well, does not start, or is not called again.
    pub async fn roll(&self, service: &str) {
        for replica in &self.processes[service] {
            let mut process = replica.lock().await;
            process.stop().await;
            process.start_again().await;
            process.ready().await;
            drop(process);
            self.all_called(service).await;
        }
    }

    /// Waits until every gateway calls every replica of a service behind it.
    async fn all_called(&self, service: &str) {
        if service == "gateway" {
            return;
        }
        let replicas = self.processes[service].len();
        for gateway in &self.processes["gateway"] {
            let gateway = gateway.lock().await;
            Self::are_called(&gateway, service, replicas).await;
        }
    }

    /// Waits until a gateway calls so many replicas of a service.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn are_called(gateway: &Process, service: &str, replicas: usize) {
        until(
            &format!("{replicas} replicas of {service} are called"),
            || async {
                let page = gateway.page("/metrics").await;
                (called(&page, service) == Some(replicas)).then_some(())
            },
        )
        .await;
    }

    /// How much memory the first process of a service has, in bytes; none where the machine does not tell.
    pub async fn memory(&self, service: &str) -> Option<u64> {
        self.first(service).await.memory()
    }
}

/// How many replicas of a service a gateway calls, by its metrics.
fn called(page: &str, service: &str) -> Option<usize> {
    let mut lines = page.lines().filter(|line| {
        line.starts_with("campus_upstream_replicas{")
            && line.contains("state=\"called\"")
            && line.contains(&format!("upstream=\"{service}\""))
    });
    let (_, value) = lines.next()?.rsplit_once(' ')?;
    value.parse().ok()
}
