//! The settings: the shipped file is complete and true, wrong ones are refused by name.

use std::path::{Path, PathBuf};

use kit::vault::Suite;
use roster::Config;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config/roster.toml")
}

fn load(environment: &[(&str, &str)]) -> Result<Config, String> {
    // The file trusts nobody: whose tokens count is for the operator to say.
    let tries = [("CAMPUS_ROSTER__AUTH__DEVELOPMENT", "true")];
    let environment = tries
        .iter()
        .chain(environment)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    kit::config::load("roster", Some(&shipped()), environment).map_err(|err| err.to_string())
}

#[test]
fn the_shipped_file_loads_and_the_environment_wins() {
    let config = load(&[("CAMPUS_ROSTER__CRYPTO__SUITE", "sm")]).unwrap();
    assert_eq!(config.crypto.suite, Suite::Sm);
    assert_eq!(config.server.listen.port(), 7401);
}

#[test]
fn the_shipped_file_shows_the_defaults() {
    let shown = load(&[]).unwrap();
    let least = tempfile::NamedTempFile::new().unwrap();
    let text = "[server]\nlisten = \"127.0.0.1:7401\"\n[database]\nurl = \"sqlite:roster.sqlite\"\n\
        [auth]\ndevelopment = true\n";
    std::fs::write(least.path(), text).unwrap();
    let default: Config =
        kit::config::load("roster", Some(least.path()), std::iter::empty()).unwrap();
    assert_eq!(format!("{shown:?}"), format!("{default:?}"));
}

#[test]
fn unknown_keys_are_refused_by_name() {
    let refused = load(&[("CAMPUS_ROSTER__CRYPTO__SUIT", "sm")]).unwrap_err();
    assert!(refused.contains("suit"), "{refused}");
    let refused = load(&[("CAMPUS_ROSTER__CRYPTO__SUITE", "rot13")]).unwrap_err();
    assert!(refused.contains("suite"), "{refused}");
    let refused = load(&[("CAMPUS_ROSTER__ROSTER", "x")]).unwrap_err();
    assert!(refused.contains("roster"), "{refused}");
}

#[test]
fn production_wants_a_master_key_of_its_own() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut config = load(&[]).unwrap();
    let known = config.master_keys().unwrap();
    config.auth.production = true;
    let refused = config.master_keys().unwrap_err();
    assert!(
        refused.starts_with("crypto.master_key_file: required"),
        "{refused}"
    );
    config.crypto.master_key_file = Some(file.path().to_owned());
    let refused = config.master_keys().unwrap_err();
    assert!(refused.contains("64 hexadecimal digits"), "{refused}");
    std::fs::write(file.path(), hex::encode(*known.present)).unwrap();
    let refused = config.master_keys().unwrap_err();
    assert!(refused.contains("key of trials"), "{refused}");
    std::fs::write(file.path(), "5a".repeat(32)).unwrap();
    let own = config.master_keys().unwrap();
    assert_eq!((*own.present, own.former), ([0x5a; 32], None));
    let former = tempfile::NamedTempFile::new().unwrap();
    config.crypto.former_master_key_file = Some(former.path().to_owned());
    let refused = config.master_keys().unwrap_err();
    assert_eq!(
        refused,
        "crypto.former_master_key_file: must hold 64 hexadecimal digits"
    );
    std::fs::write(former.path(), "a5".repeat(32)).unwrap();
    let former = config.master_keys().unwrap().former;
    assert_eq!(former.as_deref(), Some(&[0xa5; 32]));
}
