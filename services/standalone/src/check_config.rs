//! `campus check-config`: says whether a service would start with a file.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use kit::config::{ConfigError, Settings, load, trial};

use crate::cli::{CheckConfigArgs, ServiceName};
use crate::screen;

/// Runs the command; 64 when the service would refuse to start.
pub fn run(args: &CheckConfigArgs) -> ExitCode {
    let (file, tries) = (args.config.as_deref(), args.trial);
    let (name, checked) = match args.service {
        ServiceName::Roster => ("roster", check::<roster::Config>("roster", file, tries)),
        ServiceName::Sampling => (
            "sampling",
            check::<sampling::Config>("sampling", file, tries),
        ),
        ServiceName::SafetyInspection => (
            "safety-inspection",
            check::<safety_inspection::Config>("safety-inspection", file, tries),
        ),
        ServiceName::Notification => (
            "notification",
            check::<notification::Config>("notification", file, tries),
        ),
        ServiceName::Gateway => ("gateway", check::<gateway::Config>("gateway", file, tries)),
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

fn check<T: Settings>(service: &str, file: Option<&Path>, tries: bool) -> Result<(), ConfigError> {
    // What is not text is no setting.
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let tried = tries.then(|| trial(service)).into_iter().flatten();
    let environment = std::env::vars_os().filter_map(text).chain(tried);
    load::<T>(service, file, environment).map(drop)
}
