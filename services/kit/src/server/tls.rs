//! The server's side of encryption: certificates that are read again while calls go on.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;

use crate::auth::ClientCertificate;
use crate::drain::Drain;
use crate::tls::{HTTP1, HTTP2, authorities, chain, private_key, provider};
use crate::watched::{LOOK_EVERY, Watched};

/// A certificate chain, a key or a set of authorities is smaller than this, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// How a server encrypts. The files are read again within a second after they change; connections
/// that are open stay open.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The server's certificate chain, PEM, its own first.
    pub certificate: PathBuf,
    /// The key of that certificate, PEM.
    pub key: PathBuf,
    /// The authorities that certificates of clients are from, PEM. Without it none is asked for.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Refuses connections without a client's certificate. Otherwise people connect without one and
    /// show a token.
    #[serde(default)]
    pub client_required: bool,
}

impl TlsConfig {
    /// Checks the files; the error begins with the key.
    ///
    /// # Errors
    /// When a file cannot be used, or the key is not that of the certificate.
    pub fn check(&self) -> Result<(), String> {
        if self.client_required && self.client_ca.is_none() {
            return Err("server.tls.client_ca: needed where client_required is set".to_owned());
        }
        self.load().map(drop)
    }

    /// What the files hold, and when the first of the certificates ends.
    fn load(&self) -> Result<(ServerConfig, Option<i64>), String> {
        let chain =
            chain(&self.certificate).map_err(|err| format!("server.tls.certificate: {err}"))?;
        let key = private_key(&self.key).map_err(|err| format!("server.tls.key: {err}"))?;
        let ends = ClientCertificate::first_end(&chain);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|err| format!("server.tls: {err}"))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let unusable = |err: String| format!("server.tls.client_ca: {err}");
                let roots = Arc::new(authorities(file).map_err(unusable)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                let verifier = if self.client_required {
                    verifier
                } else {
                    verifier.allow_unauthenticated()
                };
                let verifier = verifier.build().map_err(|err| unusable(err.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|err| format!("server.tls.key: not of this certificate: {err}"))?;
        config.alpn_protocols = vec![HTTP2.to_vec()];
        Ok((config, ends))
    }
}

/// What new connections are encrypted with. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    config: TlsConfig,
    current: Arc<RwLock<Current>>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// When the first of its certificates ends, in seconds since 1970.
    ends: Option<i64>,
    /// Whether connections may speak HTTP/1.1, too.
    http1: bool,
}

impl Current {
    fn put(&mut self, mut config: ServerConfig) {
        if self.http1 {
            config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        }
        self.config = Arc::new(config);
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used; the text begins with the key.
    pub(super) fn new(config: &TlsConfig) -> Result<Self, String> {
        let (read, ends) = config.load()?;
        let current = Current {
            config: Arc::new(read),
            ends,
            http1: false,
        };
        Ok(Self {
            config: config.clone(),
            current: Arc::new(RwLock::new(current)),
        })
    }

    /// Lets connections speak HTTP/1.1, too, whatever is read later.
    pub(super) fn with_http1(self) -> Self {
        let mut current = self.write();
        current.http1 = true;
        let read = ServerConfig::clone(&current.config);
        current.put(read);
        drop(current);
        self
    }

    fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.config.clone()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the first of the certificates that are shown ends, in seconds since 1970; none where it does not say.
    pub(super) fn ends(&self) -> Option<i64> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.ends
    }

    /// Encrypts the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current())
    }

    /// Looks at the files until the drain. A certificate may be there before its key is: what was
    /// read last stays in use until all fit together.
    pub(super) async fn keep(self, drain: Drain) {
        let TlsConfig {
            certificate,
            key,
            client_ca,
            ..
        } = &self.config;
        let files = [Some(certificate), Some(key), client_ca.as_ref()];
        let mut files: Vec<Watched> = files
            .into_iter()
            .flatten()
            .map(|file| Watched::new(file, MAX_FILE))
            .collect();
        let mut wanted = false;
        while !drain.is_draining() {
            let tls = self.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let wanted = tls.look(&mut files, wanted);
                (files, wanted)
            });
            let Ok(looked) = looked.await else { return };
            (files, wanted) = looked;
            drain.sleep(LOOK_EVERY).await;
        }
    }

    /// Reads the files where one changed, or where they did not fit last time; says whether they
    /// still do not.
    fn look(&self, files: &mut [Watched], mut wanted: bool) -> bool {
        for file in &mut *files {
            wanted |= !matches!(file.changed(), Ok(None));
        }
        if !wanted {
            return false;
        }
        match self.config.load() {
            Ok((config, ends)) => {
                let mut current = self.write();
                current.put(config);
                current.ends = ends;
                drop(current);
                files.iter_mut().for_each(Watched::used);
                false
            }
            Err(err) => {
                if let Some(file) = files.first_mut() {
                    file.complain("server.tls", &err);
                }
                true
            }
        }
    }
}

#[cfg(test)]
#[path = "../../tests/pki/mod.rs"]
pub(super) mod pki;

#[cfg(test)]
mod tests {
    use super::pki::Authority;
    use super::*;

    #[test]
    fn http_1_1_is_still_spoken_when_certificates_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("schools");
        let (certificate, key) = authority.server().write(folder.path(), "server");
        let config = TlsConfig {
            certificate: certificate.clone(),
            key,
            client_ca: None,
            client_required: false,
        };
        let tls = Tls::new(&config).unwrap();
        // Whoever looks at the files did so before it was known what is spoken.
        let looking = tls.clone();
        let tls = tls.with_http1();
        let spoken = || tls.current().alpn_protocols.clone();
        assert_eq!(spoken(), [HTTP2, HTTP1]);
        let before = tls.current();
        authority.server().write(folder.path(), "server");
        assert!(!looking.look(&mut [Watched::new(&certificate, MAX_FILE)], false));
        assert!(!Arc::ptr_eq(&before, &tls.current()), "it was read again");
        assert_eq!(spoken(), [HTTP2, HTTP1]);
    }

    #[test]
    fn it_is_known_when_what_is_shown_ends_and_a_renewed_certificate_moves_that() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("schools");
        let (certificate, key) = authority.expired("server").write(folder.path(), "server");
        let config = TlsConfig {
            certificate: certificate.clone(),
            key,
            client_ca: None,
            client_required: false,
        };
        let tls = Tls::new(&config).unwrap();
        // The first of January 2021.
        assert_eq!(tls.ends(), Some(1_609_459_200));
        authority.server().write(folder.path(), "server");
        assert!(!tls.look(&mut [Watched::new(&certificate, MAX_FILE)], false));
        assert!(tls.ends() > Some(1_609_459_200));
    }
}
