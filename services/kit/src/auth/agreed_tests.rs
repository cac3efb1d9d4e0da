//! What an agreement leaves of a caller, and how one follows the file in which it stands.

use super::*;

const GET: &str = "/campus.sampling.v1.TubeService/GetTube";
const ISSUE: &str = "/campus.sampling.v1.TubeService/IssueTubes";

/// The agreement with a laboratory, in TOML.
const LABORATORY: &str = r#"
[[partners]]
certificate = "dns:lis.Example"
subject = "laboratory-1"
role = "laboratory"
laboratory = "fz-lab-1"
scope = "fz"
methods = ["campus.sampling.v1.TubeService/GetTube"]
rate = 5
burst = 50
expires = "2022-04-06T02:00:00Z"

[partners.fields]
"campus.sampling.v1.TubeService/GetTube" = ["name", "state"]
"#;

const HEALTH: &str = r#"
[[partners]]
certificate = "cn:health"
subject = "city-health"
role = "disease-control"
methods = ["campus.sampling.v1.CaseService/*"]
expires = "2022-04-06T02:00:00Z"
"#;

/// A verifier that follows a file with these agreements.
fn following(stand: &mut Stand, agreements: &str) -> Verifier {
    stand.config.partners_file = Some(stand.write("partners.toml", agreements));
    stand.verifier()
}

/// A certificate of the laboratory that lasts a day.
fn shown(stand: &Stand) -> ClientCertificate {
    certificate(
        "dns:lis.example",
        stand.clock.now() + Duration::from_secs(86_400),
    )
}

fn session(
    verifier: &Verifier,
    token: Option<&str>,
    certificate: &ClientCertificate,
) -> Result<Arc<Session>, ErrorReason> {
    let certificate = Some(certificate);
    match verifier.admit(Shown { token, certificate }) {
        Ok(session) => Ok(session),
        Err(Refusal::Final(problem)) => Err(problem.reason()),
        Err(Refusal::UnknownKey(_)) => Err(ErrorReason::Unspecified),
    }
}

/// Which of the two methods the session may call.
fn gives(session: &Session) -> [bool; 2] {
    [GET, ISSUE].map(|path| session.agreement().unwrap().gives(path).is_ok())
}

#[test]
fn a_file_says_all_of_an_agreement() {
    let mut stand = Stand::new();
    let verifier = following(&mut stand, LABORATORY);
    let session = session(&verifier, None, &shown(&stand)).unwrap();
    assert_eq!(session.caller.laboratory.as_deref(), Some("fz-lab-1"));
    assert_eq!(session.caller.partner.as_deref(), Some("laboratory-1"));
    assert_eq!(gives(&session), [true, false]);
    let agreement = session.agreement().unwrap();
    let refused = agreement.gives(ISSUE).unwrap_err();
    assert_eq!(refused.reason(), ErrorReason::ScopeDenied);
    let quota = agreement.quota().unwrap();
    assert_eq!((quota.rate, quota.burst), (5, 50));
    assert!(agreement.mask(GET).is_some() && agreement.mask(ISSUE).is_none());
}

#[test]
fn a_token_over_a_partners_connection_has_no_role_but_the_agreed_one() {
    let mut stand = Stand::new();
    let verifier = following(&mut stand, LABORATORY);
    let shown = shown(&stand);
    let held = |more: Value| -> Result<(Vec<Role>, Option<String>), ErrorReason> {
        let token = stand.token(more);
        let session = session(&verifier, Some(&token), &shown)?;
        assert_eq!(gives(&session), [true, false], "whoever calls");
        let caller = &session.caller;
        Ok((caller.roles.clone(), caller.laboratory.clone()))
    };
    let own = Ok((vec![Role::Laboratory], Some("fz-lab-1".to_owned())));
    // A stolen token of the city keeps nothing that the laboratory has not.
    let stolen = json!({"roles": ["city-officer", "system-admin"], "amr": ["otp"]});
    assert_eq!(held(stolen), Err(ErrorReason::ScopeDenied));
    let both = ["city-officer", "laboratory", "system-admin"];
    assert_eq!(
        held(json!({"roles": both})),
        own,
        "no second factor is asked of the rest"
    );
    assert_eq!(held(json!({"roles": both, "laboratory": "fz-lab-1"})), own);
    let other = json!({"roles": ["laboratory"], "laboratory": "fz-lab-2"});
    assert_eq!(held(other), Err(ErrorReason::ScopeDenied));
}

