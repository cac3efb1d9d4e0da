//! The comments of the contracts.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Leading comments by file and by path within it.
#[derive(Debug)]
pub(crate) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(crate) fn of(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let Some(info) = &file.file_descriptor_proto().source_code_info else {
                continue;
            };
            for location in &info.location {
                if let Some(text) = &location.leading_comments {
                    let place = (file.name().to_owned(), location.path.clone());
                    comments.insert(place, flowed(text));
                }
            }
        }
        Self(comments)
    }

    /// What stands above the thing at `path` of `file`; empty when nothing does.
    pub(crate) fn at(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        let place = (file.name().to_owned(), path.to_vec());
        self.0.get(&place).map_or("", String::as_str)
    }
}

/// The lines of a paragraph as one; an empty line stays.
fn flowed(text: &str) -> String {
    let mut flowed = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            flowed.push_str("\n\n");
            continue;
        }
        if !flowed.is_empty() && !flowed.ends_with('\n') {
            flowed.push(' ');
        }
        flowed.push_str(line);
    }
    flowed.trim().to_owned()
}
