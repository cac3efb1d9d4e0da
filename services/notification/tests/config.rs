//! The settings: the shipped file is complete and true, wrong ones are refused by name.

use std::path::Path;
use std::time::Duration;

use kit::auth::AuthConfig;
use kit::config::Settings;
use kit::db::DatabaseConfig;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use kit::vault::{CryptoConfig, EmergencyConfig};
use notification::domain::channel::Kind;
use notification::{
    AlertConfig, ChannelConfig, Config, DeliveryConfig, RetentionConfig, SendingConfig,
    WarningConfig,
};

fn config() -> Config {
    Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        audit: kit::audit::AuditConfig::default(),
        database: DatabaseConfig::new("sqlite::memory:"),
        roster: "http://127.0.0.1:7401".to_owned(),
        sampling: "http://127.0.0.1:7402".to_owned(),
        safety_inspection: "http://127.0.0.1:7403".to_owned(),
        alerts: AlertConfig::default(),
        deliveries: DeliveryConfig::default(),
        crypto: CryptoConfig::default(),
        emergencies: EmergencyConfig::default(),
        channels: Vec::new(),
        sending: SendingConfig::default(),
        warnings: WarningConfig::default(),
        retention: RetentionConfig::default(),
    }
}

#[test]
fn a_wrong_setting_is_named() {
    let refused = |change: fn(&mut Config)| {
        let mut config = config();
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
        refused(|c| c.warnings.sender = "two words".to_owned()),
        "warnings.sender: not a sender of CAP"
    );
    assert!(refused(|c| c.deliveries.heartbeat = Duration::ZERO).starts_with("deliveries: "));
    assert_eq!(
        refused(|c| c.deliveries.chunk = 0),
        "deliveries.chunk: 1 to 100000"
    );
}

#[test]
fn what_was_taken_stays_hidden_for_longer_than_its_attempts_take() {
    let channel = ChannelConfig {
        timeout: Duration::from_secs(10),
        url: Some("https://a.example/".to_owned()),
        ..ChannelConfig::new("way", Kind::Cap)
    };
    let check = |visibility| {
        let mut config = config();
        config.channels = vec![channel.clone()];
        config.warnings.sender = "bureau@example.cn".to_owned();
        config.sending.visibility = Duration::from_secs(visibility);
        config.check()
    };
    assert_eq!(check(41), Ok(()));
    for wrong in [0, 40, 24 * 3600 + 1] {
        let text = check(wrong).expect_err("refused");
        assert!(
            text.starts_with("sending.visibility: longer than 40s"),
            "{text}"
        );
    }
}

#[test]
fn a_channel_that_cannot_work_is_named() {
    let refused = |kind: Kind, change: fn(&mut ChannelConfig)| {
        let mut channel = ChannelConfig::new("way", kind);
        change(&mut channel);
        refused_with(vec![channel])
    };
    let named = |kind, change: fn(&mut ChannelConfig), key: &str| {
        let text = refused(kind, change);
        assert!(text.starts_with(key), "{text} instead of {key}");
    };
    named(
        Kind::Cap,
        |c| c.id = "inbox".to_owned(),
        "channels.inbox.id: ",
    );
    named(Kind::Cap, |c| c.id = "A".to_owned(), "channels.A.id: ");
    named(Kind::Cap, |_| (), "channels.way.url: required");
    named(
        Kind::Sms,
        |c| c.url = Some("https://a.example/".to_owned()),
        "channels.way.request: ",
    );
    named(Kind::Email, |_| (), "channels.way.smtp: ");
    named(Kind::Webhook, |_| (), "channels.way.secret_file: required");
    named(
        Kind::Webhook,
        |c| c.url = Some("https://a.example/".to_owned()),
        "channels.way.url: not",
    );
    let cap = |url: &str| {
        let mut channel = ChannelConfig::new("way", Kind::Cap);
        channel.url = Some(url.to_owned());
        channel
    };
    for url in ["http://a.example/", "a.example", "https://a.example/?x=1"] {
        let text = refused_with(vec![cap(url)]);
        assert!(text.starts_with("channels.way.url: "), "{text}");
    }
    let good = || cap("https://a.example/");
    let changed = |change: fn(&mut ChannelConfig)| {
        let mut channel = good();
        change(&mut channel);
        refused_with(vec![channel])
    };
    assert_eq!(
        changed(|c| c.timeout = Duration::ZERO),
        "channels.way.timeout: out of range"
    );
    assert_eq!(
        changed(|c| c.concurrency = 0),
        "channels.way.concurrency: out of range"
    );
    assert_eq!(
        changed(|c| c.attempts = 0),
        "channels.way.attempts: out of range"
    );
    let text = changed(|c| c.secret_file = Some("/nowhere/to/be/found".into()));
    assert!(
        text.starts_with("channels.way.secret_file: cannot read "),
        "{text}"
    );
    assert_eq!(
        changed(|c| c.secret_env = Some("CAMPUS_NO_SUCH_VARIABLE".to_owned())),
        "channels.way.secret_env: CAMPUS_NO_SUCH_VARIABLE is not set"
    );
    assert_eq!(
        refused_with(vec![good(), good()]),
        "channels.way.id: there are two"
    );
}

