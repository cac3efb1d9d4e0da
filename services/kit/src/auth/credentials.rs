//! What a service shows to its neighbours.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::error::ErrorReason;

use super::{AuthConfig, Issuer, Role};
use crate::clock::Clock;
use crate::org::OrgPath;
use crate::status::Problem;
use crate::tls::read_at_most;

/// A file with a token is smaller than this, in bytes.
pub(super) const MAX_TOKEN_FILE: u64 = 16 << 10;
/// How long tokens of the development issuer are valid.
const DEVELOPMENT_LIFE: Duration = Duration::from_secs(3600);

/// The token that a service shows to its neighbours.
#[derive(Clone, Debug)]
pub struct Credentials(Arc<Source>);

#[derive(Debug)]
enum Source {
    Development {
        service: &'static str,
        clock: Arc<dyn Clock>,
        /// The last one, and from when until when it is shown.
        issued: Mutex<Option<(String, Range<DateTime<Utc>>)>>,
    },
    File(PathBuf),
    Nothing,
}

impl Credentials {
    /// The credentials of `service`: from the configured file, or of the development issuer where
    /// the settings take its tokens. In production there is no other way than the file, and
    /// [`AuthConfig::check_neighbour`] asks for it.
    pub fn new(config: &AuthConfig, service: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(match &config.service_token_file {
            Some(file) => Source::File(file.clone()),
            None if config.development && !config.production => Source::Development {
                service,
                clock,
                issued: Mutex::default(),
            },
            None => Source::Nothing,
        }))
    }

    /// The value of the `authorization` header.
    ///
    /// # Errors
    /// UNAVAILABLE when there is no token, or the file cannot be read.
    pub fn bearer(&self) -> Result<String, Problem> {
        let unavailable = || Problem::new(ErrorReason::Unavailable);
        let token = match &*self.0 {
            Source::File(file) => {
                let bytes =
                    read_at_most(file, MAX_TOKEN_FILE).map_err(|err| unavailable().source(err))?;
                String::from_utf8(bytes)
                    .map_err(|_| unavailable().source("auth.service_token_file: not a token"))?
            }
            Source::Nothing => {
                return Err(unavailable().source("auth.service_token_file: not set"));
            }
            Source::Development {
                service,
                clock,
                issued,
            } => {
                let mut issued = issued.lock().unwrap_or_else(PoisonError::into_inner);
                let now = clock.now();
                match &*issued {
                    Some((token, shown)) if shown.contains(&now) => token.clone(),
                    _ => {
                        let token = Issuer::development().token(
                            service,
                            &[Role::Service],
                            &OrgPath::root(),
                            None,
                            now,
                            DEVELOPMENT_LIFE,
                        );
                        *issued = Some((token.clone(), now..now + DEVELOPMENT_LIFE / 2));
                        token
                    }
                }
            }
        };
        Ok(format!("Bearer {}", token.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};

    fn credentials(config: &AuthConfig) -> Credentials {
        Credentials::new(config, "sampling", Arc::new(SystemClock))
    }

    #[test]
    fn nothing_is_made_up_where_no_token_was_given() {
        let production = AuthConfig {
            production: true,
            ..AuthConfig::development()
        };
        for config in [production, AuthConfig::default()] {
            let problem = credentials(&config).bearer().unwrap_err();
            assert_eq!(problem.reason(), ErrorReason::Unavailable);
        }
        let made = credentials(&AuthConfig::development()).bearer().unwrap();
        assert!(made.starts_with("Bearer ey"));
    }

    #[test]
    fn a_token_of_a_clock_that_was_put_back_is_not_shown() {
        let clock = ManualClock::morning_of("2022-04-07".parse().unwrap());
        let config = AuthConfig::development();
        let credentials = Credentials::new(&config, "sampling", Arc::new(clock.clone()));
        let first = credentials.bearer().unwrap();
        clock.advance(chrono::Duration::hours(1));
        assert_ne!(credentials.bearer().unwrap(), first);
        clock.advance(chrono::Duration::hours(-1));
        assert_eq!(credentials.bearer().unwrap(), first, "made anew");
    }

    #[test]
    fn a_renewed_token_is_shown_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let config = AuthConfig {
            service_token_file: Some(file.clone()),
            ..AuthConfig::default()
        };
        let credentials = credentials(&config);
        assert!(credentials.bearer().is_err(), "there is no file");
        for token in ["first", "second"] {
            std::fs::write(&file, format!("{token}\n")).unwrap();
            assert_eq!(credentials.bearer().unwrap(), format!("Bearer {token}"));
        }
    }
}
