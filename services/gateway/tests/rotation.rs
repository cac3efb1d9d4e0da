//! The issuer changes its keys while callers go on: no call fails, at the door or behind it, and what the
//! old key signed ends.

mod door;
#[path = "../../kit/tests/pki/mod.rs"]
mod pki;
#[path = "rotation/publisher.rs"]
mod publisher;

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
use publisher::Publisher;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

const IN_TIME: Duration = Duration::from_secs(60);
/// How many call at once, without a pause.
const CALLERS: usize = 4;
/// How many call at the door, and how many past it, where the issuer publishes by URL.
const CROWD: usize = 320;
const INSIDE: usize = 16;
/// How long after a question that a caller caused the issuer is left alone.
const PAUSE: Duration = Duration::from_secs(2);
/// How often a call is made again at most: twice for the door and twice for the service behind it.
const REPEATS: u32 = 4;

/// A key of the issuer.
struct Key(String, SigningKey);

impl Key {
    fn new(id: impl Into<String>, seed: u8) -> Self {
        Self(id.into(), SigningKey::from_bytes(&[seed; 32]))
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

fn key_set(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.published()).collect();
    json!({ "keys": keys }).to_string()
}

/// Publishes the keys as an operator's tool does: a new file takes the place of the old one.
fn publish(folder: &Path, keys: &[&Key]) {
    let next = folder.join("keys.next");
    std::fs::write(&next, key_set(keys)).expect("written");
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

/// Calls as a client does that comes back when it is told to; how often it had to.
async fn patient(channel: &Channel, token: &str) -> Result<u32, Status> {
    let mut repeats = 0;
    loop {
        match ask(channel, token).await {
            Err(status) if status.code() == Code::Unavailable && repeats < REPEATS => {
                let retry = status.get_details_retry_info();
                let wait = retry.and_then(|retry| retry.retry_delay);
                sleep(wait.expect("when to come back")).await;
                repeats += 1;
            }
            answer => return answer.map(|()| repeats),
        }
    }
}

/// Many who call without a pause, with the token that is good now.
struct Crowd {
    signing: Arc<Mutex<String>>,
    over: Arc<AtomicBool>,
    calls: Arc<[AtomicUsize]>,
    repeated: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn gather(at_door: &Channel, past_door: &Channel, token: String) -> Self {
        let signing = Arc::new(Mutex::new(token));
        let over = Arc::new(AtomicBool::new(false));
        let repeated = Arc::new(AtomicUsize::new(0));
        let calls: Arc<[AtomicUsize]> = (0..CROWD + INSIDE).map(|_| AtomicUsize::new(0)).collect();
        let caller = |number: usize| {
            let channel = if number < CROWD { at_door } else { past_door };
            let (channel, signing) = (channel.clone(), signing.clone());
            let (over, calls, repeated) = (over.clone(), calls.clone(), repeated.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let token = signing.lock().expect("no panic").clone();
                    let repeats = patient(&channel, &token).await.expect("no call fails");
                    repeated.fetch_add(repeats as usize, Ordering::Relaxed);
                    calls[number].fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let callers = (0..CROWD + INSIDE).map(caller).collect();
        Self {
            signing,
            over,
            calls,
            repeated,
            callers,
        }
    }

    /// Everybody calls with `token` from now on; waits until each has done so from beginning to end.
    async fn take(&self, token: &str) {
        token.clone_into(&mut self.signing.lock().expect("no panic"));
        let count = || {
            let counts = self.calls.iter().map(|one| one.load(Ordering::Relaxed));
            counts.collect::<Vec<_>>()
        };
        let before = count();
        let all = async {
            while !count()
                .iter()
                .zip(&before)
                .all(|(now, then)| *now >= then + 2)
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(IN_TIME, all).await.expect("everybody goes on");
    }

    async fn disperse(self) {
        self.over.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.expect("no call failed");
        }
    }
}

/// Shows keys that nobody has ever had, one after the other, at the door and past it; how many.
fn stranger(channels: [Channel; 2], over: Arc<AtomicBool>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut shown = 0;
        while !over.load(Ordering::Relaxed) {
            let token = Key::new(format!("invented-{shown}"), 9).token();
            for channel in &channels {
                let refused = ask(channel, &token).await.expect_err("nobody has it");
                let told = matches!(refused.code(), Code::Unavailable | Code::Unauthenticated);
                assert!(told, "{refused:?}");
            }
            shown += 1;
        }
        shown
    })
}

/// Waits until both say of a token that its key is none of the issuer's.
async fn until_ended(channels: &[&Channel; 2], token: &str) {
    let ended = async {
        for channel in channels {
            loop {
                let answer = ask(channel, token).await;
                if answer.is_err_and(|status| status.code() == Code::Unauthenticated) {
                    break;
                }
            }
        }
    };
    let ended = timeout(IN_TIME, ended).await;
    ended.expect("the old key is not taken any more");
}

/// A stranger makes the issuer be asked all the time, so that every change but the first falls into a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_issuer_changes_its_keys_by_url_among_strangers_without_a_failed_call() {
    let keys = ["a", "b", "c", "d"].map(|id| Key::new(id, id.as_bytes()[0]));
    let publisher = Publisher::start(key_set(&[&keys[0]])).await;
    let auth = AuthConfig {
        jwks_pause: PAUSE,
        ..publisher.auth()
    };
    let begun = Instant::now();
    let behind = service(&auth).await;
    let own = auth.clone();
    let (_door, at_door) = door_set(behind.addr, |config| config.auth = own).await;
    let past_door = kit::channel::connect_lazy(&format!("http://{}", behind.addr));
    let past_door = past_door.expect("a URI");
    for channel in [&at_door, &past_door] {
        patient(channel, &keys[0].token()).await.expect("let in");
    }
    let crowd = Crowd::gather(&at_door, &past_door, keys[0].token());
    let strangers_go = Arc::new(AtomicBool::new(false));
    let mut strangers = None;
    for pair in keys.windows(2) {
        let (old, new) = (&pair[0], &pair[1]);
        let last = old.token();
        publisher.publish(key_set(&[old, new]));
        crowd.take(&new.token()).await;
        strangers.get_or_insert_with(|| {
            stranger([at_door.clone(), past_door.clone()], strangers_go.clone())
        });
        publisher.publish(key_set(&[new]));
        until_ended(&[&at_door, &past_door], &last).await;
        // That was told by an answer to a stranger, so the next change falls into the pause after it.
    }
    assert!(
        crowd.repeated.load(Ordering::Relaxed) > 0,
        "nobody had to wait"
    );
    crowd.disperse().await;
    strangers_go.store(true, Ordering::Relaxed);
    let shown = strangers.expect("they came").await.expect("no panic");
    assert!(shown > 10, "{shown}");
    // Two follow it, each at the start and then once a pause at most.
    let pauses = begun.elapsed().as_secs() / PAUSE.as_secs();
    let most = 2 * (usize::try_from(pauses).expect("few") + 2);
    assert!(publisher.asked() <= most, "{} > {most}", publisher.asked());
}
