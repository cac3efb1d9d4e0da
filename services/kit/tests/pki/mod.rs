//! Authorities and certificates that live as long as a test.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("an authority").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate of this machine for a server.
    pub(crate) fn server(&self) -> Pair {
        self.sign(CertificateParams::new(["127.0.0.1".to_owned()]).expect("names"))
    }

    /// A certificate of a client that is only called by a common name.
    pub(crate) fn client(&self, name: &str) -> Pair {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        self.sign(params)
    }

    /// The same, long over.
    pub(crate) fn expired(&self, name: &str) -> Pair {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        self.sign(params)
    }

    /// A certificate of a client that is called as an agreement names it: `dns:…`, `uri:…` or `cn:…`.
    pub(crate) fn partner(&self, named: &str) -> Pair {
        let mut params = CertificateParams::default();
        match named.split_once(':') {
            Some(("dns", name)) => {
                let name = SanType::DnsName(name.try_into().expect("a name"));
                params.subject_alt_names.push(name);
            }
            Some(("uri", name)) => {
                let name = SanType::URI(name.try_into().expect("a name"));
                params.subject_alt_names.push(name);
            }
            other => {
                let name = other.map_or(named, |(_, name)| name);
                params.distinguished_name.push(DnType::CommonName, name);
            }
        }
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    pub(crate) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        write(folder, name, &self.pem)
    }
}

impl Pair {
    /// Puts certificate and key into `folder` in place of those that are there, as a secret store
    /// does: each file at once.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = write(folder, &format!("{name}.crt"), &self.certificate);
        (
            certificate,
            write(folder, &format!("{name}.key"), &self.key),
        )
    }
}

/// Puts a file in place of the one that is there, at once.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let fresh = folder.join(format!("{name}.new"));
    std::fs::write(&fresh, text).expect("writes");
    std::fs::rename(&fresh, &path).expect("renames");
    path
}
