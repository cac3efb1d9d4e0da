//! The rule that each method carries in its contract.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message;

use crate::DESCRIPTORS;
use crate::options::Access;

static RULES: LazyLock<HashMap<String, Access>> = LazyLock::new(|| read(DESCRIPTORS));

/// The rule of the method at `path`, such as `/campus.sampling.v1.HoldService/GetHold`; none where no
/// contract has one: health, reflection and what others provide.
pub fn access(path: &str) -> Option<&'static Access> {
    RULES.get(path)
}

/// Every method that has a rule, by its path, with the rule.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static Access)> {
    RULES.iter().map(|(path, rule)| (path.as_str(), rule))
}

fn read(descriptors: &[u8]) -> HashMap<String, Access> {
    let files = Files::decode(descriptors).unwrap_or_default().files;
    let mut rules = HashMap::new();
    for File { package, services } in files {
        for Service { name, methods } in services {
            for method in methods {
                if let Some(rule) = method.options.and_then(|options| options.access) {
                    rules.insert(format!("/{package}.{name}/{}", method.name), rule);
                }
            }
        }
    }
    rules
}

// What is read of `google.protobuf.FileDescriptorSet`: its types in prost-types drop options that they
// do not know.

#[derive(Clone, PartialEq, Message)]
struct Files {
    #[prost(message, repeated, tag = "1")]
    files: Vec<File>,
}

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "6")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    methods: Vec<Method>,
}

#[derive(Clone, PartialEq, Message)]
struct Method {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "4")]
    options: Option<Options>,
}

#[derive(Clone, PartialEq, Message)]
struct Options {
    #[prost(message, optional, tag = "50710")]
    access: Option<Access>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::access::{Audit, Priority};

    #[test]
    fn a_method_carries_its_rule() {
        let rule = access("/campus.sampling.v1.HoldService/ReleaseHold").expect("a rule");
        assert_eq!(rule.permissions, ["hold.release"]);
        let kinds = (rule.audit(), rule.priority());
        assert_eq!(kinds, (Audit::Act, Priority::Results));
    }

    #[test]
    fn what_no_contract_of_ours_answers_has_no_rule() {
        for path in [
            "/grpc.health.v1.Health/Check",
            "/campus.provider.v1.LaboratoryOrderSink/PlaceOrders",
            "/campus.sampling.v1.HoldService",
            "",
        ] {
            assert_eq!(access(path), None, "{path}");
        }
    }

    #[test]
    fn bytes_that_are_no_descriptors_hold_no_rules() {
        assert_eq!(read(&[0xff, 0xff, 0xff]), HashMap::new());
    }
}
