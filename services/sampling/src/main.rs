//! The sampling service as a process of its own.

use std::process::ExitCode;
use std::sync::Arc;

use kit::clock::DatabaseClock;
use sampling::StartError;

fn main() -> ExitCode {
    kit::config::main("sampling", |config, drain| async move {
        let running = sampling::start(config, Arc::new(DatabaseClock::default()), drain).await?;
        running.finished().await.map_err(StartError::from)
    })
}
