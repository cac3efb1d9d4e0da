//! The roster service as a process of its own.

use std::process::ExitCode;
use std::sync::Arc;

use kit::clock::DatabaseClock;
use roster::{Config, StartError};

fn main() -> ExitCode {
    kit::config::main("roster", |config: Config, drain| async move {
        let running = roster::start(config, Arc::new(DatabaseClock::default()), drain).await?;
        running.finished().await?;
        Ok::<_, StartError>(())
    })
}
