//! Settings from a file and the environment, checked before anything starts.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::de::DeserializeOwned;

use crate::db::DatabaseConfig;
use crate::drain::Drain;
use crate::feed::epoch;
use crate::migration::{self, Order, Schema};
use crate::telemetry::{self, TelemetryConfig};
use crate::vault::{Vault, rewrap};

/// The exit code for wrong usage and wrong settings (`EX_USAGE`).
const USAGE: u8 = 64;

/// The settings of a service.
pub trait Settings: DeserializeOwned + fmt::Debug + Send + 'static {
    /// Checks what types cannot; the error begins with the key.
    ///
    /// # Errors
    /// When a setting cannot be used.
    fn check(&self) -> Result<(), String>;

    /// What the service tells about itself.
    fn telemetry(&self) -> &TelemetryConfig;

    /// Where the service keeps its data, and their schema; none where it keeps none.
    fn schema(&self) -> Option<(&DatabaseConfig, Schema)> {
        None
    }

    /// What seals the service's data, without its data keys; none where it seals nothing.
    ///
    /// # Errors
    /// When a master key cannot be read; the text names the setting.
    fn vault(&self) -> Result<Option<Vault>, String> {
        Ok(None)
    }
}

/// Settings cannot be used. The text names the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Reads the settings of `service` from `file`, then from `environment`, where
/// `CAMPUS_ROSTER__DATABASE__URL` is `database.url` of the roster.
///
/// # Errors
/// When the file cannot be read, a key is unknown, missing or malformed, or the check refuses.
pub fn load<T: Settings>(
    service: &str,
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let prefix = prefix(service);
    let variables = environment
        .filter(|(name, _)| name.starts_with(&prefix))
        .collect();
    let mut builder = ::config::Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(::config::File::from(file).format(::config::FileFormat::Toml));
    }
    let environment = ::config::Environment::with_prefix(&prefix)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .source(Some(variables));
    let settings: T = builder
        .add_source(environment)
        .build()
        .and_then(::config::Config::try_deserialize)
        .map_err(|err| ConfigError(err.to_string()))?;
    settings.check().map_err(ConfigError)?;
    let telemetry = settings.telemetry().check();
    telemetry.map_err(|err| ConfigError(err.to_string()))?;
    Ok(settings)
}

/// What the variables of a service begin with.
fn prefix(service: &str) -> String {
    format!("CAMPUS_{}", service.to_uppercase().replace('-', "_"))
}

/// The variables by which `service` runs as a trial: it takes tokens of the development issuer, whose key is
/// public, whoever reaches it.
pub fn trial(service: &str) -> [(String, String); 2] {
    let prefix = prefix(service);
    ["DEVELOPMENT", "TRIAL"].map(|key| (format!("{prefix}__AUTH__{key}"), "true".to_owned()))
}

/// What a service's command line says.
#[derive(Debug)]
struct Arguments {
    command: Command,
    file: Option<PathBuf>,
    trial: bool,
}

/// What a service's command line asks for.
#[derive(Debug)]
enum Command {
    Serve,
    CheckConfig,
    Migrate(Order),
    NewEpoch,
    Rewrap,
}

/// How a service is called.
const SYNOPSIS: &str = "usage: [--config FILE] [--trial] [check-config | migrate [--plan] [--within TIME] | new-epoch | rewrap]";

/// The `main` of every service:
/// `<service> [--config FILE] [--trial] [check-config | migrate [--plan] [--within TIME] | new-epoch | rewrap]`.
///
/// Loads the settings, over which `--trial` puts those of [`trial`], starts telemetry, and runs `run` until it ends
/// or SIGTERM or SIGINT has drained it; or plans or migrates its database, begins a new epoch of its
/// feeds, or wraps its data keys anew, and ends with [`migration::Ending::code`]. Wrong usage and wrong settings name the key and exit with 64, before a port opens.
pub fn main<T, F, Fut, E>(service: &'static str, run: F) -> ExitCode
where
    T: Settings,
    F: FnOnce(T, Drain) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: std::error::Error,
{
    let Arguments {
        command,
        file,
        trial: tries,
    } = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(usage) => return complain(service, &usage, USAGE),
    };
    let tried = tries.then(|| trial(service)).into_iter().flatten();
    let environment = std::env::vars().chain(tried);
    let settings: T = match load(service, file.as_deref(), environment) {
        Ok(settings) => settings,
        Err(err) => return complain(service, &format!("configuration: {err}"), USAGE),
    };
    if matches!(command, Command::CheckConfig) {
        return ExitCode::SUCCESS;
    }
    let of_a_database = !matches!(command, Command::Serve);
    if of_a_database && settings.schema().is_none() {
        return complain(service, "it keeps no database", USAGE);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(err) => return complain(service, &err.to_string(), 1),
    };
    runtime.block_on(async move {
        if let Some(ended) = carry_out(service, &settings, &command).await {
            return ended;
        }
        let _telemetry = match telemetry::start(service, settings.telemetry()) {
            Ok(telemetry) => telemetry,
            Err(err) => return complain(service, &format!("configuration: {err}"), USAGE),
        };
        let drain = Drain::new();
        drain.on_termination();
        match run(settings, drain).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(err) => {
                let mut chain = err.to_string();
                let mut cause = err.source();
                while let Some(err) = cause {
                    chain.push_str(&format!(": {err}"));
                    cause = err.source();
                }
                complain(service, &chain, 1)
            }
        }
    })
}

