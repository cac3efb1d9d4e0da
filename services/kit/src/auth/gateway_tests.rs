//! Whom services behind the gateway take its word for.

use ed25519_dalek::pkcs8::EncodePrivateKey;

use super::*;
use crate::auth::Exchange;
use crate::auth::exchange::gateway_key_id;
use crate::auth::keys::Key;

fn gateway_key(seed: u8) -> (String, String) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).unwrap().to_string();
    (pem, STANDARD.encode(key.verifying_key().as_bytes()))
}

#[test]
fn services_believe_the_gateway_for_a_minute_and_only_its_key() {
    let mut stand = Stand::new();
    with_partner(&mut stand);
    let door = stand.verifier();
    let (pem, public) = gateway_key(1);
    let file = stand.write("gateway.pem", &pem);
    let exchange = Exchange::new(&file, Arc::new(stand.clock.clone())).unwrap();
    let shown = certificate("cn:health", stand.clock.now() + Duration::from_secs(7200));
    let session = door
        .admit(Shown {
            token: None,
            certificate: Some(&shown),
        })
        .unwrap();
    assert!(session.by_certificate());
    let header =
        |exchange: &Exchange| exchange.authorization(&session).to_str().unwrap()[7..].to_owned();
    let token = header(&exchange);
    assert_eq!(header(&exchange), token, "one serves many calls");

    let inside = AuthConfig {
        gateway_keys: vec![public.clone()],
        ..AuthConfig::development()
    };
    let clock: Arc<dyn Clock> = Arc::new(stand.clock.clone());
    let behind = Verifier::new(&inside, clock.clone()).unwrap();
    let caller = by_token(&behind, &token).unwrap();
    assert_eq!(
        *caller, *session.caller,
        "streams last as long as the agreement"
    );
    for keys in [vec![], vec![gateway_key(2).1]] {
        let config = AuthConfig {
            gateway_keys: keys,
            ..AuthConfig::development()
        };
        let stranger = Verifier::new(&config, clock.clone()).unwrap();
        assert_eq!(by_token(&stranger, &token), Err(ErrorReason::TokenInvalid));
    }
    // Another key from now on; both are believed meanwhile.
    let (renewed, renewed_public) = gateway_key(3);
    stand.write("gateway.pem", &renewed);
    exchange.look();
    let after = header(&exchange);
    assert_ne!(after, token);
    assert!(by_token(&behind, &after).is_err());
    let both = AuthConfig {
        gateway_keys: vec![public, renewed_public],
        ..AuthConfig::development()
    };
    let behind = Verifier::new(&both, clock).unwrap();
    assert!(by_token(&behind, &token).is_ok() && by_token(&behind, &after).is_ok());
    stand.clock.advance(chrono::Duration::seconds(91));
    assert_ne!(header(&exchange), after, "a new minute");
    let fresh = Verifier::new(&both, Arc::new(stand.clock.clone())).unwrap();
    assert_eq!(by_token(&fresh, &after), Err(ErrorReason::TokenExpired));
    // What was signed by a clock that was ahead, nobody takes when it was put back.
    stand.clock.advance(chrono::Duration::hours(1));
    let ahead = header(&exchange);
    stand.clock.advance(chrono::Duration::hours(-1));
    assert_eq!(by_token(&fresh, &ahead), Err(ErrorReason::TokenInvalid));
    assert!(by_token(&fresh, &header(&exchange)).is_ok());
}

#[test]
fn a_key_of_the_gateway_counts_while_the_file_names_it() {
    let mut stand = Stand::new();
    with_partner(&mut stand);
    let shown = certificate("cn:health", stand.clock.now() + Duration::from_secs(7200));
    let admitted = stand.verifier().admit(Shown {
        token: None,
        certificate: Some(&shown),
    });
    let session = admitted.unwrap();
    let [(first, first_public), (second, second_public)] = [1, 2].map(gateway_key);
    let pem = stand.write("gateway.pem", &first);
    let clock: Arc<dyn Clock> = Arc::new(stand.clock.clone());
    let exchange = Exchange::new(&pem, clock.clone()).unwrap();
    let header = || exchange.authorization(&session).to_str().unwrap()[7..].to_owned();

    let inside = AuthConfig {
        gateway_keys_file: Some(stand.write("gateway-keys", &first_public)),
        ..AuthConfig::development()
    };
    assert_eq!(inside.check(), Ok(()));
    let behind = Verifier::new(&inside, clock).unwrap();
    let publish = |text: &str| {
        stand.write("gateway-keys", text);
        behind.0.sources.look()
    };
    let old = header();
    assert!(by_token(&behind, &old).is_ok());
    let both = format!("{first_public}\n{second_public}\n");
    assert_eq!(publish(&both), Ok(()));
    stand.write("gateway.pem", &second);
    exchange.look();
    let renewed = header();
    assert_ne!(renewed, old);
    assert!(by_token(&behind, &old).is_ok() && by_token(&behind, &renewed).is_ok());
    // A slip leaves what was read last in force.
    let refused = publish(&format!("{second_public}\nx\n")).unwrap_err();
    assert!(
        refused.starts_with("auth.gateway_keys_file: line 2: "),
        "{refused}"
    );
    assert!(by_token(&behind, &old).is_ok() && by_token(&behind, &renewed).is_ok());
    assert_eq!(publish(&second_public), Ok(()));
    assert_eq!(by_token(&behind, &old), Err(ErrorReason::TokenInvalid));
    assert!(by_token(&behind, &renewed).is_ok());
}

#[test]
fn nobody_vouches_but_the_gateway_and_not_for_long() {
    let stand = Stand::new();
    let signers = &stand.signers;
    let public = STANDARD.encode(signers.ed.verifying_key().as_bytes());
    let config = AuthConfig {
        gateway_keys: vec![public.clone()],
        ..AuthConfig::development()
    };
    let verifier = Verifier::new(&config, Arc::new(stand.clock.clone())).unwrap();
    let id = gateway_key_id(&Key::ed25519_base64(&public).unwrap());
    let now = stand.clock.now().timestamp();
    let token = |more: Value| {
        let mut claims = json!({
            "iss": "campus-gateway", "aud": "campus-internal", "act": {"sub": "gateway"},
            "exp": now + 60, "issued": now, "ends": now + 600,
        });
        let more = more.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(more);
        let header = json!({"alg": "EdDSA", "kid": id});
        signers.sign("ed", &header, &stand.claims(claims))
    };
    assert!(by_token(&verifier, &token(json!({}))).is_ok());
    for wrong in [
        json!({"exp": now + 61}),
        json!({"act": {"sub": "sampling"}}),
        json!({"act": null}),
        json!({"aud": "campus"}),
        json!({"iss": "campus"}),
        json!({"ends": null}),
        json!({"issued": "x"}),
        json!({"ends": i64::MAX}),
    ] {
        let refused = by_token(&verifier, &token(wrong.clone()));
        assert_eq!(refused, Err(ErrorReason::TokenInvalid), "{wrong}");
    }
}
