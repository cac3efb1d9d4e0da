//! Refuses at the door whoever could never have what a method needs, before any service is asked. The
//! services decide about the place.

use kit::auth::{Caller, Permission};
use kit::status::Problem;
use proto::error::ErrorReason;

/// What the contract of one method asks of its callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Any of these.
    AnyOf(Vec<Permission>),
    /// A valid token.
    Token,
    /// The contract has no rule, so nobody passes.
    #[default]
    Missing,
}

impl Rule {
    /// The rule of the method at `path`.
    pub(crate) fn of(path: &str) -> Self {
        match proto::access(path) {
            Some(access) if access.any_caller => Self::Token,
            Some(access) => {
                let permissions = access.permissions.iter();
                Self::AnyOf(permissions.filter_map(|name| name.parse().ok()).collect())
            }
            None => Self::Missing,
        }
    }

    /// Checks that a policy permits the caller the method within their own scope at least.
    ///
    /// # Errors
    /// SCOPE_DENIED, naming the first permission of the method.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let denied = |name: &str| Problem::new(ErrorReason::ScopeDenied).meta("permission", name);
        match self {
            Self::Token => Ok(()),
            Self::AnyOf(permissions) => {
                let may = |permission: &Permission| caller.allowed(*permission).is_ok();
                if permissions.iter().any(may) {
                    return Ok(());
                }
                let first = permissions.first().map_or("", |first| first.as_str());
                Err(denied(first))
            }
            Self::Missing => Err(denied("")),
        }
    }
}

#[cfg(test)]
mod tests {
    use kit::auth::Role;
    use prost::Message;
    use prost_types::method_options::IdempotencyLevel;
    use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodOptions};
    use proto::options::access::{Audit, Priority};

    use super::*;

    fn caller(role: Role) -> Caller {
        Caller {
            roles: vec![role],
            ..Caller::default()
        }
    }

    #[test]
    fn only_who_could_have_the_permission_comes_through() {
        let reveal = Rule::of("/campus.roster.v1.GuardianService/RevealGuardianPhone");
        assert_eq!(reveal, Rule::AnyOf(vec![Permission::PeopleReveal]));
        assert!(reveal.check(&caller(Role::SchoolClerk)).is_ok());
        let refused = reveal.check(&caller(Role::Guard)).unwrap_err();
        assert_eq!(refused.reason(), ErrorReason::ScopeDenied);
    }

    #[test]
    fn one_of_several_permissions_is_enough() {
        let results = Rule::of("/campus.sampling.v1.ResultService/ListResults");
        assert!(results.check(&caller(Role::Laboratory)).is_ok());
        assert!(results.check(&caller(Role::SchoolDoctor)).is_ok());
        assert!(results.check(&caller(Role::Guard)).is_err());
    }

    #[test]
    fn every_permission_that_a_contract_names_exists() {
        for (path, access) in proto::rules() {
            match Rule::of(path) {
                Rule::AnyOf(permissions) => {
                    assert_eq!(permissions.len(), access.permissions.len(), "{path}");
                }
                other => assert_eq!(other, Rule::Token, "{path}"),
            }
        }
    }

    /// Every method that Campus answers, by its path, with whether it only reads.
    fn methods() -> Vec<(String, bool)> {
        let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
        let ours = |file: &&FileDescriptorProto| {
            let package = file.package();
            package.starts_with("campus.") && !package.starts_with("campus.provider.")
        };
        let mut methods = Vec::new();
        for file in set.file.iter().filter(ours) {
            for service in &file.service {
                for method in &service.method {
                    let (package, service) = (file.package(), service.name());
                    let options = method.options.as_ref();
                    let level = options.map(MethodOptions::idempotency_level);
                    let reads = level == Some(IdempotencyLevel::NoSideEffects);
                    methods.push((format!("/{package}.{service}/{}", method.name()), reads));
                }
            }
        }
        methods
    }

    #[test]
    fn every_method_has_a_rule_that_agrees_with_what_it_does() {
        // What gives personal data away and leaves a trace of it. The list only shrinks.
        let reveals = ["/ExportCase", "/RevealGuardianPhone", "/RevealVisitor"];
        let methods = methods();
        assert!(methods.len() > 450, "{} methods", methods.len());
        for (path, reads) in methods {
            let rule = proto::access(&path).unwrap_or_else(|| panic!("{path} has no rule"));
            assert_eq!(rule.permissions.is_empty(), rule.any_caller, "{path}");
            let agrees = match rule.audit() {
                Audit::Unspecified => false,
                Audit::None => reads,
                Audit::ReadPersonal => reads || reveals.iter().any(|end| path.ends_with(end)),
                Audit::Act => !reads,
                Audit::OwnRecord => !reads && !rule.own_record.is_empty(),
            };
            assert!(agrees, "{path}: {:?}", rule.audit());
            assert_ne!(rule.priority(), Priority::Unspecified, "{path}");
        }
    }

    #[test]
    fn what_is_public_wants_a_token_only() {
        let key = Rule::of("/campus.sampling.v1.DrawService/GetVerificationKey");
        assert!(key.check(&Caller::default()).is_ok());
    }

    #[test]
    fn a_method_without_a_rule_lets_nobody_through() {
        assert!(Rule::default().check(&caller(Role::CityOfficer)).is_err());
    }
}
