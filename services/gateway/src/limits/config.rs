//! The settings of limits.

use std::collections::HashMap;
use std::time::Duration;

use kit::auth::{Quota, Role};
use serde::Deserialize;

/// How much a caller may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// So many calls a second for as long as one likes, at least 1.
    pub rate: u32,
    /// So many at once after a quiet time, at least 1.
    pub burst: u32,
}

impl From<Quota> for Limit {
    fn from(Quota { rate, burst }: Quota) -> Self {
        Self { rate, burst }
    }
}

impl Limit {
    /// The time that one call takes up.
    pub(super) fn every(self) -> Duration {
        Duration::from_secs(1) / self.rate.max(1)
    }

    /// The time that a burst takes up.
    pub(super) fn room(self) -> Duration {
        self.every() * self.burst.max(1)
    }
}

/// The limit of some methods, besides that of all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodLimit {
    /// The path of a method, such as `/campus.roster.v1.StudentService/LookUpStudent`, or the beginning of
    /// several with a `*` at its end.
    pub method: String,
    /// So many calls a second.
    pub rate: u32,
    /// So many at once.
    pub burst: u32,
}

/// How much callers may ask for, each by itself. Each replica of the gateway counts alone: whoever spreads calls
/// over several may ask for as many times more.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Whoever has no role, or one that has none of those below.
    #[serde(default = "default_limit")]
    pub all: Limit,
    /// By role; whoever has several has the most generous.
    #[serde(default = "default_roles")]
    pub roles: HashMap<String, Limit>,
    /// Of methods that are worth guarding by themselves; the first that fits counts. In the order of
    /// the list, so the particular stands before the general.
    #[serde(default = "default_methods")]
    pub methods: Vec<MethodLimit>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            all: default_limit(),
            roles: default_roles(),
            methods: default_methods(),
        }
    }
}

/// A person before a screen, who opens a page that asks for much at once.
fn default_limit() -> Limit {
    Limit {
        rate: 20,
        burst: 200,
    }
}

/// Who asks for less or for more than a person before a screen.
fn default_roles() -> HashMap<String, Limit> {
    let limits = [
        // A family looks after a few children.
        (Role::Guardian, 2, 40),
        (Role::Student, 2, 40),
        // The terminal of a gate, and the check of one class group, pupil by pupil.
        (Role::Guard, 20, 200),
        (Role::ClassReporter, 10, 200),
        // A device that was without a network sends what it scanned.
        (Role::Sampler, 20, 400),
        // Desks that go through a district or the city, and the report about every access.
        (Role::DistrictOfficer, 50, 500),
        (Role::CityOfficer, 50, 500),
        (Role::DiseaseControl, 50, 500),
        (Role::AuditAdmin, 100, 2_000),
        // Systems that call for many people.
        (Role::Laboratory, 100, 1_000),
        (Role::PartnerSystem, 100, 1_000),
    ];
    let limit = |(role, rate, burst): (Role, u32, u32)| (role.to_string(), Limit { rate, burst });
    limits.into_iter().map(limit).collect()
}

/// Methods that turn a number or a name into a person, or say something of whoever is named: nobody needs
/// them by the thousand, and whoever goes through invented names is slowed after some tens.
fn default_methods() -> Vec<MethodLimit> {
    let guarded = [
        ("/campus.roster.v1.StudentService/LookUpStudent", 1, 50),
        (
            "/campus.roster.v1.GuardianService/RevealGuardianPhone",
            1,
            50,
        ),
        ("/campus.safety.v1.VisitorService/RevealVisitor", 1, 50),
        // Five people a second pass a gate at most, and one that resolves each code has one every half a
        // second.
        ("/campus.safety.v1.GateService/CheckEntry", 5, 50),
        ("/campus.safety.v1.GateService/ResolvePersonCode", 2, 50),
        // A batch has a thousand people.
        ("/campus.safety.v1.GateService/RecordBatch", 1, 20),
    ];
    let guarded = guarded.map(|(method, rate, burst)| MethodLimit {
        method: method.to_owned(),
        rate,
        burst,
    });
    guarded.into()
}

impl LimitsConfig {
    /// As good as none: for measurements, the demonstration and tests, in which one caller stands for many.
    pub fn wide() -> Self {
        Self {
            all: Limit {
                rate: 100_000,
                burst: 1_000_000,
            },
            roles: HashMap::new(),
            methods: Vec::new(),
        }
    }

    /// Checks the settings; the error names the key.
    ///
    /// # Errors
    /// When a limit lets nothing pass, or a role or a form of a method is not known.
    pub fn check(&self) -> Result<(), String> {
        let closed = |limit: Limit| limit.rate == 0 || limit.burst == 0;
        if closed(self.all) {
            return Err("limits.all: rate and burst are at least 1".to_owned());
        }
        for (role, limit) in &self.roles {
            if role.parse::<Role>().is_err() {
                return Err(format!("limits.roles.{role}: not a role"));
            }
            if closed(*limit) {
                return Err(format!(
                    "limits.roles.{role}: rate and burst are at least 1"
                ));
            }
        }
        for MethodLimit {
            method,
            rate,
            burst,
        } in &self.methods
        {
            let limit = Limit {
                rate: *rate,
                burst: *burst,
            };
            if !method.starts_with('/') || closed(limit) {
                return Err(format!(
                    "limits.methods: {method} is not a path with a rate and a burst of at least 1"
                ));
            }
        }
        Ok(())
    }
}
