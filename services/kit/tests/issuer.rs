//! An issuer that publishes its keys, as a service follows them.

mod pki;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use futures_util::{Stream, StreamExt, stream};
use kit::auth::{AuthConfig, caller};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::server::{Running, Server, ServerConfig};
use kit::telemetry::{Looker, TelemetryConfig};
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// Tells a caller its own name, and watches until it is cut.
struct Echo;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ClearanceFeed for Echo {
    type SnapshotStream = Answers<ClearanceSnapshotResponse>;
    type WatchStream = Answers<ClearanceWatchResponse>;

    async fn snapshot(
        &self,
        request: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let resume_token = caller(&request)?.subject;
        let page = ClearanceSnapshotResponse {
            resume_token,
            ..Default::default()
        };
        Ok(Response::new(Box::pin(stream::iter([Ok(page)]))))
    }

    async fn watch(
        &self,
        _request: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let first = ClearanceWatchResponse::default();
        let answers = stream::iter([Ok(first)]).chain(stream::pending());
        Ok(Response::new(Box::pin(answers)))
    }
}

async fn start(auth: &AuthConfig) -> (Running, Channel) {
    assert_eq!(auth.check(), Ok(()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let listen = ServerConfig::loopback();
    let server = Server::bind(&listen, auth, clock, Drain::new());
    let server = server.await.expect("binds");
    let running = server.serve(tonic::service::Routes::new(ClearanceFeedServer::new(Echo)));
    let channel = kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("a URI");
    (running, channel)
}

/// A key of the issuer.
struct Key(&'static str, SigningKey);

impl Key {
    fn new(id: &'static str, seed: u8) -> Self {
        Self(id, SigningKey::from_bytes(&[seed; 32]))
    }

    /// A token of a guard that is valid for some seconds from now.
    fn token(&self, seconds: i64) -> String {
        let now = SystemClock.now().timestamp();
        let claims = json!({
            "iss": "campus", "aud": "campus", "sub": self.0, "jti": format!("{}-{seconds}", self.0),
            "iat": now, "exp": now + seconds, "roles": ["guard"], "scope": "fz",
        });
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "EdDSA", "kid": self.0});
        let message = format!("{}.{}", text(&header), text(&claims));
        let signature = self.1.sign(message.as_bytes()).to_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn key_set(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys
        .iter()
        .map(|Key(id, key)| {
            let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "use": "sig", "x": x})
        })
        .collect();
    json!({ "keys": keys }).to_string()
}

/// Publishes a key set over HTTPS.
struct Publisher {
    folder: TempDir,
    addr: SocketAddr,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    /// Whoever writes holds its answers back.
    gate: Arc<RwLock<()>>,
}

fn found(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

const AWAY: &str = "HTTP/1.1 503 Away\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

impl Publisher {
    async fn start(answer: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = pki::Authority::new("issuer");
        authority.write(folder.path(), "ca.pem");
        let pair = authority.server();
        let config = server_config(&pair);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let addr = listener.local_addr().expect("an address");
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let gate = Arc::new(RwLock::new(()));
        let (told, count, open) = (answer.clone(), asked.clone(), gate.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                count.fetch_add(1, Ordering::SeqCst);
                let _open = open.read().await;
                let answer = told.lock().expect("no panic").clone();
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            folder,
            addr,
            answer,
            asked,
            gate,
        }
    }

    fn publish(&self, answer: String) {
        *self.answer.lock().expect("no panic") = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn auth(&self) -> AuthConfig {
        AuthConfig {
            jwks_url: Some(format!("https://{}/keys", self.addr)),
            jwks_ca_file: Some(self.folder.path().join("ca.pem")),
            ..AuthConfig::default()
        }
    }
}

fn server_config(pair: &pki::Pair) -> rustls::ServerConfig {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes());
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("they fit")
}

fn signed<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

async fn named(channel: &Channel, token: &str) -> Result<String, Status> {
    let mut client = ClearanceFeedClient::new(channel.clone());
    let request = signed(token, ClearanceSnapshotRequest::default());
    let mut pages = client.snapshot(request).await?.into_inner();
    Ok(pages.message().await?.unwrap_or_default().resume_token)
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// Waits until the service is ready.
async fn ready(channel: &Channel) {
    let mut health = HealthClient::new(channel.clone());
    let request = HealthCheckRequest {
        service: "readiness".to_owned(),
    };
    let mut states = health.watch(request).await.expect("watches").into_inner();
    loop {
        let state = states.message().await.expect("watches").expect("a state");
        if state.status == ServingStatus::Serving as i32 {
            return;
        }
    }
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(60), work).await;
    done.expect("in time")
}

/// When somebody who was not let in yet may come back.
fn wait_of(status: &Status) -> Duration {
    assert_eq!(
        (status.code(), reason(status).as_str()),
        (Code::Unavailable, "UNAVAILABLE")
    );
    let retry = status.get_details_retry_info().expect("when to come back");
    retry.retry_delay.expect("when to come back")
}

/// A service that is ready, whose issuer publishes `keys`, and who asks it at most once in `pause` for callers.
async fn following(keys: &[&Key], pause: Duration) -> (Publisher, Running, Channel) {
    let publisher = Publisher::start(found(&key_set(keys))).await;
    let auth = AuthConfig {
        jwks_pause: pause,
        ..publisher.auth()
    };
    let (running, channel) = start(&auth).await;
    soon(ready(&channel)).await;
    (publisher, running, channel)
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_with_tokens_of_a_new_key_wait_for_one_answer_and_are_let_in() {
    let (old, new) = (Key::new("old", 1), Key::new("new", 2));
    let (publisher, running, channel) = following(&[&old], MINUTE).await;
    assert_eq!(named(&channel, &old.token(60)).await.unwrap(), "old");
    publisher.publish(found(&key_set(&[&old, &new])));
    let asked = publisher.asked();
    // That it was asked when the service started was no caller's doing.
    let token = new.token(60);
    let callers = (0..400).map(|_| named(&channel, &token));
    for answer in soon(futures_util::future::join_all(callers)).await {
        assert_eq!(answer.expect("nobody is turned away"), "new");
    }
    assert_eq!(publisher.asked(), asked + 1);
    assert_eq!(named(&channel, &old.token(60)).await.unwrap(), "old");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_is_refused_before_the_issuer_was_asked_for_the_key() {
    let (old, new) = (Key::new("old", 1), Key::new("new", 2));
    let (publisher, running, channel) = following(&[&old], MINUTE).await;
    let asked = publisher.asked();
    let stranger = Key::new("invented", 9).token(60);
    for _ in 0..3 {
        let refused = named(&channel, &stranger).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::Unauthenticated, "TOKEN_INVALID")
        );
    }
    assert_eq!(publisher.asked(), asked + 1, "once for all three");
    // Within the pause that the stranger caused, nobody knows whether a key is one of the issuer's.
    publisher.publish(found(&key_set(&[&old, &new])));
    let others = [&new, &Key::new("other", 8), &Key::new("invented", 7)];
    for key in others {
        let told = named(&channel, &key.token(60)).await.unwrap_err();
        let wait = wait_of(&told);
        assert!(!wait.is_zero() && wait <= MINUTE, "{wait:?}");
    }
    assert_eq!(publisher.asked(), asked + 1);
    assert_eq!(named(&channel, &old.token(60)).await.unwrap(), "old");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_comes_back_when_told_is_let_in() {
    let (old, new) = (Key::new("old", 1), Key::new("new", 2));
    let (publisher, running, channel) = following(&[&old], Duration::from_secs(1)).await;
    let stranger = Key::new("invented", 9).token(60);
    let refused = named(&channel, &stranger).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    publisher.publish(found(&key_set(&[&old, &new])));
    let mut repeats = 0;
    let name = loop {
        match named(&channel, &new.token(60)).await {
            Ok(name) => break name,
            Err(status) => tokio::time::sleep(wait_of(&status)).await,
        }
        repeats += 1;
        assert!(repeats <= 2, "told in vain");
    };
    assert_eq!(name, "new");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_caller_who_gives_up_breaks_no_question_off() {
    let (old, new) = (Key::new("old", 1), Key::new("new", 2));
    let (publisher, running, channel) = following(&[&old], MINUTE).await;
    publisher.publish(found(&key_set(&[&old, &new])));
    let asked = publisher.asked();
    let held = publisher.gate.write().await;
    for _ in 0..3 {
        let mut client = ClearanceFeedClient::new(channel.clone());
        let mut request = signed(&new.token(60), ClearanceSnapshotRequest::default());
        request.set_timeout(Duration::from_millis(100));
        assert!(client.snapshot(request).await.is_err(), "nobody answers");
    }
    drop(held);
    assert_eq!(named(&channel, &new.token(60)).await.unwrap(), "new");
    assert_eq!(publisher.asked(), asked + 1, "they shared one question");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_is_not_ready_before_its_issuer_answered() {
    let key = Key::new("only", 1);
    let publisher = Publisher::start(AWAY.to_owned()).await;
    let (running, channel) = start(&publisher.auth()).await;
    let refused = named(&channel, &key.token(60)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "UNAVAILABLE")
    );
    assert!(refused.get_details_retry_info().is_some());
    publisher.publish(found(&key_set(&[&key])));
    soon(ready(&channel)).await;
    assert_eq!(named(&channel, &key.token(60)).await.unwrap(), "only");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_last_good_keys_stay_while_the_issuer_talks_nonsense() {
    let (key, other) = (Key::new("only", 1), Key::new("other", 2));
    let huge = format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(300 << 10));
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\n\
                     content-length: 0\r\nconnection: close\r\n\r\n";
    let nonsense = [
        AWAY.to_owned(),
        elsewhere.to_owned(),
        found("<html>"),
        found("{\"keys\": []}"),
        found(&huge),
    ];
    let told = nonsense.map(async |answer| {
        let publisher = Publisher::start(found(&key_set(&[&key]))).await;
        let auth = AuthConfig {
            jwks_refresh: Duration::from_secs(10),
            ..publisher.auth()
        };
        let (running, channel) = start(&auth).await;
        soon(ready(&channel)).await;
        publisher.publish(answer);
        let asked = publisher.asked();
        soon(async {
            while publisher.asked() < asked + 2 {
                named(&channel, &key.token(60))
                    .await
                    .expect("no call fails");
            }
        })
        .await;
        // Nothing that it says tells whether this is one of its keys.
        let told = named(&channel, &other.token(60)).await.unwrap_err();
        assert!(wait_of(&told) <= Duration::from_secs(10));
        running.stop().await.unwrap();
    });
    futures_util::future::join_all(told).await;
}

#[tokio::test]
async fn an_issuer_with_the_certificate_of_another_authority_is_not_believed() {
    let key = Key::new("only", 1);
    let publisher = Publisher::start(found(&key_set(&[&key]))).await;
    let other = pki::Authority::new("other");
    let auth = AuthConfig {
        jwks_ca_file: Some(other.write(publisher.folder.path(), "other.pem")),
        ..publisher.auth()
    };
    let (running, channel) = start(&auth).await;
    let refused = named(&channel, &key.token(60)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(publisher.asked(), 0, "not a word was said");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_changed_under_load_without_a_failed_call() {
    let (old, new) = (Key::new("old", 1), Key::new("new", 2));
    let folder = tempfile::tempdir().unwrap();
    let write = |keys: &[&Key]| pki::write(folder.path(), "keys.json", &key_set(keys));
    let auth = AuthConfig {
        jwks_file: Some(write(&[&old])),
        ..AuthConfig::default()
    };
    let (running, channel) = start(&auth).await;
    let signing = Arc::new(Mutex::new(old.token(600)));
    let (over, calls) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (channel, signing) = (channel.clone(), signing.clone());
            let (over, calls) = (over.clone(), calls.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let token = signing.lock().expect("no panic").clone();
                    named(&channel, &token).await.expect("no call fails");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // The issuer publishes the new key, signs with it, and takes the old one away.
    let (last, next) = (old.token(600), new.token(600));
    write(&[&old, &new]);
    soon(async { while named(&channel, &next).await.is_err() {} }).await;
    *signing.lock().unwrap() = next.clone();
    // Every client has taken the new token once it has called twice more.
    let begun = calls.load(Ordering::Relaxed);
    soon(async {
        while calls.load(Ordering::Relaxed) < begun + 20 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no call failed");
    }
    write(&[&new]);
    soon(async { while named(&channel, &last).await.is_ok() {} }).await;
    assert_eq!(named(&channel, &next).await.unwrap(), "new");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_is_cut_when_its_token_ends_and_says_so() {
    let key = Key::new("only", 1);
    let folder = tempfile::tempdir().unwrap();
    let auth = AuthConfig {
        jwks_file: Some(pki::write(folder.path(), "keys.json", &key_set(&[&key]))),
        clock_skew: Duration::ZERO,
        ..AuthConfig::default()
    };
    let (running, channel) = start(&auth).await;
    let mut client = ClearanceFeedClient::new(channel);
    let request = signed(&key.token(2), ClearanceWatchRequest::default());
    let mut answers = client.watch(request).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
    let ended = soon(answers.message()).await.unwrap_err();
    assert_eq!(
        (ended.code(), reason(&ended).as_str()),
        (Code::Unauthenticated, "TOKEN_EXPIRED")
    );
    assert!(ended.get_details_retry_info().is_some());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_is_cut_when_its_token_is_called_back() {
    let key = Key::new("only", 1);
    let folder = tempfile::tempdir().unwrap();
    let auth = AuthConfig {
        jwks_file: Some(pki::write(folder.path(), "keys.json", &key_set(&[&key]))),
        revoked_file: Some(pki::write(folder.path(), "revoked", "")),
        ..AuthConfig::default()
    };
    let (running, channel) = start(&auth).await;
    let mut client = ClearanceFeedClient::new(channel);
    let request = signed(&key.token(600), ClearanceWatchRequest::default());
    let mut answers = client.watch(request).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
    pki::write(folder.path(), "revoked", "jti only-600\n");
    let ended = soon(answers.message()).await.unwrap_err();
    assert_eq!(reason(&ended), "TOKEN_INVALID");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_ago_the_issuer_told_its_keys_is_told() {
    const AGE: &str = "campus_issuer_keys_age_seconds";
    const OURS: &str = "service=\"kit-issuer\"";
    let told = TelemetryConfig {
        filter: "error".to_owned(),
        listen: Some("127.0.0.1:0".parse().expect("an address")),
        ..TelemetryConfig::default()
    };
    let _told = kit::telemetry::start("kit-issuer", &told).expect("telemetry");
    let publisher = Publisher::start(AWAY.to_owned()).await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let listen = ServerConfig::loopback();
    let server = Server::bind(&listen, &publisher.auth(), clock, Drain::new()).await;
    let server = server.expect("binds").observed("kit-issuer", &told).await;
    let server = server.expect("a page");
    let running = server.serve(tonic::service::Routes::new(ClearanceFeedServer::new(Echo)));
    let look = Looker::at(running.page.expect("a page"));
    let silent = look.until(AGE, OURS, |age| age > 1.5).await;
    publisher.publish(found(&key_set(&[&Key::new("a", 1)])));
    look.until(AGE, OURS, |age| age < silent).await;
    running.stop().await.expect("stops");
}
