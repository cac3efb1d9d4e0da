//! Systems that are known by their certificates, by the agreements with them.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::agreement::{Agreement, PartnerConfig};
use super::certificate::ClientCertificate;

/// A file of agreements is smaller than this, in bytes.
pub(super) const MAX_AGREEMENTS: u64 = 1 << 20;

/// The agreements by the names of certificates.
#[derive(Clone, Debug, Default)]
pub(super) struct Partners(HashMap<String, Arc<Agreement>>);

/// A file of agreements.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    partners: Vec<PartnerConfig>,
}

impl Partners {
    /// Takes agreements; the error begins with the place and the key, as `partners[0].role`.
    pub(super) fn new(configs: &[PartnerConfig], production: bool) -> Result<Self, String> {
        let mut partners = Self::default();
        for (place, config) in configs.iter().enumerate() {
            let at = |fault: String| format!("partners[{place}].{fault}");
            let key = key(&config.certificate).map_err(at)?;
            let agreement = Agreement::new(config, production).map_err(at)?;
            if partners.0.insert(key, Arc::new(agreement)).is_some() {
                return Err(at("certificate: two partners have the same".to_owned()));
            }
        }
        Ok(partners)
    }

    /// Reads a file of agreements: TOML, one `[[partners]]` for each.
    ///
    /// # Errors
    /// Names the line or the key that cannot be used: with a slip in one, none of them counts.
    pub(super) fn read(bytes: &[u8], production: bool) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        let file: File = toml::from_str(text).map_err(|err| {
            let before = err.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            format!("line {line}: {}", err.message())
        })?;
        Self::new(&file.partners, production)
    }

    /// These and `others`.
    ///
    /// # Errors
    /// When a certificate is named by both.
    pub(super) fn and(&self, others: Self) -> Result<Self, String> {
        let mut all = self.clone();
        for (key, agreement) in others.0 {
            if self.0.contains_key(&key) {
                return Err(format!("{key} stands in auth.partners already"));
            }
            all.0.insert(key, agreement);
        }
        Ok(all)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The agreement with whom this certificate names. One that names two is nobody's.
    pub(super) fn find(&self, certificate: &ClientCertificate) -> Option<&Arc<Agreement>> {
        let mut found = certificate.names.iter().filter_map(|name| self.0.get(name));
        let agreement = found.next()?;
        found
            .all(|other| other.print == agreement.print)
            .then_some(agreement)
    }
}

/// By what a certificate is found.
fn key(certificate: &str) -> Result<String, String> {
    match certificate.split_once(':') {
        Some(("dns", name)) if !name.is_empty() => Ok(format!("dns:{}", name.to_ascii_lowercase())),
        Some(("uri" | "cn", name)) if !name.is_empty() => Ok(certificate.to_owned()),
        _ => Err("certificate: uri:…, dns:… or cn:…".to_owned()),
    }
}
