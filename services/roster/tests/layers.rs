//! The domain is pure: it knows neither the wire nor the database, neither clock nor chance.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::{Path, PathBuf};

/// Words that no file of the domain may contain.
const FOREIGN: [&str; 9] = [
    "tonic",
    "prost",
    "proto::",
    "sea_orm",
    "sqlx",
    "tokio",
    "kit::",
    "Utc::now",
    "rand::rng",
];

/// The words of those who talk to the database.
const SQL: [&str; 4] = [
    "statement(",
    "execute_raw",
    "query_all_raw",
    "query_one_raw",
];

/// Every source file below a folder of `src`.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(folder),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Which files below `folder` contain which of `words`.
fn mentions(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources(folder) {
        let text = fs::read_to_string(&path).unwrap();
        // `proptest` is for tests only and begins like a foreign word.
        let text = text.replace("proptest", "");
        let foreign = words.iter().filter(|word| text.contains(**word));
        found.extend(foreign.map(|word| format!("{}: {word}", path.display())));
    }
    found
}

#[test]
fn the_domain_mentions_nothing_outside_itself() {
    assert_eq!(mentions("domain", &FOREIGN), [] as [String; 0]);
}

#[test]
fn the_domain_mentions_no_other_layer() {
    let layers = ["crate::app", "crate::grpc", "crate::store", "crate::vault"];
    assert_eq!(mentions("domain", &layers), [] as [String; 0]);
}

/// An import is exempt: its plan and its commit are statements over whole staged tables.
#[test]
fn only_the_store_and_imports_write_sql() {
    for folder in ["app", "grpc"] {
        let mut found = mentions(folder, &SQL);
        found.retain(|place| !place.contains("/app/import/"));
        assert_eq!(found, [] as [String; 0]);
    }
}
