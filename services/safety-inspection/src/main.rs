//! The safety-inspection service as a process of its own.

use std::process::ExitCode;
use std::sync::Arc;

use kit::clock::DatabaseClock;
use safety_inspection::{Config, StartError};

fn main() -> ExitCode {
    kit::config::main("safety-inspection", |config: Config, drain| async move {
        let running =
            safety_inspection::start(config, Arc::new(DatabaseClock::default()), drain).await?;
        running.finished().await?;
        Ok::<_, StartError>(())
    })
}
