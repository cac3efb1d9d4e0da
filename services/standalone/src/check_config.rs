//! `campus check-config`: says whether a service would start with a file.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use kit::config::{ConfigError, Settings, load};

use crate::cli::{CheckConfigArgs, ServiceName};
use crate::screen;

/// Runs the command; 64 when the service would refuse to start.
pub fn run(args: &CheckConfigArgs) -> ExitCode {
    let file = args.config.as_deref();
    let (name, checked) = match args.service {
        ServiceName::Roster => ("roster", check::<roster::Config>("roster", file)),
        ServiceName::Sampling => ("sampling", check::<sampling::Config>("sampling", file)),
        ServiceName::SafetyInspection => (
            "safety-inspection",
            check::<safety_inspection::Config>("safety-inspection", file),
        ),
        ServiceName::Notification => (
            "notification",
            check::<notification::Config>("notification", file),
        ),
        ServiceName::Gateway => ("gateway", check::<gateway::Config>("gateway", file)),
    };
    match checked {
        Ok(()) => {
            screen::done(format_args!("{name}: the settings can be used"));
            ExitCode::SUCCESS
        }
        Err(err) => {
            screen::failed(format_args!("{name}: configuration: {err}"));
            ExitCode::from(64)
        }
    }
}

fn check<T: Settings>(service: &str, file: Option<&Path>) -> Result<(), ConfigError> {
    // What is not text is no setting.
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    load::<T>(service, file, std::env::vars_os().filter_map(text)).map(drop)
}
