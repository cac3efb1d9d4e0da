#[path = "agreed_tests.rs"]
mod agreed;
#[path = "gateway_tests.rs"]
mod gateway;
#[path = "partner_tests.rs"]
mod partner;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;
use crate::auth::keys::MAX_KEY_ID;
use crate::auth::{
    Caller, ClientCertificate, Department, Issuer, PartnerConfig, Role, TokenAlgorithm,
};
use crate::clock::ManualClock;
use crate::org::OrgPath;

/// An RSA key that was made for these tests alone.
const RSA: &str = include_str!("test_rsa.b64");

/// An issuer with one key of each kind.
struct Signers {
    ed: SigningKey,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl Signers {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let rsa = STANDARD.decode(RSA.replace('\n', "")).unwrap();
        Self {
            ed: SigningKey::from_bytes(&[7; 32]),
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random)
                .unwrap(),
            rsa: RsaKeyPair::from_pkcs8(&rsa).unwrap(),
        }
    }

    fn key_set(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.ec.public_key().as_ref();
        let components: ring::signature::RsaPublicKeyComponents<Vec<u8>> =
            self.rsa.public_key().into();
        json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": text(self.ed.verifying_key().as_bytes())},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "x": text(&point[1..33]), "y": text(&point[33..])},
            {"kty": "RSA", "kid": "rsa", "n": text(&components.n), "e": text(&components.e)},
        ]})
    }

    fn sign(&self, with: &str, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", text(header), text(claims));
        let random = SystemRandom::new();
        let signature = match with {
            "ed" => ed25519_dalek::Signer::sign(&self.ed, message.as_bytes()).to_vec(),
            "ec" => {
                let signed = self.ec.sign(&random, message.as_bytes()).unwrap();
                signed.as_ref().to_vec()
            }
            "rsa" => {
                let mut signed = vec![0; self.rsa.public().modulus_len()];
                let bytes = message.as_bytes();
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signed)
                    .unwrap();
                signed
            }
            _ => Vec::new(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

struct Stand {
    clock: ManualClock,
    signers: Signers,
    folder: tempfile::TempDir,
    config: AuthConfig,
}

impl Stand {
    fn new() -> Self {
        let signers = Signers::new();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        std::fs::write(&file, signers.key_set().to_string()).unwrap();
        let algorithms = [
            TokenAlgorithm::EdDSA,
            TokenAlgorithm::ES256,
            TokenAlgorithm::RS256,
        ];
        Self {
            clock: ManualClock::at("2022-04-06T00:00:00Z".parse().unwrap()),
            signers,
            folder,
            config: AuthConfig {
                jwks_file: Some(file),
                algorithms: algorithms.to_vec(),
                ..AuthConfig::default()
            },
        }
    }

    fn verifier(&self) -> Verifier {
        assert_eq!(self.config.check(), Ok(()));
        Verifier::new(&self.config, Arc::new(self.clock.clone())).unwrap()
    }

    fn claims(&self, more: Value) -> Value {
        let now = self.clock.now().timestamp();
        let mut claims = json!({
            "iss": "campus", "aud": "campus", "sub": "s", "jti": "t-1", "iat": now, "nbf": now,
            "exp": now + 600, "roles": ["guard"], "scope": "fz",
        });
        let more = more.as_object().unwrap().clone();
        for (name, value) in more {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(&name);
            } else {
                claims[name] = value;
            }
        }
        claims
    }

    fn token(&self, more: Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": "ed"});
        self.signers.sign("ed", &header, &self.claims(more))
    }

    fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

fn by_token(verifier: &Verifier, token: &str) -> Result<Arc<Caller>, ErrorReason> {
    admitted(verifier, Some(token), None)
}

fn admitted(
    verifier: &Verifier,
    token: Option<&str>,
    certificate: Option<&ClientCertificate>,
) -> Result<Arc<Caller>, ErrorReason> {
    match verifier.admit(Shown { token, certificate }) {
        Ok(session) => Ok(session.caller.clone()),
        Err(Refusal::Final(problem)) => Err(problem.reason()),
        Err(Refusal::UnknownKey(_)) => Err(ErrorReason::Unspecified),
    }
}

fn certificate(name: &str, not_after: DateTime<Utc>) -> ClientCertificate {
    ClientCertificate {
        thumbprint: Sha256::digest(name).into(),
        names: vec![name.to_owned()],
        not_before: 0,
        not_after: not_after.timestamp(),
    }
}

fn with_partner(stand: &mut Stand) {
    stand.config.partners = vec![PartnerConfig {
        certificate: "cn:health".to_owned(),
        subject: "city-health".to_owned(),
        role: "disease-control".to_owned(),
        scope: "fz/350102".to_owned(),
        expires: stand.clock.now() + Duration::from_secs(3600),
        ..PartnerConfig::default()
    }];
}

#[test]
fn a_development_token_says_all_of_its_caller_until_it_expires() {
    let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().unwrap());
    let config = AuthConfig::development();
    let verifier = Verifier::new(&config, Arc::new(clock.clone())).unwrap();
    let issued = Caller {
        laboratory: Some("fz-lab-1".to_owned()),
        department: Some(Department::Fire),
        person: Some("staff/1".to_owned()),
        second_factor: true,
        token_id: Some("t-1".to_owned()),
        ..Caller::new("lab-7", vec![Role::Laboratory], "fz".parse().unwrap())
    };
    let minute = Duration::from_secs(60);
    let token = Issuer::development().issue(issued.clone(), clock.now(), minute);
    let expected = Caller {
        expires: Some(clock.now() + minute),
        ..issued
    };
    assert_eq!(*by_token(&verifier, &token).unwrap(), expected);
    clock.advance(chrono::Duration::seconds(90));
    assert!(by_token(&verifier, &token).is_ok(), "clocks may be apart");
    clock.advance(chrono::Duration::seconds(1));
    assert_eq!(by_token(&verifier, &token), Err(ErrorReason::TokenExpired));
}

#[test]
fn each_allowed_signature_is_verified_and_no_other() {
    let mut stand = Stand::new();
    let pairs = [("ed", "EdDSA"), ("ec", "ES256"), ("rsa", "RS256")];
    let token = |stand: &Stand, (key, alg): (&str, &str)| {
        let header = json!({"alg": alg, "kid": key});
        stand.signers.sign(key, &header, &stand.claims(json!({})))
    };
    let verifier = stand.verifier();
    for pair in pairs {
        assert!(
            by_token(&verifier, &token(&stand, pair)).is_ok(),
            "{pair:?}"
        );
    }
    stand.config.algorithms = vec![TokenAlgorithm::ES256];
    let verifier = stand.verifier();
    for (pair, taken) in pairs.into_iter().zip([false, true, false]) {
        assert_eq!(by_token(&verifier, &token(&stand, pair)).is_ok(), taken);
    }
}

#[test]
fn a_token_cannot_choose_how_its_key_is_used() {
    let stand = Stand::new();
    let verifier = stand.verifier();
    let claims = stand.claims(json!({}));
    // Signed with a key, but said to be of another kind, or by another key.
    for key in ["ed", "ec", "rsa"] {
        for alg in ["EdDSA", "ES256", "RS256"] {
            for id in ["ed", "ec", "rsa"] {
                let token = stand
                    .signers
                    .sign(key, &json!({"alg": alg, "kid": id}), &claims);
                let right = [("ed", "EdDSA"), ("ec", "ES256"), ("rsa", "RS256")];
                let right = id == key && right.contains(&(key, alg));
                assert_eq!(
                    by_token(&verifier, &token).is_ok(),
                    right,
                    "{key} {alg} {id}"
                );
            }
        }
    }
    for alg in [
        "none", "None", "nOnE", "HS256", "HS512", "ES384", "PS256", "", "ed25519",
    ] {
        let token = stand
            .signers
            .sign("", &json!({"alg": alg, "kid": "ed"}), &claims);
        assert_eq!(
            by_token(&verifier, &token),
            Err(ErrorReason::TokenInvalid),
            "{alg}"
        );
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    use hmac::{Hmac, KeyInit as _, Mac as _};

    let stand = Stand::new();
    let verifier = stand.verifier();
    let public = stand.signers.ed.verifying_key();
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "kid": "ed"});
    let message = format!("{}.{}", text(&header), text(&stand.claims(json!({}))));
    let mut mac = Hmac::<Sha256>::new_from_slice(public.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    let token = format!("{message}.{signature}");
    assert_eq!(by_token(&verifier, &token), Err(ErrorReason::TokenInvalid));
}

#[test]
fn a_key_id_is_a_name_and_nothing_else() {
    let stand = Stand::new();
    let verifier = stand.verifier();
    let long = "x".repeat(MAX_KEY_ID + 1);
    let claims = stand.claims(json!({}));
    for id in [
        json!("../../keys/ed"),
        json!("ed' OR '1'='1"),
        json!("/dev/null"),
        json!("ED"),
        json!("http://169.254.169.254/key"),
        json!(""),
        json!(long),
        json!("ed\u{0}"),
        Value::Null,
    ] {
        let header = json!({"alg": "EdDSA", "kid": id});
        let token = stand.signers.sign("ed", &header, &claims);
        assert_eq!(
            by_token(&verifier, &token),
            Err(ErrorReason::TokenInvalid),
            "{id}"
        );
    }
    // A key that the token brings along is not looked at.
    let header = json!({
        "alg": "EdDSA", "kid": "other", "jku": "https://evil.example/keys",
        "jwk": stand.signers.key_set()["keys"][0],
    });
    let token = stand.signers.sign("ed", &header, &claims);
    assert_eq!(by_token(&verifier, &token), Err(ErrorReason::TokenInvalid));
    for header in [
        json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"]}),
        json!({"alg": "EdDSA", "kid": "ed", "typ": "logout+jwt"}),
    ] {
        let token = stand.signers.sign("ed", &header, &claims);
        assert_eq!(
            by_token(&verifier, &token),
            Err(ErrorReason::TokenInvalid),
            "{header}"
        );
    }
}

#[test]
fn what_is_not_for_us_or_not_whole_is_refused() {
    let stand = Stand::new();
    let verifier = stand.verifier();
    let now = stand.clock.now().timestamp();
    for wrong in [
        json!({"iss": "other"}),
        json!({"iss": null}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"aud": ["other"]}),
        json!({"sub": null}),
        json!({"exp": null}),
        json!({"iat": null}),
        json!({"roles": null}),
        json!({"scope": null}),
        json!({"exp": i64::MAX}),
        json!({"iat": i64::MIN}),
        json!({"exp": "soon"}),
        json!({"exp": now + 901}),
        json!({"exp": now, "iat": now}),
        json!({"cnf": {"jkt": "a"}}),
        json!({"sub": "x".repeat(9 << 10)}),
    ] {
        let token = stand.token(wrong.clone());
        assert_eq!(
            by_token(&verifier, &token),
            Err(ErrorReason::TokenInvalid),
            "{wrong}"
        );
    }
    let right = stand.token(json!({"aud": ["other", "campus"], "nbf": null}));
    assert!(by_token(&verifier, &right).is_ok());
    let end = right.len() - 10;
    let changed = format!("{}AAAAAAAAAA", &right[..end]);
    for text in [
        "",
        "a.b.c",
        "..",
        &changed,
        &"a".repeat(20_000),
        &right.replace('.', ""),
    ] {
        assert_eq!(by_token(&verifier, text), Err(ErrorReason::TokenInvalid));
    }
}

