//! What ends by itself unless somebody renews it: certificates, and the token that is shown to neighbours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tls::Tls;
use crate::auth::{AuthConfig, ClientCertificate};
use crate::clock::Clock;
use crate::drain::Drain;
use crate::telemetry::figures::{self, Figure, Name};
use crate::tls::{chain, read_at_most};

const CERTIFICATE: Name = Name::seconds(
    "campus.certificate.ends",
    "For how long the certificate, with those above it, is still good; negative once it has ended",
);
const TOKEN: Name = Name::seconds(
    "campus.token.ends",
    "For how long the token that is shown to neighbours is still good; negative once it has ended",
);
/// A file with a token is smaller than this, in bytes.
const MAX_TOKEN_FILE: u64 = 16 << 10;

/// The files of which it is told when what is in them ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    certificate: Option<PathBuf>,
    token: Option<PathBuf>,
}

/// A file, when what is in it ends, and the figure for it.
struct Told {
    file: PathBuf,
    ends: fn(&Path) -> Option<i64>,
    figure: Figure,
}

impl Ending {
    /// What is shown to neighbours as the settings say.
    pub(super) fn of(auth: &AuthConfig) -> Self {
        let tls = auth.client_tls.as_ref();
        Self {
            certificate: tls.and_then(|tls| tls.certificate.clone()),
            token: auth.service_token_file.clone(),
        }
    }

    /// Tells for how long it is good, until the drain, and the same of the certificate of the server.
    pub(super) fn tell(
        self,
        service: &'static str,
        server: Option<&Tls>,
        clock: Arc<dyn Clock>,
        drain: Drain,
    ) {
        let labels = |certificate| [("service", service), ("certificate", certificate)];
        if let Some(tls) = server {
            let (tls, clock) = (tls.clone(), clock.clone());
            CERTIFICATE.read(labels("server"), move || {
                tls.ends()
                    .map(|ends| (ends - clock.now().timestamp()) as f64)
            });
        }
        let certificate = self.certificate.map(|file| Told {
            file,
            ends: certificate_ends,
            figure: CERTIFICATE.kept(labels("client")),
        });
        let token = self.token.map(|file| Told {
            file,
            ends: token_ends,
            figure: TOKEN.kept([("service", service)]),
        });
        let told: Arc<[Told]> = certificate.into_iter().chain(token).collect();
        if told.is_empty() {
            return;
        }
        tokio::spawn(figures::keep(drain, move || {
            let (told, now) = (told.clone(), clock.now().timestamp());
            tokio::task::spawn_blocking(move || {
                for one in told.iter() {
                    if let Some(ends) = (one.ends)(&one.file) {
                        one.figure.set((ends - now) as f64);
                    }
                }
            })
        }));
    }
}

/// When the first certificate of a chain ends, in seconds since 1970; none where the file has no chain.
fn certificate_ends(file: &Path) -> Option<i64> {
    ClientCertificate::first_end(&chain(file).ok()?)
}

/// When the token in a file ends, in seconds since 1970; none where it does not say.
fn token_ends(file: &Path) -> Option<i64> {
    let token = read_at_most(file, MAX_TOKEN_FILE).ok()?;
    let claims = std::str::from_utf8(&token).ok()?.trim().split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_i64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};

    use super::super::tls::pki::{Authority, write};
    use super::*;
    use crate::auth::{Issuer, Role};
    use crate::org::OrgPath;

    #[test]
    fn a_token_tells_when_it_ends_and_what_is_none_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2022-04-06T00:00:00Z".parse().unwrap();
        let (root, life) = (OrgPath::root(), Duration::from_secs(600));
        let token = Issuer::development().token("x", &[Role::Service], &root, None, now, life);
        let file = write(folder.path(), "token", &format!("{token}\n"));
        assert_eq!(token_ends(&file), Some(now.timestamp() + 600));
        for other in ["", "opaque", "a.b.c", "a.e30.c"] {
            let file = write(folder.path(), "token", other);
            assert_eq!(token_ends(&file), None, "{other}");
        }
        assert_eq!(token_ends(&folder.path().join("none")), None);
    }

    #[test]
    fn a_chain_ends_with_the_first_of_its_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("schools");
        let (long, short) = (authority.client("sampling"), authority.expired("between"));
        let together = format!("{}{}", long.certificate, short.certificate);
        let file = write(folder.path(), "chain.crt", &together);
        let over: DateTime<Utc> = "2021-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(certificate_ends(&file), Some(over.timestamp()));
        let file = write(folder.path(), "chain.crt", "no certificate");
        assert_eq!(certificate_ends(&file), None);
    }
}
