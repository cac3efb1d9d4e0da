//! The settings of limits.

use std::collections::HashMap;
use std::time::Duration;

use kit::auth::Role;
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

/// How much callers may ask for, each by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Whoever has no role of those below.
    #[serde(default = "default_limit")]
    pub all: Limit,
    /// By role; whoever has several has the most generous.
    #[serde(default)]
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
            roles: HashMap::new(),
            methods: default_methods(),
        }
    }
}

fn default_limit() -> Limit {
    Limit {
        rate: 5_000,
        burst: 20_000,
    }
}

/// Methods that turn a number or a name into a person: nobody needs them by the thousand.
fn default_methods() -> Vec<MethodLimit> {
    let guarded = [
        ("/campus.roster.v1.StudentService/LookUpStudent", 1, 50),
        (
            "/campus.roster.v1.GuardianService/RevealGuardianPhone",
            1,
            50,
        ),
        ("/campus.safety.v1.VisitorService/RevealVisitor", 1, 50),
        // A gate that resolves each code has one every half a second.
        ("/campus.safety.v1.GateService/ResolvePersonCode", 2, 100),
    ];
    let guarded = guarded.map(|(method, rate, burst)| MethodLimit {
        method: method.to_owned(),
        rate,
        burst,
    });
    guarded.into()
}

impl LimitsConfig {
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
