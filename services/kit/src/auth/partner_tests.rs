//! What a certificate says of its caller, alone and beside a token.

use super::*;

#[test]
fn a_partner_speaks_for_the_department_of_its_agreement_and_for_no_other() {
    let mut stand = Stand::new();
    with_partner(&mut stand);
    let agreed = &mut stand.config.partners[0];
    agreed.role = "partner-system".to_owned();
    agreed.department = Some("fire".to_owned());
    let verifier = stand.verifier();
    let shown = certificate("cn:health", stand.clock.now() + Duration::from_secs(7200));
    let alone = admitted(&verifier, None, Some(&shown)).unwrap();
    assert_eq!(alone.department, Some(Department::Fire));
    for (claimed, held) in [("fire", Some(Department::Fire)), ("police", None)] {
        let token = stand.token(json!({
            "department": claimed, "scope": "fz/350102", "roles": ["partner-system"],
        }));
        let caller = admitted(&verifier, Some(&token), Some(&shown)).unwrap();
        assert_eq!(caller.department, held, "{claimed}");
    }
}

#[test]
fn a_partner_is_known_by_its_certificate_alone_while_the_agreement_lasts() {
    let mut stand = Stand::new();
    with_partner(&mut stand);
    let verifier = stand.verifier();
    let end = stand.clock.now() + Duration::from_secs(7200);
    let shown = certificate("cn:health", end);
    let caller = admitted(&verifier, None, Some(&shown)).unwrap();
    assert_eq!(caller.subject, "city-health");
    assert_eq!(caller.roles, [Role::DiseaseControl]);
    assert_eq!(caller.scope.to_string(), "fz/350102");
    assert_eq!(caller.partner.as_deref(), Some("city-health"));
    let agreement = stand.clock.now() + Duration::from_secs(3600);
    assert_eq!(caller.expires, Some(agreement));
    let unknown = certificate("cn:stranger", end);
    let refused = admitted(&verifier, None, Some(&unknown));
    assert_eq!(refused, Err(ErrorReason::PartnerUnknown));
    assert_eq!(
        admitted(&verifier, None, None),
        Err(ErrorReason::TokenInvalid)
    );
    let short = certificate("cn:health", stand.clock.now() + Duration::from_secs(60));
    let short = ClientCertificate {
        thumbprint: [9; 32],
        ..short
    };
    assert!(admitted(&verifier, None, Some(&short)).is_ok());
    stand.clock.advance(chrono::Duration::seconds(61));
    let refused = admitted(&verifier, None, Some(&short));
    assert_eq!(
        refused,
        Err(ErrorReason::TokenExpired),
        "the certificate is over"
    );
    stand.clock.advance(chrono::Duration::seconds(3600));
    assert!(admitted(&verifier, None, Some(&shown)).is_err());
    let later = ClientCertificate {
        thumbprint: [8; 32],
        ..shown
    };
    let refused = admitted(&verifier, None, Some(&later));
    assert_eq!(
        refused,
        Err(ErrorReason::PartnerUnknown),
        "the agreement is over"
    );
}

#[test]
fn a_token_over_a_partners_connection_gets_no_more_than_agreed() {
    let mut stand = Stand::new();
    with_partner(&mut stand);
    let verifier = stand.verifier();
    let shown = certificate("cn:health", stand.clock.now() + Duration::from_secs(7200));
    let scope = |scope: &str| {
        let token = stand.token(json!({"scope": scope, "roles": ["guard", "disease-control"]}));
        admitted(&verifier, Some(&token), Some(&shown)).map(|caller| {
            assert_eq!(caller.partner.as_deref(), Some("city-health"));
            assert_eq!(caller.roles, [Role::DiseaseControl]);
            caller.scope.to_string()
        })
    };
    assert_eq!(scope("fz"), Ok("fz/350102".to_owned()));
    assert_eq!(
        scope("fz/350102/2135010001"),
        Ok("fz/350102/2135010001".to_owned())
    );
    assert_eq!(scope("fz/350103"), Err(ErrorReason::ScopeDenied));
}

#[test]
fn a_bound_token_is_worth_nothing_without_its_certificate() {
    let stand = Stand::new();
    let verifier = stand.verifier();
    let end = stand.clock.now() + Duration::from_secs(7200);
    let (own, other) = (certificate("cn:a", end), certificate("cn:b", end));
    let print = URL_SAFE_NO_PAD.encode(own.thumbprint);
    let bound = stand.token(json!({"cnf": {"x5t#S256": print}}));
    assert!(admitted(&verifier, Some(&bound), Some(&own)).is_ok());
    for certificate in [None, Some(&other)] {
        let refused = admitted(&verifier, Some(&bound), certificate);
        assert_eq!(
            refused,
            Err(ErrorReason::TokenInvalid),
            "though it was remembered"
        );
    }
    let free = stand.token(json!({}));
    assert!(admitted(&verifier, Some(&free), Some(&other)).is_ok());
}
