//! The rule that each method carries in its contract.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message;

use crate::DESCRIPTORS;
use crate::options::Access;

/// The largest message of a request, in bytes, where the contract says nothing else.
pub const MAX_REQUEST_BYTES: usize = 64 << 10;

static RULES: LazyLock<HashMap<String, Access>> = LazyLock::new(|| read(DESCRIPTORS));

/// The rule of the method at `path`, such as `/campus.sampling.v1.HoldService/GetHold`; none where no
/// contract has one: health, reflection and what others provide.
pub fn access(path: &str) -> Option<&'static Access> {
    RULES.get(path)
}

/// The largest message that the method at `path` takes, in bytes; of a stream, each of its messages.
pub fn max_request_bytes(path: &str) -> usize {
    let said = access(path).map_or(0, |rule| rule.max_request_bytes);
    let said = usize::try_from(said).ok().filter(|said| *said > 0);
    said.unwrap_or(MAX_REQUEST_BYTES)
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

    /// What does not fit into 256 KiB and cannot be split. The list only shrinks.
    const LARGE: [(&str, usize); 7] = [
        (
            "/campus.notification.v1.DirectiveService/DraftDirective",
            768 << 10,
        ),
        (
            "/campus.notification.v1.MeetingService/PublishMinutes",
            512 << 10,
        ),
        (
            "/campus.notification.v1.WarningService/IngestWarning",
            (1 << 20) + 1024,
        ),
        (
            "/campus.safety.v1.ChecklistService/CreateChecklistTemplate",
            384 << 10,
        ),
        (
            "/campus.safety.v1.ChecklistService/UpdateChecklistTemplate",
            384 << 10,
        ),
        (
            "/campus.safety.v1.WeatherService/IngestWarning",
            (1 << 20) + 1024,
        ),
        ("/campus.sampling.v1.TubeService/IssueTubes", 384 << 10),
    ];

    #[test]
    fn messages_are_small_but_for_a_few() {
        let all = rules().map(|(path, _)| (path, max_request_bytes(path)));
        let mut large: Vec<_> = all.filter(|(_, most)| *most > 256 << 10).collect();
        large.sort_unstable();
        assert_eq!(large, LARGE);
        for (path, rule) in rules() {
            let more = max_request_bytes(path) > MAX_REQUEST_BYTES;
            assert_eq!(rule.max_request_bytes != 0, more, "{path}");
        }
        assert_eq!(max_request_bytes("/unknown.Service/Method"), 64 << 10);
    }

    #[test]
    fn bytes_that_are_no_descriptors_hold_no_rules() {
        assert_eq!(read(&[0xff, 0xff, 0xff]), HashMap::new());
    }
}
