//! What domains may use of the shared crate is pure: it knows neither the wire nor the database, neither
//! clock nor chance.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms that the domains of services use.
const PURE: [&str; 2] = ["hop.rs", "privacy"];

/// Words that none of them may contain.
const FOREIGN: [&str; 9] = [
    "tonic",
    "prost",
    "proto::",
    "sea_orm",
    "sqlx",
    "tokio",
    "crate::",
    "Utc::now",
    "rand::rng",
];

/// A file, or every file in a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a folder");
    entries
        .flat_map(|entry| files(&entry.expect("an entry").path()))
        .collect()
}

#[test]
fn what_domains_use_mentions_nothing_outside_itself() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in PURE.iter().flat_map(|room| files(&source.join(room))) {
        let text = fs::read_to_string(&path).unwrap();
        let foreign = FOREIGN.iter().filter(|word| text.contains(**word));
        found.extend(foreign.map(|word| format!("{}: {word}", path.display())));
    }
    assert_eq!(found, [] as [String; 0]);
}