#[test]
fn production_wants_a_key_of_its_own_and_encrypted_ways() {
    let mut config = config();
    config.auth.production = true;
    config.auth.development = false;
    let key = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=";
    config.auth.keys = [("issuer".to_owned(), key.to_owned())].into();
    let text = config.check().unwrap_err();
    assert_eq!(text, "audit.signing_key_file: required in production");
    let audit = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(audit.path(), "09".repeat(32)).unwrap();
    config.audit.signing_key_file = Some(audit.path().to_owned());
    let text = config.check().unwrap_err();
    assert!(text.starts_with("auth.service_token_file: "), "{text}");
    let token = tempfile::NamedTempFile::new().unwrap();
    config.auth.service_token_file = Some(token.path().to_owned());
    let text = config.check().unwrap_err();
    assert!(
        text.starts_with("crypto.master_key_file: required"),
        "{text}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "5a".repeat(32)).unwrap();
    config.crypto.master_key_file = Some(file.path().to_owned());
    assert_eq!(config.check(), Ok(()));
    let mut channel = ChannelConfig::new("way", Kind::Cap);
    channel.url = Some("http://127.0.0.1:1/".to_owned());
    channel.insecure = true;
    config.channels = vec![channel];
    let text = config.check().unwrap_err();
    assert!(text.starts_with("channels.way.insecure: "), "{text}");
}

#[test]
fn documents_leave_under_a_name_of_the_citys_own() {
    let mut channel = ChannelConfig::new("centre", Kind::Cap);
    channel.url = Some("https://centre.example/cap".to_owned());
    let mut config = Config {
        channels: vec![channel],
        ..config()
    };
    let text = config.check().unwrap_err();
    let expected = "warnings.sender: required by channels.centre, ";
    assert!(text.starts_with(expected), "{text}");
    config.warnings.sender = "warnings@campus.example".to_owned();
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn what_was_told_is_kept_as_long_as_the_law_asks_for() {
    let checked = |change: fn(&mut RetentionConfig)| {
        let mut config = config();
        change(&mut config.retention);
        config.check()
    };
    const DAY: Duration = Duration::from_secs(86_400);
    assert_eq!(checked(|kept| kept.messages = 180 * DAY), Ok(()));
    for short in [
        checked(|kept| kept.messages = 179 * DAY),
        checked(|kept| kept.warnings = 179 * DAY),
        checked(|kept| kept.messages = Duration::MAX),
        checked(|kept| kept.interval = Duration::ZERO),
        checked(|kept| kept.batch = 0),
    ] {
        let text = short.unwrap_err();
        assert!(text.starts_with("retention."), "{text}");
    }
}

fn shipped() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/config/notification.toml");
    std::fs::read_to_string(path).expect("the shipped file")
}

fn load(text: &str) -> Result<Config, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    // The file trusts nobody: whose tokens count is for the operator to say.
    let name = "CAMPUS_NOTIFICATION__AUTH__DEVELOPMENT".to_owned();
    let tries = std::iter::once((name, "true".to_owned()));
    let loaded = kit::config::load("notification", Some(file.path()), tries);
    loaded.map_err(|err| err.to_string())
}

#[test]
fn the_shipped_file_shows_the_defaults() {
    let shown = load(&shipped()).unwrap();
    let least = "roster = \"http://127.0.0.1:7401\"\nsampling = \"http://127.0.0.1:7402\"\n\
        safety_inspection = \"http://127.0.0.1:7403\"\n\
        [server]\nlisten = \"127.0.0.1:7404\"\n\
        [database]\nurl = \"sqlite:notification.sqlite\"\n[auth]\ndevelopment = true\n";
    let default = load(least).unwrap();
    assert_eq!(format!("{shown:?}"), format!("{default:?}"));
}

/// The channels in the comments of the shipped file, with secrets that are there.
#[test]
fn the_examples_of_the_shipped_file_can_be_used() {
    let shipped = shipped();
    let (_, examples) = shipped
        .split_once("# The ways out besides the inbox")
        .unwrap();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "a-secret-of-more-than-24-bytes").unwrap();
    let mut text = shipped.clone();
    let mut within = false;
    for line in examples.lines() {
        within = (within || line == "# [[channels]]") && !line.is_empty();
        let Some(line) = line.strip_prefix("# ").filter(|_| within) else {
            continue;
        };
        let line = match line.split_once(" = ") {
            Some(("secret_file" | "secret_env", _)) => {
                format!("secret_file = \"{}\"", secret.path().display())
            }
            _ => line.to_owned(),
        };
        text.push_str(&format!("\n{line}"));
    }
    let unset = load(&text).unwrap_err();
    assert!(unset.starts_with("warnings.sender: "), "{unset}");
    let text = text.replace("campus.invalid", "warnings@campus.example");
    let config = load(&text).unwrap();
    let ids: Vec<&str> = config.channels.iter().map(|channel| &*channel.id).collect();
    let expected = [
        "sms",
        "dingtalk",
        "wecom",
        "hook",
        "mail",
        "cap",
        "sms-exercise",
    ];
    assert_eq!(ids, expected);
    // What the first example shows is the default where there is one.
    let sms = &config.channels[0];
    let default = ChannelConfig::new("sms", Kind::Sms);
    assert_eq!(
        (
            sms.timeout,
            sms.concurrency,
            sms.attempts,
            sms.rest_after,
            sms.rest
        ),
        (
            default.timeout,
            default.concurrency,
            default.attempts,
            default.rest_after,
            default.rest
        )
    );
}

fn refused_with(channels: Vec<ChannelConfig>) -> String {
    let config = Config {
        channels,
        ..config()
    };
    config.check().expect_err("refused")
}
