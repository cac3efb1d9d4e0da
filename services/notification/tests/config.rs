//! Settings that must not start.

use std::time::Duration;

use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use notification::{AlertConfig, Config, DirectiveConfig};

#[test]
fn a_wrong_setting_is_named() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config {
            server: ServerConfig::loopback(),
            auth: AuthConfig::development(),
            telemetry: TelemetryConfig::default(),
            database: DatabaseConfig::new("sqlite::memory:"),
            roster: "http://127.0.0.1:7401".to_owned(),
            sampling: "http://127.0.0.1:7402".to_owned(),
            alerts: AlertConfig::default(),
            directives: DirectiveConfig::default(),
        };
        assert_eq!(config.check(), Ok(()));
        change(&mut config);
        config.check().unwrap_err()
    };
    assert_eq!(
        refused(|c| c.roster = "roster".to_owned()),
        "roster: not an address"
    );
    assert_eq!(refused(|c| c.sampling.clear()), "sampling: not an address");
    assert!(refused(|c| c.alerts.poll = Duration::ZERO).starts_with("alerts: "));
    assert_eq!(
        refused(|c| c.directives.done_percent = 101),
        "directives.done_percent: 1 to 100"
    );
}
