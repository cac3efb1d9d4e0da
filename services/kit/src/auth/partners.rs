//! Systems that are known by their certificates.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::certificate::ClientCertificate;
use super::{Caller, Department, Role};
use crate::org::OrgPath;

/// What another system is by its certificate alone: the agreement with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerConfig {
    /// Whom its certificates name: `uri:…` or `dns:…` of the alternative names, or `cn:…` of a
    /// certificate that has neither.
    pub certificate: String,
    /// Who it is: the subject of its calls.
    pub subject: String,
    /// What it is: partner-system, laboratory or disease-control.
    pub role: String,
    /// The part of the tree it is for, such as `fz/350102`; empty for all of it.
    #[serde(default)]
    pub scope: String,
    /// For a laboratory, its code.
    #[serde(default)]
    pub laboratory: Option<String>,
    /// For a partner-system that acknowledges incidents or signs inspections, the department of the
    /// government that it speaks for: government, police, fire, health or market-regulation.
    #[serde(default)]
    pub department: Option<String>,
    /// When the agreement ends.
    pub expires: DateTime<Utc>,
}

/// The partners by the names of their certificates.
#[derive(Clone, Debug, Default)]
pub(super) struct Partners(HashMap<String, Partner>);

/// One agreement.
#[derive(Clone, Debug)]
pub(super) struct Partner {
    pub(super) caller: Caller,
    /// When it ends, in seconds since 1970.
    pub(super) expires: i64,
}

impl Partners {
    /// Reads agreements; the error begins with the key.
    pub(super) fn new(configs: &[PartnerConfig]) -> Result<Self, String> {
        let mut partners = HashMap::new();
        for (place, config) in configs.iter().enumerate() {
            let at = |key: &str, fault: &str| format!("auth.partners[{place}].{key}: {fault}");
            let name = config.certificate.split_once(':');
            let known = name.is_some_and(|(kind, name)| {
                matches!(kind, "uri" | "dns" | "cn") && !name.is_empty()
            });
            if !known {
                return Err(at("certificate", "uri:…, dns:… or cn:…"));
            }
            if config.subject.is_empty() || config.subject.len() > 128 {
                return Err(at("subject", "1 to 128 bytes"));
            }
            let role: Option<Role> = config.role.parse().ok();
            let systems = [Role::PartnerSystem, Role::Laboratory, Role::DiseaseControl];
            let role = role
                .filter(|role| systems.contains(role))
                .ok_or_else(|| at("role", "partner-system, laboratory or disease-control"))?;
            if (role == Role::Laboratory) != config.laboratory.is_some() {
                return Err(at(
                    "laboratory",
                    "a laboratory has a code, others have none",
                ));
            }
            let department: Option<Department> = match &config.department {
                None => None,
                Some(name) => {
                    let known = name.parse().ok().filter(|_| role == Role::PartnerSystem);
                    Some(known.ok_or_else(|| {
                        at(
                            "department",
                            "of a partner-system: government, police, fire, health or market-regulation",
                        )
                    })?)
                }
            };
            let scope: OrgPath = if config.scope.is_empty() {
                OrgPath::root()
            } else {
                let scope = config.scope.parse();
                scope.map_err(|_| at("scope", "codes from the top joined by /"))?
            };
            let caller = Caller {
                laboratory: config.laboratory.clone(),
                department,
                partner: Some(config.subject.clone()),
                ..Caller::new(&config.subject, vec![role], scope)
            };
            let expires = config.expires.timestamp();
            let key = match name {
                Some(("dns", name)) => format!("dns:{}", name.to_ascii_lowercase()),
                _ => config.certificate.clone(),
            };
            let partner = Partner { caller, expires };
            if partners.insert(key, partner).is_some() {
                return Err(at("certificate", "two partners have the same"));
            }
        }
        Ok(Self(partners))
    }

    /// The partner whose certificate this is. One that names two of them is nobody's.
    pub(super) fn find(&self, certificate: &ClientCertificate) -> Option<&Partner> {
        let mut found = certificate.names.iter().filter_map(|name| self.0.get(name));
        let partner = found.next()?;
        found
            .all(|other| other.caller.subject == partner.caller.subject)
            .then_some(partner)
    }
}
