//! What tokens say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::ClaimsConfig;
use super::{Caller, Role};
use crate::org::OrgPath;

/// Methods of `amr` that prove a second factor (RFC 8176).
const SECOND_FACTORS: [&str; 5] = ["otp", "hwk", "swk", "fpt", "mfa"];
/// How long a subject or an id of a token may be, in bytes.
const MAX_NAME: usize = 256;

/// The claims of a token whose signature was verified.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    sub: String,
    pub(super) exp: i64,
    pub(super) iat: Option<i64>,
    pub(super) nbf: Option<i64>,
    pub(super) jti: Option<String>,
    amr: Option<Vec<String>>,
    acr: Option<String>,
    cnf: Option<Map<String, Value>>,
    act: Option<Actor>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Who passes the caller on (RFC 8693).
#[derive(Debug, Deserialize)]
struct Actor {
    sub: String,
}

/// To which certificate a token is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// To none.
    Free,
    /// To this one (RFC 8705).
    Certificate([u8; 32]),
    /// To something that cannot be checked here.
    Unknown,
}

impl Claims {
    /// The caller whom the claims name; none where they are not what Campus asks for.
    pub(super) fn caller(&self, names: &ClaimsConfig, acr: &[String]) -> Option<Caller> {
        if self.sub.is_empty() || self.sub.len() > MAX_NAME {
            return None;
        }
        if self.jti.as_ref().is_some_and(|id| id.len() > MAX_NAME) {
            return None;
        }
        let roles = self.find(&names.roles)?.as_array()?;
        let roles: Vec<Role> = roles
            .iter()
            .filter_map(|role| role.as_str()?.parse().ok())
            .collect();
        if roles.is_empty() {
            return None;
        }
        let scope: OrgPath = self.find(&names.scope)?.as_str()?.parse().ok()?;
        let text = |name: &str| match self.find(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => value.as_str().map(|text| Some(text.to_owned())),
        };
        Some(Caller {
            laboratory: text(&names.laboratory)?,
            department: text(&names.department)?.and_then(|name| name.parse().ok()),
            person: text(&names.person)?,
            second_factor: self.proves_second_factor(acr),
            token_id: self.jti.clone(),
            ..Caller::new(&self.sub, roles, scope)
        })
    }

    fn proves_second_factor(&self, acr: &[String]) -> bool {
        let methods = self.amr.as_deref().unwrap_or_default();
        methods
            .iter()
            .any(|method| SECOND_FACTORS.contains(&method.as_str()))
            || self.acr.as_ref().is_some_and(|level| acr.contains(level))
    }

    /// To what the token is bound.
    pub(super) fn binding(&self) -> Binding {
        let Some(confirmation) = &self.cnf else {
            return Binding::Free;
        };
        confirmation
            .get("x5t#S256")
            .and_then(Value::as_str)
            .and_then(|print| URL_SAFE_NO_PAD.decode(print).ok())
            .and_then(|print| print.try_into().ok())
            .map_or(Binding::Unknown, Binding::Certificate)
    }

    /// Who passes the caller on.
    pub(super) fn actor(&self) -> Option<&str> {
        self.act.as_ref().map(|actor| actor.sub.as_str())
    }

    /// A claim by its name, or by the way to it.
    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        self.others.get(name).or_else(|| {
            let mut steps = name.split('.');
            let first = self.others.get(steps.next()?)?;
            steps.try_fold(first, |value, step| value.get(step))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::Department;

    fn claims(more: Value) -> Claims {
        let mut all = json!({"sub": "s", "exp": 1, "roles": ["guard"], "scope": "fz"});
        let more = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        serde_json::from_value(all).unwrap()
    }

    fn caller(more: Value) -> Option<Caller> {
        claims(more).caller(&ClaimsConfig::default(), &["high".to_owned()])
    }

    #[test]
    fn each_strong_method_and_each_listed_level_is_a_second_factor() {
        for amr in SECOND_FACTORS {
            let caller = caller(json!({"amr": ["pwd", amr]})).unwrap();
            assert!(caller.second_factor, "{amr}");
        }
        assert!(caller(json!({"acr": "high"})).unwrap().second_factor);
        for weak in [json!({}), json!({"amr": ["pwd"]}), json!({"acr": "low"})] {
            assert!(!caller(weak.clone()).unwrap().second_factor, "{weak}");
        }
    }

    #[test]
    fn roles_that_nobody_knows_are_passed_over_but_some_role_is_needed() {
        let found = caller(json!({"roles": ["offline_access", "guard", 7]})).unwrap();
        assert_eq!(found.roles, [Role::Guard]);
        for roles in [json!([]), json!(["offline_access"]), json!("guard")] {
            assert_eq!(caller(json!({"roles": roles})), None);
        }
    }

    #[test]
    fn a_department_that_nobody_knows_is_none() {
        let found = |name: &str| caller(json!({"department": name})).unwrap().department;
        for department in Department::ALL {
            assert_eq!(found(department.as_str()), Some(*department));
        }
        assert_eq!(found("navy"), None);
        assert_eq!(caller(json!({})).unwrap().department, None);
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_by_the_way_to_it() {
        let claims = claims(json!({"realm_access": {"roles": ["principal"]}, "a.b": "c"}));
        let names = ClaimsConfig {
            roles: "realm_access.roles".to_owned(),
            person: "a.b".to_owned(),
            ..ClaimsConfig::default()
        };
        let caller = claims.caller(&names, &[]).unwrap();
        assert_eq!(caller.roles, [Role::Principal]);
        assert_eq!(caller.person.as_deref(), Some("c"));
    }

    #[test]
    fn names_that_are_too_long_and_texts_that_are_none_are_refused() {
        let long = "x".repeat(MAX_NAME + 1);
        for wrong in [
            json!({"sub": ""}),
            json!({"sub": long}),
            json!({"jti": long}),
            json!({"laboratory": 7}),
            json!({"department": 7}),
            json!({"scope": "../.."}),
            json!({"scope": 7}),
        ] {
            assert_eq!(caller(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn a_binding_that_cannot_be_checked_is_not_free() {
        assert_eq!(claims(json!({})).binding(), Binding::Free);
        let print = URL_SAFE_NO_PAD.encode([7; 32]);
        let bound = claims(json!({"cnf": {"x5t#S256": print}})).binding();
        assert_eq!(bound, Binding::Certificate([7; 32]));
        for cnf in [json!({}), json!({"jkt": "a"}), json!({"x5t#S256": "short"})] {
            assert_eq!(claims(json!({"cnf": cnf})).binding(), Binding::Unknown);
        }
    }
}
