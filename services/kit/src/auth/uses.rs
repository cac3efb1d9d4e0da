//! What the answers of policies depend on, so that no more is remembered than can matter.

use cedar_policy::Policy;
use serde_json::{Value, json};

/// What policies speak of beyond roles, the permission, whether a place is within the caller's scope,
/// the purpose, the second factor and whether the glass was broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    /// The time.
    pub(super) now: bool,
    /// A caller or a place in particular.
    pub(super) names: bool,
}

impl Uses {
    /// Adds what a policy speaks of.
    pub(super) fn add(&mut self, policy: &Policy) {
        let Ok(policy) = policy.to_json() else {
            *self = Self {
                now: true,
                names: true,
            };
            return;
        };
        let is_role = |head: &Value| {
            let kind = head.pointer("/entity/type").and_then(Value::as_str);
            head["op"] == "in" && kind == Some("Campus::Role")
        };
        let principal = &policy["principal"];
        self.names |= principal["op"] != "All" && !is_role(principal);
        self.names |= policy["resource"]["op"] != "All";
        for condition in policy["conditions"].as_array().into_iter().flatten() {
            self.walk(&condition["body"]);
        }
    }

    fn walk(&mut self, expression: &Value) {
        let caller = json!({"Var": "principal"});
        let of = |variable: &Value, attribute: &str| {
            let access = json!({".": {"left": variable, "attr": attribute}});
            *expression == access
        };
        let within = json!({"in": {
            "left": {"Var": "resource"},
            "right": {".": {"left": caller, "attr": "scope"}},
        }});
        if *expression == within || of(&caller, "second_factor") {
            return;
        }
        let context = json!({"Var": "context"});
        if of(&context, "now") {
            self.now = true;
            return;
        }
        if of(&context, "purpose") || of(&context, "break_glass") {
            return;
        }
        if expression["has"]["left"] == context {
            return;
        }
        if expression["in"]["left"] == caller {
            self.walk(&expression["in"]["right"]);
            return;
        }
        match expression {
            Value::Object(parts) => match parts.get("Var").and_then(Value::as_str) {
                Some("action") => {}
                Some("context") => self.now = true,
                Some(_) => self.names = true,
                None => {
                    let kind = parts
                        .get("__entity")
                        .and_then(|entity| entity["type"].as_str());
                    self.names |= matches!(kind, Some("Campus::Caller" | "Campus::Place"));
                    parts.values().for_each(|part| self.walk(part));
                }
            },
            Value::Array(parts) => parts.iter().for_each(|part| self.walk(part)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(policy: &str) -> (bool, bool) {
        let mut uses = Uses::default();
        uses.add(&policy.parse().unwrap());
        (uses.now, uses.names)
    }

    #[test]
    fn roles_scopes_purposes_and_factors_name_nobody() {
        let plain = r#"permit (principal in Campus::Role::"guard", action, resource)
            when { resource in principal.scope && principal.second_factor }
            when { context has purpose && context.purpose == Campus::Purpose::"care" }
            unless { principal in [Campus::Role::"student"] || context.break_glass };"#;
        assert_eq!(uses(plain), (false, false));
    }

    #[test]
    fn a_place_or_a_caller_in_particular_is_noticed() {
        for policy in [
            r#"permit (principal, action, resource in Campus::Place::"fz/350102");"#,
            r#"permit (principal == Campus::Caller::"a", action, resource);"#,
            r#"permit (principal, action, resource) when { resource == principal.scope };"#,
            r#"permit (principal, action, resource) when { principal in [Campus::Caller::"a"] };"#,
            r#"permit (principal, action, resource) when { principal.scope in resource };"#,
            r#"permit (principal, action, resource) when { principal has partner };"#,
            r#"permit (principal, action, resource)
                when { principal has laboratory && principal.laboratory == "fz-lab-1" };"#,
        ] {
            assert_eq!(uses(policy), (false, true), "{policy}");
        }
    }

    #[test]
    fn the_time_is_noticed() {
        let until = "permit (principal, action, resource) when { context.now < 1700000000 };";
        assert_eq!(uses(until), (true, false));
        let whole = "permit (principal, action, resource) when { context == {now: 1} };";
        assert_eq!(uses(whole), (true, false));
    }
}