#[test]
fn clocks_may_be_apart_by_the_skew_and_no_more() {
    let mut stand = Stand::new();
    let seconds = chrono::Duration::seconds;
    for skew in [0_i64, 30, 120] {
        stand.config.clock_skew = Duration::from_secs(skew.unsigned_abs());
        let verifier = stand.verifier();
        let now = stand.clock.now().timestamp();
        for (ahead, taken) in [(skew, true), (skew + 1, false)] {
            let token = stand.token(json!({"nbf": now + ahead}));
            assert_eq!(by_token(&verifier, &token).is_ok(), taken, "nbf {ahead}");
            let token = stand.token(json!({"iat": now + ahead, "nbf": null}));
            assert_eq!(by_token(&verifier, &token).is_ok(), taken, "iat {ahead}");
        }
        let token = stand.token(json!({}));
        stand.clock.advance(seconds(600 + skew));
        assert!(by_token(&verifier, &token).is_ok());
        stand.clock.advance(seconds(1));
        assert_eq!(by_token(&verifier, &token), Err(ErrorReason::TokenExpired));
    }
}

#[test]
fn old_and_new_keys_overlap_and_a_removed_one_ends_what_it_signed() {
    let stand = Stand::new();
    let verifier = stand.verifier();
    let token = stand.token(json!({}));
    assert!(by_token(&verifier, &token).is_ok());
    let mut set = stand.signers.key_set();
    let mut renewed = set["keys"][0].clone();
    renewed["kid"] = json!("new");
    set["keys"].as_array_mut().unwrap().push(renewed);
    stand.write("keys.json", &set.to_string());
    verifier.0.sources.look().unwrap();
    assert!(by_token(&verifier, &token).is_ok());
    // A set that nobody can use leaves the last one in force.
    stand.write("keys.json", "{");
    assert!(verifier.0.sources.look().is_err());
    let header = json!({"alg": "EdDSA", "kid": "new"});
    let renewed = stand.signers.sign("ed", &header, &stand.claims(json!({})));
    assert!(by_token(&verifier, &renewed).is_ok());
    let only = json!({ "keys": [set["keys"][1]] });
    stand.write("keys.json", &only.to_string());
    verifier.0.sources.look().unwrap();
    assert_eq!(
        by_token(&verifier, &renewed),
        Err(ErrorReason::TokenInvalid)
    );
}

