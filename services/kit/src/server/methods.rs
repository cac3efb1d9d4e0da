//! What of a method streams, as its contract says.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::FileDescriptorSet;

/// How many messages either side of a call sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The caller sends as many as it likes.
    pub(super) sends_many: bool,
    /// The answer is a stream.
    pub(super) answers_many: bool,
}

/// Every method by its path, read once in the life of the process.
static SHAPES: LazyLock<HashMap<String, Shape>> = LazyLock::new(shapes);

impl Shape {
    /// The shape of the method at `path`; what nobody knows streams nothing.
    pub(super) fn of(path: &str) -> Self {
        SHAPES.get(path).copied().unwrap_or_default()
    }

    /// Whether either side streams.
    pub(super) fn streams(self) -> bool {
        self.sends_many || self.answers_many
    }
}

fn shapes() -> HashMap<String, Shape> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap_or_default();
    let mut shapes = HashMap::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                let shape = Shape {
                    sends_many: method.client_streaming(),
                    answers_many: method.server_streaming(),
                };
                shapes.insert(path, shape);
            }
        }
    }
    shapes
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
            } = Shape::of(path);
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
        assert_eq!(shape("/campus.sampling.v1.Nothing/Watch"), [false; 2]);
    }
}
