//! A certificate authority for the length of a test, and servers that it vouches for.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// Ed25519 (RFC 8410), basicConstraints, subjectAltName and commonName.
const ED25519: [u8; 3] = [0x2b, 0x65, 0x70];
const BASIC: [u8; 3] = [0x55, 0x1d, 0x13];
const ALTERNATIVES: [u8; 3] = [0x55, 0x1d, 0x11];
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// For whom a certificate is good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name {
    /// This machine by its address.
    Loopback,
    /// Somebody by a name.
    Dns(&'static str),
}

/// How long a certificate is good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term {
    /// For the whole century.
    Now,
    /// Until long ago.
    Over,
}

/// A certificate authority.
pub(crate) struct Authority {
    key: SigningKey,
    certificate: Vec<u8>,
}

/// A certificate with its key, in DER.
pub(crate) struct Identity {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = SigningKey::from_bytes(&rand::random());
        let is_authority = der(SEQUENCE, &[&der(0x01, &[&[0xff]])]);
        let basic = extension(&BASIC, true, &is_authority);
        let certificate = sign(&key, &key, (CA, CA), Term::Now, &basic);
        Self { key, certificate }
    }

    /// A server that it vouches for.
    pub(crate) fn vouch(&self, name: Name, term: Term) -> Identity {
        let key = SigningKey::from_bytes(&rand::random());
        let name = match name {
            Name::Loopback => der(0x87, &[&[127, 0, 0, 1]]),
            Name::Dns(name) => der(0x82, &[name.as_bytes()]),
        };
        let names = extension(&ALTERNATIVES, false, &der(SEQUENCE, &[&name]));
        let certificate = sign(&self.key, &key, (CA, "a server"), term, &names);
        let version = der(INTEGER, &[&[0]]);
        let seed = der(OCTETS, &[&der(OCTETS, &[&key.to_bytes()])]);
        Identity {
            certificate,
            key: der(SEQUENCE, &[&version, &algorithm(), &seed]),
        }
    }

    /// Its certificate as a file.
    pub(crate) fn file(&self) -> NamedTempFile {
        file(&[("CERTIFICATE", &self.certificate)])
    }
}

impl Identity {
    /// Takes connections as this server.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate with its key");
        TlsAcceptor::from(Arc::new(config))
    }

    /// Certificate and key as one file.
    pub(crate) fn file(&self) -> NamedTempFile {
        let (certificate, key) = (&self.certificate, &self.key);
        file(&[("CERTIFICATE", certificate), ("PRIVATE KEY", key)])
    }
}

/// The common name of every authority: only their keys tell them apart.
const CA: &str = "an authority";

fn file(parts: &[(&str, &[u8])]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    for (label, bytes) in parts {
        let mut pem = format!("-----BEGIN {label}-----\n");
        // 48 bytes are the 64 characters of a line.
        for part in bytes.chunks(48) {
            pem.push_str(&format!("{}\n", STANDARD.encode(part)));
        }
        pem.push_str(&format!("-----END {label}-----\n"));
        file.write_all(pem.as_bytes()).expect("written");
    }
    file
}

/// A certificate of version 3 (RFC 5280, 4.1).
fn sign(
    by: &SigningKey,
    of: &SigningKey,
    (issuer, subject): (&str, &str),
    term: Term,
    extension: &[u8],
) -> Vec<u8> {
    let (from, until) = match term {
        Term::Now => ("200101000000Z", "491231235959Z"),
        Term::Over => ("000101000000Z", "011231235959Z"),
    };
    let times = [
        der(TIME, &[from.as_bytes()]),
        der(TIME, &[until.as_bytes()]),
    ];
    let key = der(BITS, &[&[0], of.verifying_key().as_bytes()]);
    let told = der(
        SEQUENCE,
        &[
            &der(0xa0, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&[1]]),
            &algorithm(),
            &common_name(issuer),
            &der(SEQUENCE, &[&times[0], &times[1]]),
            &common_name(subject),
            &der(SEQUENCE, &[&algorithm(), &key]),
            &der(0xa3, &[&der(SEQUENCE, &[extension])]),
        ],
    );
    let signature = by.sign(&told).to_bytes();
    let signature = der(BITS, &[&[0], &signature]);
    der(SEQUENCE, &[&told, &algorithm(), &signature])
}

fn algorithm() -> Vec<u8> {
    der(SEQUENCE, &[&der(OID, &[&ED25519])])
}

fn common_name(name: &str) -> Vec<u8> {
    let pair = der(
        SEQUENCE,
        &[&der(OID, &[&COMMON_NAME]), &der(UTF8, &[name.as_bytes()])],
    );
    der(SEQUENCE, &[&der(SET, &[&pair])])
}

fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical {
        der(0x01, &[&[0xff]])
    } else {
        Vec::new()
    };
    der(
        SEQUENCE,
        &[&der(OID, &[id]), &critical, &der(OCTETS, &[value])],
    )
}

/// One value in DER, of parts.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    let mut bytes = vec![tag];
    match length {
        [0, short @ 0..0x80] => bytes.push(short),
        [0, longer] => bytes.extend([0x81, longer]),
        [high, low] => bytes.extend([0x82, high, low]),
    }
    bytes.extend(content);
    bytes
}
