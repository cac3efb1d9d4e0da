use super::*;

const KEY: &str = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=";

fn refused(change: impl FnOnce(&mut AuthConfig)) -> String {
    let mut config = AuthConfig::development();
    change(&mut config);
    config.check().unwrap_err()
}

#[test]
fn production_refuses_the_development_issuer() {
    let config = AuthConfig {
        production: true,
        ..AuthConfig::development()
    };
    let refused = config.check().unwrap_err();
    assert!(refused.starts_with("auth.development: "), "{refused}");
    let refused = AuthConfig::default().check().unwrap_err();
    assert!(refused.starts_with("auth.keys: "), "{refused}");
    assert_eq!(AuthConfig::development().check(), Ok(()));
}

fn partner(certificate: &str, role: &str) -> PartnerConfig {
    PartnerConfig {
        certificate: certificate.to_owned(),
        subject: "health".to_owned(),
        role: role.to_owned(),
        scope: String::new(),
        laboratory: None,
        department: None,
        expires: "2027-01-01T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn every_wrong_setting_is_named() {
    let nowhere = || Some(PathBuf::from("/nonexistent/file"));
    let seconds = Duration::from_secs;
    let twice = || {
        vec![
            partner("cn:a", "partner-system"),
            partner("cn:a", "partner-system"),
        ]
    };
    type Change = Box<dyn FnOnce(&mut AuthConfig)>;
    let cases: Vec<(&str, Change)> = vec![
        ("auth.issuer", Box::new(|c| c.issuer.clear())),
        ("auth.audience", Box::new(|c| c.audience.clear())),
        (
            "auth.keys.a",
            Box::new(|c| drop(c.keys.insert("a".into(), "AA".into()))),
        ),
        ("auth.algorithms", Box::new(|c| c.algorithms.clear())),
        (
            "auth.max_token_life",
            Box::new(move |c| c.max_token_life = seconds(43_201)),
        ),
        (
            "auth.max_token_life",
            Box::new(move |c| c.max_token_life = seconds(0)),
        ),
        (
            "auth.clock_skew",
            Box::new(move |c| c.clock_skew = seconds(121)),
        ),
        (
            "auth.jwks_refresh",
            Box::new(move |c| c.jwks_refresh = seconds(9)),
        ),
        (
            "auth.jwks_url",
            Box::new(|c| c.jwks_url = Some("http://id.example/keys".into())),
        ),
        (
            "auth.jwks_url",
            Box::new(|c| c.jwks_url = Some("https://".into())),
        ),
        ("auth.jwks_file", Box::new(move |c| c.jwks_file = nowhere())),
        (
            "auth.jwks_ca_file",
            Box::new(move |c| c.jwks_ca_file = nowhere()),
        ),
        (
            "auth.revoked_file",
            Box::new(move |c| c.revoked_file = nowhere()),
        ),
        (
            "auth.gateway_keys[1]",
            Box::new(|c| c.gateway_keys = vec![KEY.into(), "x".into()]),
        ),
        (
            "auth.second_factor_roles[0]",
            Box::new(|c| c.second_factor_roles = vec!["x".into()]),
        ),
        (
            "auth.client_tls.ca",
            Box::new(move |c| {
                let ca = nowhere();
                c.client_tls = Some(ClientTlsConfig {
                    ca,
                    ..Default::default()
                });
            }),
        ),
        (
            "auth.client_tls.key",
            Box::new(move |c| {
                let certificate = nowhere();
                c.client_tls = Some(ClientTlsConfig {
                    certificate,
                    ..Default::default()
                });
            }),
        ),
        (
            "auth.client_tls.certificate",
            Box::new(move |c| {
                let key = nowhere();
                c.client_tls = Some(ClientTlsConfig {
                    key,
                    ..Default::default()
                });
            }),
        ),
        (
            "auth.partners[0].certificate",
            Box::new(move |c| {
                c.partners = vec![partner("health", "partner-system")];
            }),
        ),
        (
            "auth.partners[0].role",
            Box::new(move |c| {
                c.partners = vec![partner("cn:health", "system-admin")];
            }),
        ),
        (
            "auth.partners[0].laboratory",
            Box::new(move |c| {
                c.partners = vec![partner("cn:health", "laboratory")];
            }),
        ),
        (
            "auth.partners[0].department",
            Box::new(move |c| {
                let department = Some("navy".to_owned());
                c.partners = vec![PartnerConfig {
                    department,
                    ..partner("cn:a", "partner-system")
                }];
            }),
        ),
        (
            "auth.partners[0].department",
            Box::new(move |c| {
                let department = Some("health".to_owned());
                c.partners = vec![PartnerConfig {
                    department,
                    ..partner("cn:a", "disease-control")
                }];
            }),
        ),
        (
            "auth.partners[0].scope",
            Box::new(move |c| {
                let scope = "../fz".to_owned();
                c.partners = vec![PartnerConfig {
                    scope,
                    ..partner("cn:a", "partner-system")
                }];
            }),
        ),
        (
            "auth.partners[1].certificate",
            Box::new(move |c| c.partners = twice()),
        ),
    ];
    for (key, change) in cases {
        let refused = refused(change);
        assert!(refused.starts_with(&format!("{key}: ")), "{key}: {refused}");
    }
}

#[test]
fn only_signatures_that_nobody_can_forge_have_names() {
    let read = |name: &str| serde_json::from_value::<TokenAlgorithm>(name.into());
    for name in ["EdDSA", "ES256", "RS256"] {
        assert!(read(name).is_ok());
    }
    for name in [
        "none", "None", "HS256", "HS512", "RS512", "PS256", "ES256K", "",
    ] {
        assert!(read(name).is_err(), "{name}");
    }
}

#[test]
fn in_production_neighbours_are_called_in_secret_and_with_a_token() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut config = AuthConfig {
        production: true,
        keys: [("a".to_owned(), KEY.to_owned())].into(),
        ..AuthConfig::default()
    };
    let check = |config: &AuthConfig, address| config.check_neighbour("roster", address);
    let refused = check(&config, "https://roster:7401").unwrap_err();
    assert!(
        refused.starts_with("auth.service_token_file: "),
        "{refused}"
    );
    config.service_token_file = Some("/nonexistent/token".into());
    let refused = check(&config, "https://roster:7401").unwrap_err();
    assert!(
        refused.starts_with("auth.service_token_file: "),
        "{refused}"
    );
    config.service_token_file = Some(file.path().to_owned());
    for address in [
        "https://roster:7401",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert_eq!(check(&config, address), Ok(()), "{address}");
    }
    let refused = check(&config, "http://roster:7401").unwrap_err();
    assert!(refused.starts_with("roster: https://"), "{refused}");
    config.plaintext_inside = true;
    assert_eq!(check(&config, "http://roster:7401"), Ok(()));
    let trial = AuthConfig::development();
    assert_eq!(check(&trial, "http://roster:7401"), Ok(()));
}
