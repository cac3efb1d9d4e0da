//! The settings: the shipped file is complete and true, wrong ones are refused by name.

use std::path::Path;

use gateway::Config;

fn load(environment: &[(&str, &str)]) -> Result<Config, String> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config/gateway.toml");
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    kit::config::load("gateway", Some(&shipped), environment).map_err(|err| err.to_string())
}

#[test]
fn the_shipped_file_shows_the_defaults() {
    let shown = load(&[]).unwrap();
    let default = Config::new(
        shown.server.clone(),
        shown.auth.clone(),
        shown.upstreams.clone(),
    );
    assert_eq!(
        format!("{:?}", shown.overview),
        format!("{:?}", default.overview)
    );
}

#[test]
fn the_environment_sets_the_overview() {
    let config = load(&[("CAMPUS_GATEWAY__OVERVIEW__POLL", "30s")]).unwrap();
    assert_eq!(config.overview.poll.as_secs(), 30);
}

#[test]
fn a_wrong_setting_of_the_overview_is_named() {
    for (key, value) in [
        ("poll", "100ms"),
        ("heartbeat", "1h"),
        ("part_deadline", "1h"),
        ("keep", "2h"),
        ("max_watches", "0"),
    ] {
        let name = format!("CAMPUS_GATEWAY__OVERVIEW__{}", key.to_uppercase());
        let refused = load(&[(&name, value)]).unwrap_err();
        assert!(refused.contains(&format!("overview.{key}")), "{refused}");
    }
    let refused = load(&[("CAMPUS_GATEWAY__OVERVIEW__PACE", "1s")]).unwrap_err();
    assert!(refused.contains("pace"), "{refused}");
}
