//! Providers of HTTP channels against peers on this machine: what they send, and what they make of
//! every kind of answer.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use notification::ChannelConfig;
use notification::channels::{Accepted, Provider, provider};
use notification::domain::attempt::{Failed, Then};
use notification::domain::channel::Kind;
use notification::domain::delivery::Failure;
use sha2::Sha256;

use crate::peers::{Answer, Peer, Received, code, outgoing, sms, taken};

const PHONE: &str = "13800000000";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn secret(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

fn made(config: &ChannelConfig) -> Arc<dyn Provider> {
    provider(config).expect("a provider")
}

async fn sent_to(
    script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
) -> Result<Accepted, Failed> {
    let peer = Peer::start(script).await;
    let provider = made(&sms("sms", &peer.url));
    provider.send(&outgoing("m~1", PHONE)).await
}

#[tokio::test]
async fn a_message_is_handed_over_with_its_id() {
    let peer = Peer::start(taken).await;
    let provider = made(&sms("sms", &peer.url));
    assert_eq!(provider.send(&outgoing("m~1", PHONE)).await, Ok(Accepted));
    let [request] = &peer.received()[..] else {
        panic!("one request")
    };
    assert!(request.head.starts_with("POST /v1/messages HTTP/1.1\r\n"));
    assert_eq!(request.header("x-request-id"), Some("m~1"));
    let json: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!(json["to"], PHONE);
    assert_eq!(json["id"], "m~1");
}

#[tokio::test]
async fn every_code_of_the_settings_has_its_consequence() {
    for (number, expected) in [
        (8, Failed::throttled(None)),
        (4, Failed::never(Failure::NoRecipient)),
        (1, Failed::later(Failure::Unreachable)),
        (9, Failed::broken()),
        // The status says that all is well; the code says that it is not.
        (500, Failed::never(Failure::Refused)),
        // A good code for no message of ours.
        (0, Failed::later(Failure::BadAnswer)),
    ] {
        assert_eq!(
            sent_to(move |_| code(number)).await,
            Err(expected),
            "{number}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_never_taken_for_a_good_one() {
    let bad = Err(Failed::later(Failure::BadAnswer));
    let other = r#"{"code": 0, "id": "m~2"}"#;
    for body in [
        "",
        "OK",
        "<html></html>",
        "{\"code\":",
        "[0]",
        "0",
        "null",
        other,
    ] {
        assert_eq!(sent_to(move |_| Answer::ok(body)).await, bad, "{body}");
    }
    let large = format!(
        "{{\"code\": 0, \"id\": \"m~1\", \"x\": \"{}\"}}",
        "x".repeat(70_000)
    );
    assert_eq!(sent_to(move |_| Answer::ok(large.clone())).await, bad);
    let garbage = |_: &Received| Answer::Raw("SSH-2.0-OpenSSH_9.2\r\n".to_owned());
    assert_eq!(sent_to(garbage).await, bad);
    let head = format!("HTTP/1.1 200 OK\r\nx-more: {}\r\n\r\n", "x".repeat(2 << 20));
    assert_eq!(sent_to(move |_| Answer::Raw(head.clone())).await, bad);
}

/// What is read of an answer stays small, however long it is: the rest waits in the network until the
/// connection is closed.
#[tokio::test]
async fn an_answer_without_end_takes_no_memory() {
    const NETWORK: usize = 32 << 20;
    let peer = Peer::start(|_| Answer::Endless).await;
    let provider = made(&sms("sms", &peer.url));
    for number in 1..=8 {
        let failed = provider.send(&outgoing("m~1", PHONE)).await;
        assert_eq!(failed, Err(Failed::later(Failure::BadAnswer)));
        let taken = peer.endless();
        assert!(taken < number * NETWORK, "{taken} bytes after {number}");
    }
    assert_eq!(peer.received().len(), 8, "on a connection each");
}

/// A status of success is no success before the whole answer is there.
#[tokio::test]
async fn an_answer_that_is_cut_short_is_none() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n";
    for text in [
        "HTTP/1.1 200 OK\r\n",
        head,
        &format!("{head}{{\"code\": 0, "),
    ] {
        let cut = Answer::Cut(text.to_owned());
        let failed = sent_to(move |_| cut.clone()).await.expect_err("no answer");
        assert_eq!(failed.then, Then::Later, "{text}: {failed:?}");
    }
}

#[tokio::test]
async fn a_provider_that_throttles_says_for_how_long() {
    let status = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 90";
    let failed = sent_to(move |_| Answer::Http(status, String::new())).await;
    let wait = Some(chrono::Duration::seconds(90));
    assert_eq!(failed, Err(Failed::throttled(wait)));
    let status = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5";
    let failed = sent_to(move |_| Answer::Http(status, String::new())).await;
    let then = failed.expect_err("throttled").then;
    assert_eq!(then, Then::After(chrono::Duration::seconds(5)));
}

#[tokio::test]
async fn a_provider_that_is_slow_or_silent_costs_no_more_than_the_time_out() {
    // As long as it wants with the first byte, between two bytes, and behind the head of its answer.
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n".to_owned();
    for answer in [Answer::Silence, Answer::Trickle, Answer::Raw(head)] {
        let began = Instant::now();
        let failed = sent_to(move |_| answer.clone()).await;
        assert_eq!(failed, Err(Failed::later(Failure::Timeout)));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_unreachable() {
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        listener.expect("a port").local_addr().expect("an address")
    };
    let provider = made(&sms("sms", &format!("http://{gone}")));
    let failed = provider.send(&outgoing("m~1", PHONE)).await;
    assert_eq!(failed, Err(Failed::later(Failure::Unreachable)));
    let failed = sent_to(|_| Answer::Close).await;
    assert_eq!(failed, Err(Failed::later(Failure::Unreachable)));
}

/// The second answer must not be taken for that to the next message.
#[tokio::test]
async fn a_provider_that_answers_twice_is_heard_once() {
    let peer = Peer::start(|request| {
        let Answer::Http(status, body) = taken(request) else {
            panic!("taken")
        };
        let length = body.len();
        let one = format!("{status}\r\ncontent-length: {length}\r\n\r\n{body}");
        Answer::Raw(one.repeat(2))
    })
    .await;
    let provider = made(&sms("sms", &peer.url));
    for id in ["m~1", "m~2", "m~3"] {
        let taken = provider.send(&outgoing(id, PHONE)).await;
        assert_eq!(taken, Ok(Accepted), "{id}");
    }
    assert_eq!(peer.received().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Peer::start(taken).await;
    let status = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}",
        elsewhere.url
    );
    let status: &'static str = status.leak();
    let failed = sent_to(move |_| Answer::Http(status, String::new())).await;
    assert_eq!(failed, Err(Failed::later(Failure::BadAnswer)));
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn neither_secrets_nor_addresses_show_themselves() {
    let file = secret("s3cret-of-the-provider");
    let mut config = sms("sms", "http://127.0.0.1:9/v1");
    config.secret_file = Some(file.path().to_owned());
    let request = config.request.as_mut().expect("a request");
    let header = ("authorization".to_owned(), "Bearer {secret}".to_owned());
    request.headers.push(header);
    let provider = made(&config);
    let failed = provider.send(&outgoing("m~1", PHONE)).await;
    let shown = format!(
        "{provider:?} {config:?} {failed:?} {:?}",
        outgoing("m~1", PHONE)
    );
    for hidden in ["s3cret-of-the-provider", PHONE, "晨检"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

/// A server that takes webhooks, as its author would write it from the specification.
async fn verifier(verified: Arc<Mutex<Vec<String>>>) -> String {
    async fn take(
        State(verified): State<Arc<Mutex<Vec<String>>>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(id), Some(timestamp), Some(signature)) = (
            text("webhook-id"),
            text("webhook-timestamp"),
            text("webhook-signature"),
        ) else {
            return StatusCode::BAD_REQUEST;
        };
        let key = SECRET.strip_prefix("whsec_").expect("a prefix");
        let key = STANDARD.decode(key).expect("Base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&body);
        let expected = signature.strip_prefix("v1,").unwrap_or_default();
        let expected = STANDARD.decode(expected).unwrap_or_default();
        if mac.verify_slice(&expected).is_err() {
            return StatusCode::UNAUTHORIZED;
        }
        let json: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(json["data"]["id"], id);
        assert_eq!(json["data"]["urgency"], "URGENT");
        assert_eq!(json["data"]["category"], "REMINDER");
        assert_eq!(json["data"]["title"], "晨检未报");
        verified.lock().expect("not poisoned").push(id.to_owned());
        StatusCode::NO_CONTENT
    }
    let router = axum::Router::new()
        .route("/hook", axum::routing::post(take))
        .with_state(verified);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn webhook(secret: &tempfile::NamedTempFile) -> ChannelConfig {
    ChannelConfig {
        secret_file: Some(secret.path().to_owned()),
        insecure: true,
        ..ChannelConfig::new("hook", Kind::Webhook)
    }
}

#[tokio::test]
async fn a_webhook_is_verified_by_its_receiver() {
    let verified = Arc::<Mutex<Vec<String>>>::default();
    let url = verifier(verified.clone()).await;
    let right = secret(SECRET);
    let provider = made(&webhook(&right));
    assert_eq!(provider.send(&outgoing("m~1", &url)).await, Ok(Accepted));
    assert_eq!(*verified.lock().expect("not poisoned"), ["m~1"]);
    let wrong = secret("another secret of 24 bytes or more");
    let failed = made(&webhook(&wrong)).send(&outgoing("m~2", &url)).await;
    assert_eq!(failed, Err(Failed::broken()));
    assert_eq!(verified.lock().expect("not poisoned").len(), 1);
}

#[tokio::test]
async fn a_webhook_does_not_reach_into_the_own_network() {
    let verified = Arc::<Mutex<Vec<String>>>::default();
    let url = verifier(verified.clone()).await.replace("http:", "https:");
    let file = secret(SECRET);
    let mut config = webhook(&file);
    config.insecure = false;
    let nobody = Err(Failed::never(Failure::NoRecipient));
    let provider = made(&config);
    assert_eq!(provider.send(&outgoing("m~1", &url)).await, nobody);
    // A name that leads there is found by nobody.
    let named = url.replace("127.0.0.1", "localhost");
    let failed = provider.send(&outgoing("m~1", &named)).await;
    assert_eq!(failed, Err(Failed::later(Failure::Unreachable)));
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_nobodys() {
    let peer = Peer::start(|_| Answer::Http("HTTP/1.1 410 Gone", String::new())).await;
    let file = secret(SECRET);
    let failed = made(&webhook(&file))
        .send(&outgoing("m~1", &peer.url))
        .await;
    assert_eq!(failed, Err(Failed::never(Failure::NoRecipient)));
}

#[tokio::test]
async fn a_cap_document_arrives_as_it_is() {
    let peer = Peer::start(|_| Answer::Http("HTTP/1.1 202 Accepted", String::new())).await;
    let token = secret("token-of-the-centre\n");
    let config = ChannelConfig {
        url: Some(peer.url.clone()),
        secret_file: Some(token.path().to_owned()),
        insecure: true,
        ..ChannelConfig::new("cap", Kind::Cap)
    };
    let provider = made(&config);
    let document = "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">台风</alert>";
    let mut message = outgoing("m~1", "");
    let refused = provider.send(&message).await;
    assert_eq!(refused, Err(Failed::never(Failure::Refused)));
    message.document = Some(document.as_bytes().to_vec());
    assert_eq!(provider.send(&message).await, Ok(Accepted));
    let [request] = &peer.received()[..] else {
        panic!("one request")
    };
    assert_eq!(request.body, document);
    let header = |name| request.header(name);
    assert_eq!(header("authorization"), Some("Bearer token-of-the-centre"));
    assert_eq!(header("idempotency-key"), Some("m~1"));
    assert_eq!(
        header("content-type"),
        Some("application/cap+xml; charset=utf-8")
    );
}
