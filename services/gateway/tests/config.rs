//! The settings: the shipped file is complete and true, wrong ones are refused by name.

use std::collections::BTreeMap;
use std::path::Path;

use gateway::Config;

fn load(environment: &[(&str, &str)]) -> Result<Config, String> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config/gateway.toml");
    // The file trusts nobody: whose tokens count is for the operator to say.
    let tries = [("CAMPUS_GATEWAY__AUTH__DEVELOPMENT", "true")];
    let environment = tries
        .iter()
        .chain(environment)
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
    let settings = |config: &Config| {
        let own = (
            config.max_in_flight_per_caller,
            config.max_watches_per_caller,
            config.max_body_bytes,
        );
        let more = (config.max_bodies_bytes, config.connections_per_upstream);
        let spans = (
            config.default_deadline,
            config.max_deadline,
            config.check_interval,
        );
        let roles: BTreeMap<_, _> = config.limits.roles.iter().collect();
        let limits = (&config.limits.all, roles, &config.limits.methods);
        format!(
            "{own:?} {more:?} {spans:?} {limits:?} {:?}",
            config.shedding
        )
    };
    assert_eq!(settings(&shown), settings(&default));
    let listens = kit::server::ServerConfig::new(shown.server.listen);
    assert_eq!(format!("{:?}", shown.server), format!("{listens:?}"));
}

#[test]
fn a_wrong_bound_is_named() {
    for (key, value) in [
        ("SERVER__MAX_STREAM_AGE", "0s"),
        ("SERVER__MAX_CONNECTION_AGE", "25h"),
        ("SERVER__MAX_CALL", "0s"),
        ("SERVER__REQUEST_WITHIN", "0s"),
        ("SERVER__READER_PATIENCE", "0s"),
        ("SERVER__MAX_CONNECTIONS_PER_ADDRESS", "0"),
        ("MAX_BODIES_BYTES", "1024"),
        ("MAX_WATCHES_PER_CALLER", "0"),
        ("SHEDDING__STREAMS", "0"),
        ("SHEDDING__WATCHES", "0"),
    ] {
        let refused = load(&[(&format!("CAMPUS_GATEWAY__{key}"), value)]).unwrap_err();
        let name = key.to_lowercase().replace("__", ".");
        assert!(refused.contains(&name), "{refused}");
    }
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
