//! Settings that must not start.

use std::time::Duration;

use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use kit::vault::{CryptoConfig, EmergencyConfig};
use safety_inspection::{Config, GateConfig, ProvidersConfig};

fn config() -> Config {
    Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        audit: kit::audit::AuditConfig::default(),
        database: DatabaseConfig::new("sqlite::memory:"),
        roster: "http://127.0.0.1:7401".to_owned(),
        sampling: "http://127.0.0.1:7402".to_owned(),
        gate: GateConfig::default(),
        crypto: CryptoConfig::default(),
        emergencies: EmergencyConfig::default(),
        providers: ProvidersConfig::default(),
    }
}

fn production() -> Config {
    let key = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=".to_owned();
    Config {
        auth: AuthConfig {
            production: true,
            development: false,
            keys: [("issuer-1".to_owned(), key)].into(),
            ..AuthConfig::default()
        },
        ..config()
    }
}

#[test]
fn production_needs_a_key_of_its_own() {
    assert_eq!(config().check(), Ok(()));
    let refused = production().check().unwrap_err();
    assert_eq!(refused, "audit.signing_key_file: required in production");
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit");
    std::fs::write(&audit, "09".repeat(32)).unwrap();
    let production = || {
        let mut config = production();
        config.audit.signing_key_file = Some(audit.clone());
        config
    };
    let refused = production().check().unwrap_err();
    assert_eq!(refused, "gate.signing_key_file: required in production");
    let file = folder.path().join("key");
    let master = folder.path().join("master");
    std::fs::write(&master, "08".repeat(32)).unwrap();
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let mut config = production();
        config.gate.signing_key_file = Some(file.clone());
        config.crypto.master_key_file = Some(master.clone());
        config.auth.service_token_file = Some(master.clone());
        config.check()
    };
    let refused = with("zz").unwrap_err();
    assert_eq!(
        refused,
        "gate.signing_key_file: must hold 64 hexadecimal digits"
    );
    let trials = hex::encode(b"campus gate trial key, no secret");
    let refused = with(&trials).unwrap_err();
    assert_eq!(refused, "gate.signing_key_file: holds the key of trials");
    assert_eq!(with(&format!("{}\n", "07".repeat(32))), Ok(()));
    let mut config = production();
    config.gate.signing_key_file = Some(file.clone());
    let refused = config.check().unwrap_err();
    assert_eq!(refused, "crypto.master_key_file: required in production");
    config.crypto.master_key_file = Some(master);
    config.providers.health_code = Some("http://127.0.0.1:7500".to_owned());
    let refused = config.check().unwrap_err();
    assert_eq!(
        refused,
        "providers.reference_key_file: required in production"
    );
    config.providers.reference_key_file = Some(file.clone());
    let refused = config.check().unwrap_err();
    assert!(
        refused.starts_with("auth.service_token_file: "),
        "{refused}"
    );
    config.auth.service_token_file = Some(file);
    assert_eq!(config.check(), Ok(()));
    config.server.listen = ([0, 0, 0, 0], 7403).into();
    let refused = config.check().unwrap_err();
    assert!(refused.starts_with("server.tls: "), "{refused}");
    config.auth.plaintext_inside = true;
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn a_wrong_setting_is_named() {
    let refused = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        config.check().unwrap_err()
    };
    assert_eq!(
        refused(|c| c.roster = "roster".to_owned()),
        "roster: not an address"
    );
    assert_eq!(refused(|c| c.sampling.clear()), "sampling: not an address");
    assert!(refused(|c| c.gate.batch = 0).starts_with("gate: "));
    assert!(refused(|c| c.gate.answer_within = Duration::ZERO).starts_with("gate: "));
    assert!(refused(|c| c.providers.concurrency = 0).starts_with("providers: "));
    assert_eq!(
        refused(|c| c.providers.identity = Some("police".to_owned())),
        "providers.identity: not an address"
    );
}
