//! The methods of the contracts: what they are called, and what of them streams.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

/// How many messages either side of a call sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The caller sends as many as it likes.
    pub(super) sends_many: bool,
    /// The answer is a stream.
    pub(super) answers_many: bool,
}

/// A method of a contract.
#[derive(Debug)]
pub(crate) struct Method {
    /// The full name of its service, such as `campus.safety.v1.GateService`.
    pub(crate) contract: String,
    /// Such as `CheckEntry`.
    pub(crate) name: String,
    pub(super) shape: Shape,
    /// It changes nothing.
    pub(super) reads: bool,
    /// The largest message that it takes, in bytes.
    pub(super) largest: usize,
}

/// Every method by its path, read once in the life of the process.
static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(methods);

impl Method {
    /// The method at `path`, if the contracts have it.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        METHODS.get(path)
    }
}

impl Shape {
    /// Whether either side streams.
    pub(super) fn streams(self) -> bool {
        self.sends_many || self.answers_many
    }
}

fn methods() -> HashMap<String, Method> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap_or_default();
    let mut methods = HashMap::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let contract = format!("{}.{}", file.package(), service.name());
                let path = format!("/{contract}/{}", method.name());
                let shape = Shape {
                    sends_many: method.client_streaming(),
                    answers_many: method.server_streaming(),
                };
                let options = method.options.as_ref();
                let method = Method {
                    contract,
                    name: method.name().to_owned(),
                    shape,
                    largest: proto::max_request_bytes(&path),
                    reads: options.is_some_and(|it| {
                        it.idempotency_level() == IdempotencyLevel::NoSideEffects
                    }),
                };
                methods.insert(path, method);
            }
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_method_is_known() {
        let shape = |path: &str| {
            let Shape {
                sends_many,
                answers_many,
            } = Method::at(path).unwrap().shape;
            [sends_many, answers_many]
        };
        assert_eq!(
            shape("/campus.safety.v1.GateService/CheckEntry"),
            [false; 2]
        );
        assert_eq!(shape("/campus.roster.v1.RosterFeed/Watch"), [false, true]);
        assert_eq!(
            shape("/campus.roster.v1.ImportService/Import"),
            [true, false]
        );
        assert_eq!(
            shape("/campus.sampling.v1.ResultService/SubmitResults"),
            [true; 2]
        );
        assert!(Method::at("/campus.sampling.v1.Nothing/Watch").is_none());
        let entry = Method::at("/campus.safety.v1.GateService/CheckEntry").unwrap();
        assert_eq!(
            (&*entry.contract, &*entry.name, entry.reads),
            ("campus.safety.v1.GateService", "CheckEntry", false)
        );
        let snapshot = Method::at("/campus.safety.v1.GateService/GetSnapshot").unwrap();
        assert!(snapshot.reads);
        let batch = Method::at("/campus.safety.v1.GateService/RecordBatch").unwrap();
        assert_eq!((entry.largest, batch.largest), (64 << 10, 256 << 10));
    }
}
