//! The issuer changes its keys while callers go on: no call fails, at the door or behind it, and what the
//! old key signed ends.

mod door;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use door::{Behaviour, Codec, UNARY, behave, clock, door_set};
use ed25519_dalek::{Signer as _, SigningKey};
use http::Request as HttpRequest;
use kit::auth::AuthConfig;
use kit::drain::Drain;
use kit::server::{Running, Server, ServerConfig};
use serde_json::{Value, json};
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

const IN_TIME: Duration = Duration::from_secs(60);
/// How many call at once, without a pause.
const CALLERS: usize = 4;

/// A key of the issuer.
struct Key(&'static str, SigningKey);

impl Key {
    fn new(id: &'static str, seed: u8) -> Self {
        Self(id, SigningKey::from_bytes(&[seed; 32]))
    }

    /// A token of a guard.
    fn token(&self) -> String {
        let now = clock().now().timestamp();
        let claims = json!({
            "iss": "campus", "aud": "campus", "sub": self.0, "iat": now, "exp": now + 600,
            "roles": ["guard"], "scope": "fz",
        });
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "EdDSA", "kid": self.0});
        let message = format!("{}.{}", text(&header), text(&claims));
        let signature = self.1.sign(message.as_bytes()).to_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn published(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.1.verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.0, "use": "sig", "x": x})
    }
}

/// Publishes the keys as an operator's tool does: a new file takes the place of the old one.
fn publish(folder: &Path, keys: &[&Key]) {
    let keys: Vec<Value> = keys.iter().map(|key| key.published()).collect();
    let next = folder.join("keys.next");
    std::fs::write(&next, json!({ "keys": keys }).to_string()).expect("written");
    std::fs::rename(next, folder.join("keys.json")).expect("renamed");
}

async fn service(auth: &AuthConfig) -> Running {
    let server = Server::bind(&ServerConfig::loopback(), auth, clock(), Drain::new()).await;
    let answer = async |request: HttpRequest<Body>| behave(Behaviour::Real, request).await;
    let router = axum::Router::new().fallback(answer);
    server
        .expect("binds")
        .serve(tonic::service::Routes::from(router))
}

async fn ask(channel: &Channel, token: &str) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("the door is open");
    let mut request = Request::new("a".to_owned());
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    let path = PathAndQuery::from_static(UNARY);
    let answer = client.unary::<_, String, _>(request, path, Codec::default());
    answer.await.map(|_| ())
}

/// Whether the service itself takes a token: past the door.
async fn taken(services: &[&Channel], token: &str) -> Vec<bool> {
    let mut taken = Vec::new();
    for channel in services {
        taken.push(ask(channel, token).await.is_ok());
    }
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_issuer_changes_its_keys_under_load_without_a_failed_call() {
    let keys = [Key::new("a", 1), Key::new("b", 2), Key::new("c", 3)];
    let folder = tempfile::tempdir().expect("a folder");
    publish(folder.path(), &[&keys[0]]);
    let auth = AuthConfig {
        jwks_file: Some(folder.path().join("keys.json")),
        ..AuthConfig::default()
    };
    let behind = service(&auth).await;
    let own = auth.clone();
    let (_door, at_door) = door_set(behind.addr, |config| config.auth = own).await;
    let past_door = kit::channel::connect_lazy(&format!("http://{}", behind.addr));
    let past_door = past_door.expect("a URI");
    let signing = Arc::new(Mutex::new(keys[0].token()));
    let over = Arc::new(AtomicBool::new(false));
    let calls: Arc<[AtomicUsize]> = (0..CALLERS).map(|_| AtomicUsize::new(0)).collect();
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (channel, signing) = (at_door.clone(), signing.clone());
            let (over, calls) = (over.clone(), calls.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let token = signing.lock().expect("no panic").clone();
                    ask(&channel, &token).await.expect("no call fails");
                    calls[number].fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for pair in keys.windows(2) {
        let (old, new) = (&pair[0], &pair[1]);
        let (last, next) = (old.token(), new.token());
        publish(folder.path(), &[old, new]);
        let known = async { while taken(&[&at_door, &past_door], &next).await != [true; 2] {} };
        timeout(IN_TIME, known).await.expect("the new key is taken");
        signing.lock().expect("no panic").clone_from(&next);
        // Whoever has called twice more has called once with the new token from beginning to end.
        let before: Vec<_> = calls
            .iter()
            .map(|one| one.load(Ordering::Relaxed))
            .collect();
        let all = async {
            let gone_on =
                |(one, before): (&AtomicUsize, &usize)| one.load(Ordering::Relaxed) >= before + 2;
            while !calls.iter().zip(&before).all(gone_on) {
                tokio::task::yield_now().await;
            }
        };
        timeout(IN_TIME, all).await.expect("everybody goes on");
        publish(folder.path(), &[new]);
        let ended = async { while taken(&[&at_door, &past_door], &last).await != [false; 2] {} };
        timeout(IN_TIME, ended)
            .await
            .expect("the old key is not taken any more");
        assert_eq!(taken(&[&at_door, &past_door], &next).await, [true; 2]);
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no call failed");
    }
}
