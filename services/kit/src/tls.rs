//! Encryption between systems: TLS 1.3 by rustls and ring, from files that are read again.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate chain, a key or a set of authorities is smaller than this, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The only protocol that is spoken inside.
pub(crate) const HTTP2: &[u8] = b"h2";
/// HTTP/1.1 by the same names.
pub(crate) const HTTP1: &[u8] = b"http/1.1";

/// How this service connects to others where their addresses begin with `https://`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTlsConfig {
    /// The authorities that the others' certificates are from, PEM; the public ones when unset.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The certificate chain that is shown to them, PEM.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// The key of that certificate, PEM.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

impl ClientTlsConfig {
    /// Checks the files; the error begins with the key below `section`.
    ///
    /// # Errors
    /// When a file cannot be used, or a certificate has no key.
    pub fn check(&self, section: &str) -> Result<(), String> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => return Err(format!("{section}.key: needed beside the certificate")),
            (None, Some(_)) => return Err(format!("{section}.certificate: needed beside the key")),
            _ => {}
        }
        self.load()
            .map(drop)
            .map_err(|err| format!("{section}.{err}"))
    }

    fn load(&self) -> Result<ClientConfig, String> {
        let roots = match &self.ca {
            Some(file) => authorities(file).map_err(|err| format!("ca: {err}"))?,
            None => public_authorities(),
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|err| format!("ca: {err}"))?
            .with_root_certificates(roots);
        let mut config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let chain = chain(certificate).map_err(|err| format!("certificate: {err}"))?;
                let key = private_key(key).map_err(|err| format!("key: {err}"))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|err| format!("key: not of this certificate: {err}"))?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![HTTP2.to_vec()];
        Ok(config)
    }
}

/// Connects over TLS. The files are read for each connection, so a renewed certificate is shown
/// from the next one on; while they cannot be used, what was read last is.
#[derive(Clone, Debug)]
pub struct Dialer {
    config: ClientTlsConfig,
    last: Arc<Mutex<Option<Arc<ClientConfig>>>>,
}

impl Dialer {
    /// Connects as `config` says.
    pub fn new(config: ClientTlsConfig) -> Self {
        Self {
            config,
            last: Arc::default(),
        }
    }

    /// Makes a connection to `host` out of one that is open.
    ///
    /// # Errors
    /// When the peer is not the one that it should be, or no usable files were ever read.
    pub async fn secure(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let dialer = self.clone();
        let config = tokio::task::spawn_blocking(move || dialer.current())
            .await
            .map_err(io::Error::other)??;
        let secured = TlsConnector::from(config).connect(name, stream).await;
        // Callers only hear that nobody is there; the operator must hear why.
        secured.inspect_err(
            |err| tracing::warn!(host, error = %err, "whoever answers cannot be trusted"),
        )
    }

    fn current(&self) -> io::Result<Arc<ClientConfig>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match self.config.load() {
            Ok(config) => {
                let config = Arc::new(config);
                *last = Some(config.clone());
                Ok(config)
            }
            Err(err) => {
                tracing::warn!(error = %err, "files of certificates cannot be read, keeping what was read last");
                last.clone().ok_or_else(|| io::Error::other(err))
            }
        }
    }
}

/// The one set of algorithms: ring's.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The authorities that browsers trust.
pub(crate) fn public_authorities() -> RootCertStore {
    RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
}

/// The authorities in a PEM file.
pub(crate) fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for authority in chain(file)? {
        roots
            .add(authority)
            .map_err(|_| format!("{}: not the certificate of an authority", file.display()))?;
    }
    Ok(roots)
}

/// The certificates in a PEM file, at least one.
pub(crate) fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("{}: no certificates in PEM", file.display())),
    }
}

/// The private key in a PEM file.
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = zeroize::Zeroizing::new(read(file)?);
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| format!("{}: no private key in PEM", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    read_at_most(file, MAX_FILE).map_err(|err| format!("{}: {err}", file.display()))
}

/// The whole of a file that has at most `limit` bytes.
pub(crate) fn read_at_most(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("larger than {limit} bytes")));
    }
    Ok(bytes)
}
