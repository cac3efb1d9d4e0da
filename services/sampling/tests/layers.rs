//! The domain is pure: it knows neither the wire nor the database, neither clock nor chance.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that no file of the domain may contain. Of the shared crate only what is pure is allowed, as its
/// own test says: the clocks of hops, and which counts are hidden.
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

/// Every file in a folder and the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_domain_mentions_nothing_outside_itself() {
    let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain");
    let mut found = Vec::new();
    for path in files(&domain) {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("kit::hop::", "").replace("kit::privacy::", "");
        let foreign = FOREIGN.iter().filter(|word| text.contains(**word));
        found.extend(foreign.map(|word| format!("{}: {word}", path.display())));
    }
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn only_the_store_and_the_migrations_write_sql() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for folder in ["app", "grpc", "publication"] {
        for path in files(&source.join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            if [
                "statement(",
                "execute_raw",
                "query_all_raw",
                "query_one_raw",
                "$1",
            ]
            .iter()
            .any(|word| text.contains(word))
            {
                found.push(path);
            }
        }
    }
    assert_eq!(found, [] as [PathBuf; 0]);
}
