//! A gateway that follows a file of agreements, before a service that answers every method with everything that
//! its contract knows, and those who call with certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gateway::{Config, LimitsConfig, UpstreamsConfig};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use kit::auth::{AuthConfig, Caller, Issuer, PartnerConfig, Role};
use kit::channel::Channel;
use kit::clock::{Clock, ManualClock};
use kit::config::Settings;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig, TlsConfig};
use kit::tls::ClientTlsConfig;
use prost::Message as _;
use prost_reflect::DescriptorPool;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use crate::contracts;
use crate::pki::{self, Authority};
use crate::spy::{Ear, Spy};

/// The agreements that operators are shown.
pub(crate) const AGREEMENTS: &str = include_str!("../../../../deploy/config/partners.toml");
/// Nothing takes longer; a loaded machine has its share in this.
pub(crate) const IN_TIME: Duration = Duration::from_secs(30);
/// A stream that never ends by itself.
pub(crate) const WATCH: &str = "/campus.sampling.v1.SamplingFeed/Watch";
/// How much stands before a message of gRPC.
const HEAD: usize = 5;

/// The agreements of a text.
pub(crate) fn read(agreements: &str) -> Vec<PartnerConfig> {
    #[derive(Deserialize)]
    struct File {
        partners: Vec<PartnerConfig>,
    }
    let file: File = toml::from_str(agreements).expect("agreements");
    file.partners
}

pub(crate) struct Stand {
    folder: TempDir,
    pub(crate) clock: ManualClock,
    /// The paths at which the service was called.
    seen: mpsc::UnboundedReceiver<String>,
    /// What the service is told of calls that the gateway refuses.
    pub(crate) ear: Ear,
    _running: [Running; 2],
}

impl Stand {
    /// Everybody of `agreements` has a certificate.
    pub(crate) async fn start(agreements: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let clock = ManualClock::at("2027-01-04T00:00:00Z".parse().expect("an instant"));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let authority = Authority::new("partners");
        for partner in read(agreements) {
            let pair = authority.partner(&partner.certificate);
            pair.write(path, &partner.subject);
        }
        let (key_file, public) = gateway_key(path);
        let (tell, seen) = mpsc::unbounded_channel();
        let (spy, ear) = Spy::new();
        let service = service(public, shared.clone(), tell, spy).await;

        let (certificate, key) = authority.server().write(path, "door");
        let listen = ServerConfig {
            tls: Some(TlsConfig {
                certificate,
                key,
                client_ca: Some(authority.write(path, "ca.pem")),
                client_required: false,
            }),
            drain: Duration::from_millis(50),
            ..ServerConfig::loopback()
        };
        let auth = AuthConfig {
            partners_file: Some(pki::write(path, "partners.toml", agreements)),
            ..AuthConfig::development()
        };
        let address = format!("http://{}", service.addr);
        let upstreams = UpstreamsConfig {
            roster: address.clone(),
            sampling: address.clone(),
            safety_inspection: address.clone(),
            notification: address,
        };
        let mut config = Config::new(listen, auth, upstreams);
        config.internal_token_key_file = Some(key_file);
        // What is agreed counts all the same.
        config.limits = LimitsConfig::wide();
        config.connect_timeout = Duration::from_secs(20);
        assert_eq!(config.check(), Ok(()));
        let gateway = gateway::start(config, shared, Drain::new());
        let gateway = gateway.await.expect("starts");
        pki::write(path, "address", &format!("https://{}", gateway.addr));
        Self {
            folder,
            clock,
            seen,
            ear,
            _running: [service, gateway],
        }
    }

    /// The way of a partner to the gateway.
    pub(crate) fn channel(&self, subject: &str) -> Channel {
        let file = |name: String| self.folder.path().join(name);
        let tls = ClientTlsConfig {
            ca: Some(file("ca.pem".to_owned())),
            certificate: Some(file(format!("{subject}.crt"))),
            key: Some(file(format!("{subject}.key"))),
        };
        let address = std::fs::read_to_string(file("address".to_owned())).expect("an address");
        Channel::to(&address, Some(&tls)).expect("an address")
    }

    /// Puts other agreements in place of those that are there.
    pub(crate) fn agree(&self, agreements: &str) {
        pki::write(self.folder.path(), "partners.toml", agreements);
    }

    /// Where the service was called since it was looked at last.
    pub(crate) fn came(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }

    /// A token of somebody in these roles, for the whole city.
    pub(crate) fn token(&self, subject: &str, roles: &[Role]) -> String {
        let caller = Caller {
            second_factor: true,
            ..Caller::new(subject, roles.to_vec(), OrgPath::root())
        };
        Issuer::development().issue(caller, self.clock.now(), Duration::from_secs(600))
    }
}