#[test]
fn what_was_called_back_ends_though_it_was_remembered() {
    let mut stand = Stand::new();
    let list = stand.write("revoked", "# none yet\n");
    stand.config.revoked_file = Some(list);
    let verifier = stand.verifier();
    let [first, second] = ["t-1", "t-2"].map(|id| stand.token(json!({"jti": id})));
    assert!(by_token(&verifier, &first).is_ok());
    stand.write("revoked", "jti t-1\n");
    verifier.0.sources.look().unwrap();
    assert_eq!(by_token(&verifier, &first), Err(ErrorReason::TokenInvalid));
    assert!(by_token(&verifier, &second).is_ok());
    // A slip in the list leaves the last one in force.
    stand.write("revoked", "jti\n");
    assert!(verifier.0.sources.look().is_err());
    assert!(by_token(&verifier, &first).is_err());
    stand.write("revoked", "sub s 2022-04-06T00:00:01Z\n");
    verifier.0.sources.look().unwrap();
    assert!(by_token(&verifier, &second).is_err());
    stand.clock.advance(chrono::Duration::seconds(1));
    let again = stand.token(json!({"jti": "t-3"}));
    assert!(by_token(&verifier, &again).is_ok(), "a new sign-in");
}

#[test]
fn administrators_need_a_second_factor_and_others_do_not() {
    let mut stand = Stand::new();
    stand.config.second_factor_acr = vec!["gold".to_owned()];
    let verifier = stand.verifier();
    let missing = Err(ErrorReason::SecondFactorRequired);
    for role in ["system-admin", "security-admin", "audit-admin"] {
        let with = |more: Value| {
            let mut claims = json!({"roles": ["guard", role]});
            let more = more.as_object().unwrap().clone();
            claims.as_object_mut().unwrap().extend(more);
            by_token(&verifier, &stand.token(claims)).map(|caller| caller.second_factor)
        };
        assert_eq!(with(json!({})), missing.map(|()| true));
        assert_eq!(with(json!({"amr": ["pwd"]})), missing.map(|()| true));
        assert_eq!(with(json!({"amr": ["pwd", "otp"]})), Ok(true));
        assert_eq!(with(json!({"acr": "gold"})), Ok(true));
    }
    assert!(by_token(&verifier, &stand.token(json!({}))).is_ok());
    stand.config.second_factor_roles = vec!["guard".to_owned()];
    let verifier = stand.verifier();
    let refused = by_token(&verifier, &stand.token(json!({})));
    assert_eq!(refused, Err(ErrorReason::SecondFactorRequired));
}