#[test]
fn a_file_that_changes_counts_at_once_and_one_with_a_slip_does_not() {
    let mut stand = Stand::new();
    let verifier = following(&mut stand, LABORATORY);
    let shown = shown(&stand);
    let first = session(&verifier, None, &shown).unwrap();
    let more = LABORATORY.replace("/GetTube\"]", "/*\"]");
    stand.write("partners.toml", &more);
    verifier.0.sources.look().unwrap();
    let second = session(&verifier, None, &shown).unwrap();
    assert_eq!(
        (gives(&first), gives(&second)),
        ([true, false], [true, true])
    );
    assert_ne!(
        first.digest, second.digest,
        "nothing signed for the first serves the second"
    );
    for slip in [
        "[[partners]",
        "[[partner]]",
        &more.replace("state", "stat"),
        &more.replace("/*", "/Sing"),
        &more.replace("laboratory = \"fz-lab-1\"", ""),
        &format!("{more}{LABORATORY}"),
    ] {
        stand.write("partners.toml", slip);
        let fault = verifier.0.sources.look().unwrap_err();
        assert!(fault.starts_with("auth.partners_file: "), "{fault}");
        assert!(verifier.0.sources.is_faulty(), "{fault}");
        let still = session(&verifier, None, &shown).unwrap();
        assert_eq!(gives(&still), [true, true], "{fault}");
    }
    stand.write("partners.toml", HEALTH);
    verifier.0.sources.look().unwrap();
    assert!(!verifier.0.sources.is_faulty());
    let gone = session(&verifier, None, &shown).map(drop);
    assert_eq!(gone, Err(ErrorReason::PartnerUnknown));
}

#[test]
fn settings_and_file_name_no_certificate_twice() {
    let mut stand = Stand::new();
    with_partner(&mut stand);
    stand.config.partners_file = Some(stand.write("partners.toml", HEALTH));
    let refused = stand.config.check().unwrap_err();
    assert!(refused.starts_with("auth.partners_file: "), "{refused}");
    assert!(refused.contains("cn:health"), "{refused}");
    let verifier = following(&mut stand, LABORATORY);
    let end = stand.clock.now() + Duration::from_secs(60);
    assert!(session(&verifier, None, &certificate("cn:health", end)).is_ok());
    assert!(session(&verifier, None, &shown(&stand)).is_ok());
}

#[test]
fn a_certificate_that_names_two_partners_is_nobodys() {
    let mut stand = Stand::new();
    let other = LABORATORY
        .replace("dns:lis.Example", "uri:spiffe://lis")
        .replace("laboratory-1", "laboratory-2");
    let same = LABORATORY.replace("dns:lis.Example", "cn:lis");
    let verifier = following(&mut stand, &format!("{LABORATORY}{other}{same}"));
    let names = |names: &[&str]| ClientCertificate {
        names: names.iter().map(ToString::to_string).collect(),
        ..shown(&stand)
    };
    let two = session(
        &verifier,
        None,
        &names(&["dns:lis.example", "uri:spiffe://lis"]),
    );
    assert_eq!(two.map(drop), Err(ErrorReason::PartnerUnknown));
    let one = session(&verifier, None, &names(&["dns:lis.example", "cn:lis"]));
    assert!(one.is_ok(), "both are the same partner by the same terms");
}

#[tokio::test]
async fn a_stream_ends_with_the_agreement_or_when_it_changes_and_not_with_anothers() {
    let mut stand = Stand::new();
    let verifier = following(&mut stand, LABORATORY);
    let shown = shown(&stand);
    let open = || {
        verifier
            .clone()
            .ended(session(&verifier, None, &shown).unwrap())
    };
    let follow = |agreements: &str| {
        stand.write("partners.toml", agreements);
        verifier.0.sources.look().unwrap();
    };
    let mut stream = std::pin::pin!(open());
    assert!(futures_util::poll!(&mut stream).is_pending());
    follow(&format!("{HEALTH}{LABORATORY}"));
    assert!(futures_util::poll!(&mut stream).is_pending(), "another's");
    follow(&LABORATORY.replace("\"state\"", "\"late\""));
    assert_eq!(stream.await.reason(), ErrorReason::Unavailable, "come back");

    let stream = open();
    follow(HEALTH);
    assert_eq!(stream.await.reason(), ErrorReason::PartnerUnknown);

    follow(LABORATORY);
    let mut stream = std::pin::pin!(open());
    stand.clock.advance(chrono::Duration::seconds(7200));
    assert!(
        futures_util::poll!(&mut stream).is_pending(),
        "its last second"
    );
    stand.clock.advance(chrono::Duration::seconds(1));
    // Whatever changes makes it look at the clock.
    follow(&format!("{LABORATORY}# unchanged\n"));
    assert_eq!(stream.await.reason(), ErrorReason::TokenExpired);
    let again = session(&verifier, None, &shown).map(drop);
    assert!(again.is_err(), "the agreement is over");
}
