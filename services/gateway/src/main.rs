//! The gateway as a process of its own.

use std::process::ExitCode;
use std::sync::Arc;

use gateway::{Config, StartError};
use kit::clock::SystemClock;

fn main() -> ExitCode {
    kit::config::main("gateway", |config: Config, drain| async move {
        let running = gateway::start(config, Arc::new(SystemClock), drain).await?;
        running.finished().await?;
        Ok::<_, StartError>(())
    })
}
