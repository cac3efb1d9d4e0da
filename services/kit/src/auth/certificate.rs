//! The certificates that systems show when they connect.

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The attribute type of a common name.
const COMMON_NAME: &str = "2.5.4.3";

/// A client's certificate, as the handshake verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the whole certificate, as `cnf.x5t#S256` of a token binds to it (RFC 8705).
    pub thumbprint: [u8; 32],
    /// Whom it names: `uri:…` and `dns:…` of its alternative names; `cn:…` where it has neither.
    pub names: Vec<String>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
}

impl ClientCertificate {
    /// Reads a certificate; none where it is malformed.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let alternatives = body.get_extension::<SubjectAltName>().ok()?;
        let mut names: Vec<String> = alternatives
            .map(|(_, found)| found.0)
            .unwrap_or_default()
            .iter()
            .filter_map(|name| match name {
                GeneralName::UniformResourceIdentifier(uri) => Some(format!("uri:{uri}")),
                GeneralName::DnsName(dns) => {
                    Some(format!("dns:{}", dns.as_str().to_ascii_lowercase()))
                }
                _ => None,
            })
            .collect();
        if names.is_empty() {
            names.extend(common_names(&certificate));
        }
        let seconds = |time: &x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        let validity = body.validity();
        Some(Self {
            thumbprint: Sha256::digest(der).into(),
            names,
            not_before: seconds(&validity.not_before),
            not_after: seconds(&validity.not_after),
        })
    }

    /// When the first of these certificates ends, in seconds since 1970; none where none can be read.
    pub(crate) fn first_end(chain: &[CertificateDer<'_>]) -> Option<i64> {
        let ends = chain.iter().filter_map(|one| Self::read(one));
        ends.map(|read| read.not_after).min()
    }
}

fn common_names(certificate: &Certificate) -> Vec<String> {
    let subject = certificate.tbs_certificate().subject().as_ref();
    subject
        .iter()
        .flat_map(|name| name.iter())
        .filter(|attribute| attribute.oid.to_string() == COMMON_NAME)
        .filter(|attribute| {
            let text = [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];
            text.contains(&attribute.value.tag())
        })
        .filter_map(|attribute| std::str::from_utf8(attribute.value.value()).ok())
        .map(|name| format!("cn:{name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn read(common_name: &str, names: Vec<SanType>) -> ClientCertificate {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.subject_alt_names = names;
        params.not_before = rcgen::date_time_ymd(2022, 1, 1);
        params.not_after = rcgen::date_time_ymd(2022, 7, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        ClientCertificate::read(certificate.der()).unwrap()
    }

    #[test]
    fn alternative_names_stand_in_place_of_the_common_name() {
        let uri = SanType::URI("spiffe://health.example/ns/x".try_into().unwrap());
        let dns = SanType::DnsName("Health.Example".try_into().unwrap());
        let named = read("卫健委", vec![uri, dns]);
        let names = ["uri:spiffe://health.example/ns/x", "dns:health.example"];
        assert_eq!(named.names, names);
        assert_eq!(read("卫健委", Vec::new()).names, ["cn:卫健委"]);
        let mail = SanType::Rfc822Name("a@health.example".try_into().unwrap());
        assert_eq!(read("lab", vec![mail]).names, ["cn:lab"]);
    }

    #[test]
    fn a_certificate_tells_when_it_is_valid() {
        let read = read("lab", Vec::new());
        let seconds = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!(read.not_before, seconds("2022-01-01T00:00:00Z").timestamp());
        assert_eq!(read.not_after, seconds("2022-07-01T00:00:00Z").timestamp());
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert_eq!(
            ClientCertificate::read(&vec![0x30, 0x03, 1, 1, 0].into()),
            None
        );
    }
}
