//! The domain stays pure: no wire, no database, no runtime.

use std::fs;
use std::path::{Path, PathBuf};

/// What is forbidden. Of the shared crate only its pure parts, places, calendars and the clocks of
/// hops, are allowed.
const FORBIDDEN: [&str; 7] = [
    "tonic", "prost::", "proto::", "sea_orm", "tokio", "kit::", "Utc::now",
];
const ALLOWED: [&str; 3] = ["kit::org::", "kit::calendar::", "kit::hop::"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn the_domain_knows_no_wire_and_no_database() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain"));
    assert!(files.len() > 10, "{files:?}");
    for path in files {
        let mut text = fs::read_to_string(&path).unwrap();
        for pure in ALLOWED {
            text = text.replace(pure, "");
        }
        for forbidden in FORBIDDEN {
            assert!(
                !text.contains(forbidden),
                "{} mentions {forbidden}",
                path.display()
            );
        }
    }
}
