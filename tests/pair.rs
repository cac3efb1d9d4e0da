//! A server of PostgreSQL with a standby that has everything that was acknowledged, both at one address that leads to the
//! one that takes writes: as an operator of databases keeps them.

use crate::cluster::Cluster;
use crate::wire::{DATABASE, Wire};

/// The server, its standby, and the address of whichever is the server.
#[derive(Debug)]
pub struct Pair {
    server: Cluster,
    standby: Cluster,
    door: Wire,
}

impl Pair {
    /// Starts both; none where the programs of the server are not installed, unless `CAMPUS_REQUIRE_CLUSTER`
    /// is set.
    ///
    /// # Panics
    /// When they are and one does not start, or they are required and not installed.
    pub async fn start() -> Option<Self> {
        let server = Cluster::start().await?;
        let standby = server.standby().await;
        let door = Wire::lay(("everybody", DATABASE), vec![server.place()]).await;
        Some(Self {
            server,
            standby,
            door,
        })
    }

    /// How an administrator reaches the one that takes writes.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.door.address())
    }

    /// Kills the server for good and has the standby take its place. Where callers are led there `early`, they meet
    /// it while it only reads.
    ///
    /// # Panics
    /// When the standby does not take over.
    pub async fn fail_over(&self, early: bool) {
        self.server.kill().await;
        // What the dead one still has under way reaches nobody.
        self.door.cut();
        if early {
            self.door.lead_to(self.standby.place());
        }
        self.standby.promote().await;
        self.door.lead_to(self.standby.place());
    }

    /// Gives the server that took over a standby of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn complete(&mut self) {
        let standby = self.standby.standby().await;
        self.server = std::mem::replace(&mut self.standby, standby);
    }
}
