//! Whom an encrypted connection trusts: the public authorities, and those of the settings.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ChannelConfig;

/// The certificates of the settings.
pub(super) fn authorities(config: &ChannelConfig) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(file) = &config.ca_file else {
        return Ok(Vec::new());
    };
    let unusable = || format!("ca_file: no certificates in {}", file.display());
    let found = CertificateDer::pem_file_iter(file).map_err(|_| unusable())?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|_| unusable())?;
    if found.is_empty() {
        return Err(unusable());
    }
    Ok(found)
}

/// TLS 1.2 and 1.3 by ring.
pub(super) fn client(config: &ChannelConfig) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for authority in authorities(config)? {
        let added = roots.add(authority);
        added.map_err(|_| "ca_file: a certificate that is none of an authority".to_owned())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|err| format!("ca_file: {err}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