#[tokio::test]
async fn a_stream_ends_when_its_token_does() {
    let mut stand = Stand::new();
    stand.config.revoked_file = Some(stand.write("revoked", ""));
    let verifier = stand.verifier();
    let token = stand.token(json!({}));
    let session = verifier
        .admit(Shown {
            token: Some(&token),
            certificate: None,
        })
        .unwrap();
    let mut ended = std::pin::pin!(verifier.clone().ended(session));
    stand.clock.advance(chrono::Duration::seconds(630));
    assert!(futures_util::poll!(&mut ended).is_pending(), "still good");
    stand.clock.advance(chrono::Duration::seconds(1));
    // Whatever changes makes it look at the clock.
    stand.write("revoked", "# nobody");
    verifier.0.sources.look().unwrap();
    assert_eq!(ended.await.reason(), ErrorReason::TokenExpired);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_called_back() {
    let mut stand = Stand::new();
    stand.config.revoked_file = Some(stand.write("revoked", ""));
    let verifier = stand.verifier();
    let token = stand.token(json!({}));
    let session = verifier
        .admit(Shown {
            token: Some(&token),
            certificate: None,
        })
        .unwrap();
    let ended = tokio::spawn(verifier.clone().ended(session));
    stand.write("revoked", "jti t-1");
    verifier.0.sources.look().unwrap();
    assert_eq!(ended.await.unwrap().reason(), ErrorReason::TokenInvalid);
}

#[test]
fn the_root_of_the_tree_is_a_scope() {
    let stand = Stand::new();
    let caller = by_token(&stand.verifier(), &stand.token(json!({"scope": ""}))).unwrap();
    assert_eq!(caller.scope, OrgPath::root());
}
