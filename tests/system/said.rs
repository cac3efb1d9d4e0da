//! What the contracts say in the comments of their fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, FieldDescriptor};

/// What stands above each thing, by its file and its path within.
static COMMENTS: LazyLock<HashMap<(String, Vec<i32>), String>> = LazyLock::new(comments);

fn comments() -> HashMap<(String, Vec<i32>), String> {
    let pool = DescriptorPool::decode(proto::DOCUMENTED).expect("the contracts can be read");
    let mut comments = HashMap::new();
    for file in pool.files() {
        let info = file.file_descriptor_proto().source_code_info.iter();
        for location in info.flat_map(|info| &info.location) {
            if let Some(text) = &location.leading_comments {
                let place = (file.name().to_owned(), location.path.clone());
                let words: Vec<_> = text.split_whitespace().collect();
                comments.insert(place, words.join(" "));
            }
        }
    }
    comments
}

/// What stands above a field, on one line.
pub(crate) fn comment(field: &FieldDescriptor) -> &'static str {
    let place = (field.parent_file().name().to_owned(), field.path().to_vec());
    COMMENTS.get(&place).map_or("", String::as_str)
}

/// The forms of the resource names that a field holds, such as `students/{student}`.
pub(crate) fn forms(field: &FieldDescriptor) -> Vec<&'static str> {
    let quoted = comment(field).split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains("/{")).collect()
}

#[test]
fn comments_are_found() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let hold = pool.get_message_by_name("campus.sampling.v1.GetHoldRequest");
    let name = hold.and_then(|hold| hold.get_field_by_name("name"));
    assert_eq!(forms(&name.expect("a name")), ["holds/{hold}"]);
}