/// Writes a key of the gateway and returns the file and the public key.
fn gateway_key(folder: &Path) -> (PathBuf, String) {
    use base64::Engine as _;
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::EncodePrivateKey;

    let key = SigningKey::from_bytes(&[1; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).expect("a key");
    let public = base64::engine::general_purpose::STANDARD.encode(key.verifying_key().as_bytes());
    (pki::write(folder, "gateway.pem", &pem), public)
}

/// A service that believes the gateway, and tells where it was called.
async fn service(
    public: String,
    clock: Arc<dyn Clock>,
    tell: mpsc::UnboundedSender<String>,
    spy: Arc<Spy>,
) -> Running {
    let auth = AuthConfig {
        gateway_keys: vec![public],
        ..AuthConfig::development()
    };
    let listen = ServerConfig {
        drain: Duration::from_millis(50),
        ..ServerConfig::loopback()
    };
    let server = Server::bind(&listen, &auth, clock, Drain::new());
    let server = server.await.expect("binds").behind(spy);
    let pool = contracts::pool();
    let answer = move |request: Request<axum::body::Body>| {
        let (pool, tell) = (pool.clone(), tell.clone());
        async move { answer(&pool, &tell, request).await }
    };
    let router = axum::Router::new().fallback(answer);
    server.serve(tonic::service::Routes::from(router))
}

async fn answer(
    pool: &DescriptorPool,
    tell: &mpsc::UnboundedSender<String>,
    request: Request<axum::body::Body>,
) -> Response<axum::body::Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let methods = contracts::methods(pool);
    let method = methods
        .iter()
        .find(|method| contracts::path(method) == path);
    let Some(method) = method else {
        return Status::unimplemented(path).into_http();
    };
    // The test may not care, and who gave up sends no more.
    let _ = (tell.send(path.clone()), body.collect().await);
    let message = framed(&contracts::filled(&method.output()).encode_to_vec());
    let first = stream::iter([Ok::<_, std::io::Error>(message)]);
    let body = if path == WATCH {
        axum::body::Body::from_stream(first.chain(stream::pending()))
    } else {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let whole = axum::body::Body::from_stream(first);
        axum::body::Body::new(whole.with_trailers(async move { Some(Ok(trailers)) }))
    };
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", kind);
    response
}

fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&[0_u8][..], &length, message].concat().into()
}

/// An answer of gRPC that is read message by message.
pub(crate) struct Answer {
    body: Body,
    buffer: Vec<u8>,
}

impl Answer {
    /// The next message, or how the answer ends.
    pub(crate) async fn next(&mut self) -> Result<Bytes, Status> {
        let next = timeout(IN_TIME, async {
            loop {
                if let Some((head, rest)) = self.buffer.split_first_chunk::<HEAD>() {
                    let [flag, length @ ..] = *head;
                    assert_eq!(flag, 0, "a message of gRPC");
                    let length = usize::try_from(u32::from_be_bytes(length)).expect("short");
                    if let Some((message, rest)) = rest.split_at_checked(length) {
                        let message = Bytes::copy_from_slice(message);
                        self.buffer = rest.to_vec();
                        return Ok(message);
                    }
                }
                let frame = self.body.frame().await.expect("an end").expect("whole");
                match frame.into_data() {
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(frame) => {
                        let trailers = frame.trailers_ref().expect("trailers");
                        return Err(Status::from_header_map(trailers).expect("a status"));
                    }
                }
            }
        });
        next.await.expect("in time")
    }
}

/// Calls a method by gRPC with an empty message.
pub(crate) async fn open(
    channel: &Channel,
    path: &str,
    token: Option<&str>,
) -> Result<Answer, Status> {
    let message = Body::new(Full::new(framed(&[])));
    let request = request("POST", path, "application/grpc", token, message);
    let response = send(channel, request).await;
    match Status::from_header_map(response.headers()) {
        Some(status) => Err(status),
        None => Ok(Answer {
            body: response.into_body(),
            buffer: Vec::new(),
        }),
    }
}

/// The first message that a method answers.
pub(crate) async fn call(
    channel: &Channel,
    path: &str,
    token: Option<&str>,
) -> Result<Bytes, Status> {
    open(channel, path, token).await?.next().await
}

pub(crate) fn request(
    method: &str,
    path: &str,
    kind: &str,
    token: Option<&str>,
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body).expect("a request")
}

pub(crate) async fn send(channel: &Channel, request: Request<Body>) -> Response<Body> {
    let answered = timeout(IN_TIME, channel.clone().oneshot(request)).await;
    answered.expect("in time").expect("answered")
}

pub(crate) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}
