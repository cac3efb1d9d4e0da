//! The settings: the shipped file is complete and true, wrong ones are refused by name.

use std::io::Write;
use std::path::Path;

use sampling::Config;

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config/sampling.toml")
}

fn load(environment: &[(&str, &str)]) -> Result<Config, String> {
    // The file trusts nobody: whose tokens count is for the operator to say.
    let tries = [("CAMPUS_SAMPLING__AUTH__DEVELOPMENT", "true")];
    let environment = tries
        .iter()
        .chain(environment)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    kit::config::load("sampling", Some(&shipped()), environment).map_err(|err| err.to_string())
}

#[test]
fn the_shipped_file_loads_and_the_environment_wins() {
    let config = load(&[("CAMPUS_SAMPLING__ROSTER", "http://roster:7401")]).unwrap();
    assert_eq!(config.roster, "http://roster:7401");
    assert_eq!(config.server.listen.port(), 7402);
}

#[test]
fn unknown_keys_and_wrong_addresses_are_refused() {
    assert!(
        load(&[("CAMPUS_SAMPLING__ROSTERS", "x")])
            .unwrap_err()
            .contains("rosters")
    );
    assert!(
        load(&[("CAMPUS_SAMPLING__ROSTER", "")])
            .unwrap_err()
            .contains("roster")
    );
}

#[test]
fn production_wants_a_key_of_its_own() {
    let production = ("CAMPUS_SAMPLING__AUTH__PRODUCTION", "true");
    let token = ("CAMPUS_SAMPLING__AUTH__DEVELOPMENT", "false");
    let refused = load(&[production, token]).map(|_| ()).unwrap_err();
    assert!(!refused.is_empty());

    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut config = load(&[]).unwrap();
    let known = config.signing_key().unwrap();
    config.auth.production = true;
    assert!(
        config
            .signing_key()
            .unwrap_err()
            .contains("signing_key_file")
    );
    config.signing_key_file = Some(file.path().to_owned());
    assert!(
        config
            .signing_key()
            .unwrap_err()
            .contains("64 hexadecimal digits")
    );
    let digits: String = known.iter().map(|byte| format!("{byte:02x}")).collect();
    write!(file, "{digits}").unwrap();
    assert!(config.signing_key().unwrap_err().contains("key of trials"));
    std::fs::write(file.path(), "5a".repeat(32)).unwrap();
    assert_eq!(config.signing_key(), Ok([0x5a; 32]));
}