/// Carries a command about the database of `service` out; none where it is to serve.
async fn carry_out<T: Settings>(
    service: &str,
    settings: &T,
    command: &Command,
) -> Option<ExitCode> {
    let (database, schema) = settings.schema()?;
    let mut say = print;
    let ending = match command {
        Command::Serve | Command::CheckConfig => return None,
        Command::Migrate(order) => {
            migration::carry_out(service, &schema, database, *order, &mut say).await
        }
        Command::NewEpoch => epoch::carry_out(service, database, &mut say).await,
        Command::Rewrap => match settings.vault() {
            Ok(Some(vault)) => rewrap::carry_out(service, &vault, database, &mut say).await,
            Ok(None) => return Some(complain(service, "it seals nothing", USAGE)),
            Err(err) => {
                let text = format!("configuration: {err}");
                return Some(complain(service, &text, USAGE));
            }
        },
    };
    Some(ending.into())
}

fn arguments(arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut command, mut file, mut trial) = (Command::Serve, None, false);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--config" => {
                file = Some(PathBuf::from(
                    arguments.next().ok_or("--config needs a file")?,
                ));
            }
            "--trial" => trial = true,
            "check-config" => command = Command::CheckConfig,
            "migrate" => command = Command::Migrate(Order::default()),
            "new-epoch" => command = Command::NewEpoch,
            "rewrap" => command = Command::Rewrap,
            other => match &mut command {
                Command::Migrate(order) => narrow(order, other, &mut arguments)?,
                _ => return Err(format!("{other}: unknown; {SYNOPSIS}")),
            },
        }
    }
    Ok(Arguments {
        command,
        file,
        trial,
    })
}

/// Takes up what follows `migrate`.
fn narrow(
    order: &mut Order,
    argument: &str,
    rest: &mut impl Iterator<Item = String>,
) -> Result<(), String> {
    match argument {
        "--plan" => order.plan = true,
        "--within" => {
            let text = rest.next().unwrap_or_default();
            order.limits.within = migration::time(&text)?;
        }
        other => return Err(format!("{other}: unknown; {SYNOPSIS}")),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a command found is its output")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(
    clippy::print_stderr,
    reason = "there is no log before the settings are read"
)]
fn complain(service: &str, text: &str, code: u8) -> ExitCode {
    eprintln!("{service}: {text}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Example {
        ratio: u32,
        #[serde(default)]
        database: Database,
        #[serde(default)]
        telemetry: TelemetryWrapper,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Database {
        #[serde(default)]
        url: String,
    }

    #[derive(Debug, Default, Deserialize)]
    struct TelemetryWrapper(TelemetryConfig);

    impl PartialEq for TelemetryWrapper {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }

    impl Settings for Example {
        fn check(&self) -> Result<(), String> {
            if self.ratio <= 100 {
                Ok(())
            } else {
                Err("ratio: at most 100".to_owned())
            }
        }

        fn telemetry(&self) -> &TelemetryConfig {
            &self.telemetry.0
        }
    }

    fn environment(variables: &[(&str, &str)]) -> Result<Example, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        load("safety-inspection", None, variables)
    }

    #[test]
    fn the_environment_names_nested_keys() {
        let settings = environment(&[
            ("CAMPUS_SAFETY_INSPECTION__RATIO", "20"),
            ("CAMPUS_SAFETY_INSPECTION__DATABASE__URL", "sqlite:x"),
            ("CAMPUS_ROSTER__RATIO", "99"),
        ])
        .unwrap();
        assert_eq!(
            (settings.ratio, settings.database.url.as_str()),
            (20, "sqlite:x")
        );
    }

    #[test]
    fn a_trial_is_two_variables_of_the_service() {
        let expected = ["DEVELOPMENT", "TRIAL"].map(|key| {
            let name = format!("CAMPUS_SAFETY_INSPECTION__AUTH__{key}");
            (name, "true".to_owned())
        });
        assert_eq!(trial("safety-inspection"), expected);
    }

    #[test]
    fn unknown_missing_and_impossible_keys_are_named() {
        let unknown = environment(&[
            ("CAMPUS_SAFETY_INSPECTION__RATIO", "20"),
            ("CAMPUS_SAFETY_INSPECTION__RATOI", "20"),
        ]);
        assert!(unknown.unwrap_err().to_string().contains("ratoi"));
        assert!(environment(&[]).unwrap_err().to_string().contains("ratio"));
        let impossible = environment(&[("CAMPUS_SAFETY_INSPECTION__RATIO", "120")]);
        assert_eq!(impossible.unwrap_err().to_string(), "ratio: at most 100");
    }

    #[test]
    fn a_command_line_says_what_to_do_and_nothing_else() {
        let parse = |line: &str| arguments(line.split_whitespace().map(ToOwned::to_owned));
        let nothing = parse("").unwrap();
        assert!(matches!(nothing.command, Command::Serve) && nothing.file.is_none());
        assert!(
            !nothing.trial,
            "nobody is taken for trying who does not say so"
        );
        for line in ["--trial check-config", "check-config --trial"] {
            let tried = parse(line).unwrap();
            assert!(matches!(tried.command, Command::CheckConfig) && tried.trial);
        }
        let epoch = parse("new-epoch").unwrap();
        assert!(matches!(epoch.command, Command::NewEpoch));
        let rewrap = parse("rewrap --config x.toml").unwrap();
        assert!(matches!(rewrap.command, Command::Rewrap) && rewrap.file.is_some());
        let Arguments { command, file, .. } =
            parse("--config x.toml migrate --plan --within 90s").unwrap();
        let Command::Migrate(order) = command else {
            panic!("{command:?}")
        };
        assert_eq!(
            (order.plan, order.limits.within, file),
            (true, Duration::from_secs(90), Some("x.toml".into()))
        );
        for wrong in [
            "--plan",
            "migrate --within",
            "migrate --within soon",
            "migrate --within 0s",
            "check-config --plan",
            "new-epoch --within 90s",
            "rewrap --plan",
            "sing",
        ] {
            parse(wrong).unwrap_err();
        }
    }
}
