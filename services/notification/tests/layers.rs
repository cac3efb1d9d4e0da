//! The domain stays pure: no wire, no database, no runtime.

use std::fs;
use std::path::Path;

#[test]
fn the_domain_knows_no_wire_and_no_database() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for forbidden in [
            "tonic", "prost::", "proto::", "sea_orm", "tokio", "kit::", "Utc::now",
        ] {
            assert!(
                !text.contains(forbidden),
                "{} mentions {forbidden}",
                path.display()
            );
        }
        seen += 1;
    }
    assert!(seen > 5);
}
