//! The notification service as a process of its own.

use std::process::ExitCode;
use std::sync::Arc;

use kit::clock::DatabaseClock;
use notification::{Config, StartError};

fn main() -> ExitCode {
    kit::config::main("notification", |config: Config, drain| async move {
        let running =
            notification::start(config, Arc::new(DatabaseClock::default()), drain).await?;
        running.finished().await?;
        Ok::<_, StartError>(())
    })
}
