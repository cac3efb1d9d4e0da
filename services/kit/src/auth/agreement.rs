//! What was agreed with another system: who it is, which methods it may call, what it is told, how often it
//! may ask, and until when.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use proto::error::ErrorReason;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::contracts::ANSWERS;
use super::mask::Mask;
use super::{Caller, Department, Role};
use crate::org::OrgPath;
use crate::status::Problem;

/// How long the subject of a partner may be, in bytes.
const MAX_SUBJECT: usize = 128;
/// What stands for every method of a service.
const EVERY: &str = "*";

/// The agreement with another system that is known by its certificate. By default it is over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerConfig {
    /// Whom its certificates name: `uri:…` or `dns:…` of the alternative names, or `cn:…` of a
    /// certificate that has neither.
    pub certificate: String,
    /// Who it is: the subject of its calls.
    pub subject: String,
    /// What it is: partner-system, laboratory or disease-control. No token over its connection has
    /// another role.
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
    /// The methods that it may call, such as `campus.sampling.v1.TubeService/GetTube`, or
    /// `campus.sampling.v1.TubeService/*` for every method of a service; at least one in production.
    /// Elsewhere an empty list stands for whatever the role permits.
    #[serde(default)]
    pub methods: Vec<String>,
    /// What it is told, for each method whose whole answer is not agreed: paths such as `tubes.name`.
    /// Everything else is taken out of the answers.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<String>>,
    /// How many calls a second all of its connections and tokens may make together, at least 1; what the
    /// limit of its role says when unset.
    #[serde(default)]
    pub rate: Option<u32>,
    /// How many at once after a quiet time, at least 1; set where `rate` is.
    #[serde(default)]
    pub burst: Option<u32>,
    /// When the agreement ends.
    pub expires: DateTime<Utc>,
}

/// How much a partner may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// So many calls a second for as long as it likes.
    pub rate: u32,
    /// So many at once after a quiet time.
    pub burst: u32,
}

/// An agreement that was read.
#[derive(Clone, Debug)]
pub struct Agreement {
    pub(super) caller: Caller,
    /// When it ends, in seconds since 1970.
    pub(super) expires: i64,
    /// Tells these terms from all others, within one process.
    pub(super) print: [u8; 32],
    /// The paths of what it gives; whatever the role permits when none.
    methods: Option<HashSet<String>>,
    /// What of the answers passes, by the paths of methods.
    masks: HashMap<String, Arc<Mask>>,
    quota: Option<Quota>,
}

impl Agreement {
    /// Reads an agreement; the error begins with the key.
    pub(super) fn new(config: &PartnerConfig, production: bool) -> Result<Self, String> {
        let caller = caller(config)?;
        let methods = methods(config)?;
        if methods.is_none() && production {
            return Err("methods: at least one is needed where auth.production is set".to_owned());
        }
        let mut masks = HashMap::new();
        for (method, paths) in &config.fields {
            let at = |fault: &str| format!("fields.{method}: {fault}");
            let path = format!("/{method}");
            let answer = ANSWERS.get(&path);
            let answer = answer.ok_or_else(|| at("not a method of the contracts"))?;
            if methods.as_ref().is_some_and(|given| !given.contains(&path)) {
                return Err(at("not among the methods"));
            }
            let mask = Mask::new(answer, paths).map_err(|fault| at(&fault))?;
            masks.insert(path, Arc::new(mask));
        }
        let terms = PartnerConfig {
            certificate: String::new(),
            ..config.clone()
        };
        Ok(Self {
            caller,
            expires: config.expires.timestamp(),
            print: Sha256::digest(format!("{terms:?}")).into(),
            methods,
            masks,
            quota: quota(config)?,
        })
    }

    /// What is left of a caller who comes over a connection of the partner: no other role, laboratory or
    /// department than the agreed ones, and no more of the tree.
    ///
    /// # Errors
    /// SCOPE_DENIED when nothing is left, or the caller is of another laboratory.
    pub(super) fn leaves(&self, caller: &Caller) -> Result<Caller, Problem> {
        let agreed = &self.caller;
        let mut left = caller.clone();
        left.roles.retain(|role| agreed.roles.contains(role));
        if left.roles.is_empty() {
            return Err(beyond());
        }
        // Without its laboratory, a caller might speak for any.
        if left.laboratory.is_some() && left.laboratory != agreed.laboratory {
            return Err(beyond());
        }
        left.laboratory.clone_from(&agreed.laboratory);
        if !agreed.scope.contains(&left.scope) {
            if !left.scope.contains(&agreed.scope) {
                return Err(beyond());
            }
            left.scope = agreed.scope.clone();
        }
        let department = agreed.department;
        left.department = left.department.filter(|own| Some(*own) == department);
        left.partner.clone_from(&agreed.partner);
        Ok(left)
    }

    /// Checks that the method at `path` is agreed.
    ///
    /// # Errors
    /// SCOPE_DENIED when it is not.
    pub(crate) fn gives(&self, path: &str) -> Result<(), Problem> {
        match &self.methods {
            Some(methods) if !methods.contains(path) => Err(beyond()),
            _ => Ok(()),
        }
    }

    /// What passes of the answers of the method at `path`; all of them when none.
    pub(crate) fn mask(&self, path: &str) -> Option<&Arc<Mask>> {
        self.masks.get(path)
    }

    /// How much all connections and tokens of the partner may ask for together; none where nothing was agreed.
    pub fn quota(&self) -> Option<Quota> {
        self.quota
    }
}

/// What is asked for is more than was agreed with the partner.
fn beyond() -> Problem {
    Problem::new(ErrorReason::ScopeDenied).meta("permission", "partner")
}

/// Who calls by the certificate alone.
fn caller(config: &PartnerConfig) -> Result<Caller, String> {
    let at = |key: &str, fault: &str| format!("{key}: {fault}");
    if config.subject.is_empty() || config.subject.len() > MAX_SUBJECT {
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
    Ok(Caller {
        laboratory: config.laboratory.clone(),
        department,
        partner: Some(config.subject.clone()),
        ..Caller::new(&config.subject, vec![role], scope)
    })
}

/// The paths of the methods that are named; none where no name is.
fn methods(config: &PartnerConfig) -> Result<Option<HashSet<String>>, String> {
    let mut methods = HashSet::new();
    for (place, name) in config.methods.iter().enumerate() {
        let path = format!("/{name}");
        let known = methods.len();
        match path.strip_suffix(EVERY) {
            Some(service) if service.len() > 1 && service.ends_with('/') => {
                let found = ANSWERS.keys().filter(|path| path.starts_with(service));
                methods.extend(found.cloned());
            }
            _ => methods.extend(ANSWERS.contains_key(&path).then_some(path)),
        }
        if methods.len() == known {
            return Err(format!(
                "methods[{place}]: {name} is no method of the contracts, or stands twice"
            ));
        }
    }
    Ok((!methods.is_empty()).then_some(methods))
}

fn quota(config: &PartnerConfig) -> Result<Option<Quota>, String> {
    match (config.rate, config.burst) {
        (None, None) => Ok(None),
        (Some(rate @ 1..), Some(burst @ 1..)) => Ok(Some(Quota { rate, burst })),
        _ => Err("rate: set with burst, each at least 1".to_owned()),
    }
}
