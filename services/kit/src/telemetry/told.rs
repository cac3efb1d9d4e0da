//! Telemetry for tests of what a service tells operators.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Telemetry, TelemetryConfig, figures, start};
use crate::scratch::{self, Scratch};

/// How often figures are looked for.
const OFTEN: Duration = Duration::from_millis(100);

/// Telemetry with a page at any free port, whose figures are looked for often. It starts once a process, so that a
/// test binary has one test of what is told.
#[derive(Debug)]
pub struct Told {
    /// The settings of whatever is to tell.
    pub config: TelemetryConfig,
    _telemetry: Telemetry,
}

impl Told {
    /// Starts the telemetry of `service`.
    ///
    /// # Panics
    /// When it was started before.
    pub fn start(service: &'static str) -> Self {
        figures::look_every(OFTEN);
        let config = TelemetryConfig {
            filter: "error".to_owned(),
            listen: Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)),
            ..TelemetryConfig::default()
        };
        let telemetry = start(service, &config).expect("telemetry starts");
        Self {
            config,
            _telemetry: telemetry,
        }
    }

    /// Has `exercise` run on SQLite and, where that has ended, on PostgreSQL.
    pub async fn on_both(&self, exercise: impl AsyncFn(Scratch)) {
        exercise(scratch::sqlite()).await;
        if let Some(scratch) = scratch::postgres().await {
            exercise(scratch).await;
        }
    }
}
