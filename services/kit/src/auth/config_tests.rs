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
    let config = AuthConfig {
        production: true,
        trial: true,
        keys: [("a".to_owned(), KEY.to_owned())].into(),
        ..AuthConfig::default()
    };
    let refused = config.check().unwrap_err();
    assert!(refused.starts_with("auth.trial: "), "{refused}");
    let refused = AuthConfig::default().check().unwrap_err();
    assert!(refused.starts_with("auth.keys: "), "{refused}");
    assert_eq!(AuthConfig::development().check(), Ok(()));
}

#[test]
fn the_development_issuer_is_taken_on_this_machine_or_in_a_trial() {
    let trial = AuthConfig {
        trial: true,
        ..AuthConfig::development()
    };
    let other = AuthConfig {
        keys: [("a".to_owned(), KEY.to_owned())].into(),
        ..AuthConfig::default()
    };
    for here in ["127.0.0.1:7400", "127.9.9.9:0", "[::1]:7400"] {
        let here = here.parse().unwrap();
        assert_eq!(AuthConfig::development().check_reach(here), Ok(()));
    }
    for elsewhere in [
        "0.0.0.0:7400",
        "192.0.2.1:7400",
        "[::]:7400",
        "[2001:db8::1]:0",
    ] {
        let elsewhere = elsewhere.parse().unwrap();
        let refused = AuthConfig::development().check_reach(elsewhere);
        let refused = refused.expect_err("others reach it");
        assert!(refused.starts_with("auth.development: "), "{refused}");
        assert_eq!(trial.check_reach(elsewhere), Ok(()));
        assert_eq!(other.check_reach(elsewhere), Ok(()));
    }
}

fn partner(certificate: &str, role: &str) -> PartnerConfig {
    PartnerConfig {
        certificate: certificate.to_owned(),
        subject: "health".to_owned(),
        role: role.to_owned(),
        expires: "2027-01-01T00:00:00Z".parse().unwrap(),
        ..PartnerConfig::default()
    }
}

/// An agreement with other terms than those of [`partner`].
fn terms(change: impl FnOnce(&mut PartnerConfig)) -> Vec<PartnerConfig> {
    let mut partner = partner("cn:health", "disease-control");
    change(&mut partner);
    vec![partner]
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
            "auth.jwks_pause",
            Box::new(move |c| c.jwks_pause = seconds(0)),
        ),
        (
            "auth.jwks_pause",
            Box::new(move |c| c.jwks_pause = seconds(61)),
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
            "auth.gateway_keys_file",
            Box::new(move |c| c.gateway_keys_file = nowhere()),
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
        (
            "auth.partners[0].rate",
            Box::new(|c| c.partners = terms(|it| it.rate = Some(5))),
        ),
        (
            "auth.partners[0].rate",
            Box::new(|c| c.partners = terms(|it| (it.rate, it.burst) = (Some(0), Some(1)))),
        ),
        (
            "auth.partners_file",
            Box::new(move |c| c.partners_file = nowhere()),
        ),
    ];
    for (key, change) in cases {
        let refused = refused(change);
        assert!(refused.starts_with(&format!("{key}: ")), "{key}: {refused}");
    }
}

#[test]
fn keys_of_the_gateway_stand_in_the_settings_or_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), KEY).unwrap();
    let mut config = AuthConfig {
        gateway_keys_file: Some(file.path().to_owned()),
        ..AuthConfig::development()
    };
    assert_eq!(config.check(), Ok(()));
    config.gateway_keys = vec![KEY.to_owned()];
    let refused = config.check().unwrap_err();
    assert!(
        refused.starts_with("auth.gateway_keys_file: not where"),
        "{refused}"
    );
}

#[test]
fn methods_and_fields_are_those_of_the_contracts() {
    let get = "campus.sampling.v1.TubeService/GetTube";
    let refused = |methods: &[&str], fields: &[(&str, &str)]| {
        refused(|config| {
            config.partners = terms(|it| {
                it.methods = methods.iter().map(ToString::to_string).collect();
                let field = |(method, path): &(&str, &str)| {
                    ((*method).to_owned(), vec![(*path).to_owned()])
                };
                it.fields = fields.iter().map(field).collect();
            });
        })
    };
    for name in [
        "campus.sampling.v1.TubeService/GetTubes",
        "campus.sampling.v1.TubeService",
        "/campus.sampling.v1.TubeService/GetTube",
        "campus.sampling.v1/*",
        "campus.sampling.v1.TubeService/Get*",
        "grpc.health.v1.Health/Check",
        "*",
        "/*",
        "",
    ] {
        let said = refused(&[get, name], &[]);
        assert!(said.starts_with("auth.partners[0].methods[1]: "), "{said}");
    }
    let said = refused(&[get, get], &[]);
    assert!(said.starts_with("auth.partners[0].methods[1]: "), "{said}");
    for (method, path, fault) in [
        (
            get,
            "nmae",
            "nmae: campus.sampling.v1.Tube has no field nmae",
        ),
        (
            "campus.sampling.v1.TubeService/ListTubes",
            "tubes.name",
            "not among the methods",
        ),
        (
            "campus.sampling.v1.TubeService/*",
            "name",
            "not a method of the contracts",
        ),
    ] {
        let said = refused(&[get], &[(method, path)]);
        assert_eq!(said, format!("auth.partners[0].fields.{method}: {fault}"));
    }
    let mut config = AuthConfig::development();
    config.partners = terms(|it| it.methods = vec!["campus.sampling.v1.TubeService/*".to_owned()]);
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn in_production_an_agreement_names_what_it_gives() {
    let config = |methods: &[&str]| AuthConfig {
        production: true,
        keys: [("a".to_owned(), KEY.to_owned())].into(),
        partners: terms(|it| it.methods = methods.iter().map(ToString::to_string).collect()),
        ..AuthConfig::default()
    };
    let refused = config(&[]).check().unwrap_err();
    assert!(
        refused.starts_with("auth.partners[0].methods: "),
        "{refused}"
    );
    let named = config(&["campus.sampling.v1.TubeService/GetTube"]);
    assert_eq!(named.check(), Ok(()));
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
