//! Encrypted connections, and systems that are known by their certificates.

mod pki;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, stream};
use kit::auth::{AuthConfig, Issuer, PartnerConfig, Role, caller};
use kit::channel::Channel;
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Exposure, Running, Server, ServerConfig, TlsConfig};
use kit::tls::ClientTlsConfig;
use pki::Authority;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

/// Tells a caller its own name.
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
        Ok(Response::new(Box::pin(stream::pending())))
    }
}

/// A server with a certificate, which asks clients for theirs.
struct Stand {
    folder: TempDir,
    authority: Authority,
    running: Running,
}

impl Stand {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("schools");
        let client_ca = authority.write(folder.path(), "ca.pem");
        let (certificate, key) = authority.server().write(folder.path(), "server");
        let config = ServerConfig {
            tls: Some(TlsConfig {
                certificate,
                key,
                client_ca: Some(client_ca),
                client_required: false,
            }),
            ..ServerConfig::loopback()
        };
        let partner = |name: &str| PartnerConfig {
            certificate: format!("cn:{name}"),
            subject: format!("system {name}"),
            role: "partner-system".to_owned(),
            scope: "fz".to_owned(),
            expires: SystemClock.now() + Duration::from_secs(3600),
            ..PartnerConfig::default()
        };
        let auth = AuthConfig {
            partners: ["health", "police"].map(partner).to_vec(),
            ..AuthConfig::development()
        };
        assert_eq!(config.check(&auth, Exposure::Outside), Ok(()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let server = Server::bind(&config, &auth, clock, Drain::new());
        let server = server.await.expect("binds");
        let echo = ClearanceFeedServer::new(Echo);
        Self {
            folder,
            authority,
            running: server.serve(tonic::service::Routes::new(echo)),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn trusting(&self, authority: &Authority, name: &str) -> ClientTlsConfig {
        ClientTlsConfig {
            ca: Some(authority.write(self.path(), name)),
            ..ClientTlsConfig::default()
        }
    }

    fn channel(&self, tls: &ClientTlsConfig) -> Channel {
        Channel::to(&format!("https://{}", self.running.addr), Some(tls)).expect("an address")
    }

    /// A client that trusts the server and shows this certificate.
    fn showing(&self, pair: &pki::Pair, name: &str) -> ClientTlsConfig {
        let (certificate, key) = pair.write(self.path(), name);
        ClientTlsConfig {
            certificate: Some(certificate),
            key: Some(key),
            ..self.trusting(&self.authority, "ca.pem")
        }
    }
}

fn token() -> String {
    let minute = Duration::from_secs(60);
    let (root, now) = (OrgPath::root(), SystemClock.now());
    // Over the connection of a partner, what it agreed to counts.
    let roles = [Role::Guard, Role::PartnerSystem];
    Issuer::development().token("guard-1", &roles, &root, None, now, minute)
}

/// Who the server says that is calling.
async fn named(channel: Channel, token: Option<String>) -> Result<String, Status> {
    let mut request = Request::new(ClearanceSnapshotRequest::default());
    if let Some(token) = token {
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
    }
    let mut client = ClearanceFeedClient::new(channel);
    let mut pages = client.snapshot(request).await?.into_inner();
    Ok(pages.message().await?.unwrap_or_default().resume_token)
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

#[tokio::test]
async fn calls_are_encrypted_for_who_trusts_the_right_authority() {
    let stand = Stand::start().await;
    let right = stand.trusting(&stand.authority, "ca.pem");
    let called = named(stand.channel(&right), Some(token())).await;
    assert_eq!(called.unwrap(), "guard-1");
    let stranger = Authority::new("somebody else");
    let wrong = stand.trusting(&stranger, "other.pem");
    let refused = named(stand.channel(&wrong), Some(token())).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    let plain = kit::channel::connect_lazy(&format!("http://{}", stand.running.addr)).unwrap();
    let refused = named(plain.into(), Some(token())).await;
    assert!(refused.is_err(), "nothing is said in plain text");
    stand.running.stop().await.unwrap();
}

/// Agrees on encryption with the server and returns the certificate that it showed.
async fn shown_by(
    addr: SocketAddr,
    authority: &Path,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<CertificateDer<'static>> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority).expect("a certificate"))
        .expect("taken");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("taken")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = stream.await?;
    let (_, session) = stream.get_ref();
    Ok(session.peer_certificates().expect("certificates")[0]
        .clone()
        .into_owned())
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let stand = Stand::start().await;
    let (addr, ca) = (stand.running.addr, stand.path().join("ca.pem"));
    assert!(
        shown_by(addr, &ca, &[&rustls::version::TLS12])
            .await
            .is_err()
    );
    assert!(
        shown_by(addr, &ca, &[&rustls::version::TLS13])
            .await
            .is_ok()
    );
    stand.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_partner_calls_with_its_certificate_alone() {
    let stand = Stand::start().await;
    let health = stand.showing(&stand.authority.client("health"), "health");
    let called = named(stand.channel(&health), None).await;
    assert_eq!(called.unwrap(), "system health");
    let called = named(stand.channel(&health), Some(token())).await;
    assert_eq!(called.unwrap(), "guard-1", "the token says who");
    let stranger = stand.showing(&stand.authority.client("stranger"), "stranger");
    let refused = named(stand.channel(&stranger), None).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "PARTNER_UNKNOWN")
    );
    let nobody = stand.trusting(&stand.authority, "ca.pem");
    let refused = named(stand.channel(&nobody), None).await.unwrap_err();
    assert_eq!(reason(&refused), "TOKEN_INVALID");
    stand.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_or_that_is_over_connects_nobody() {
    let stand = Stand::start().await;
    let elsewhere = Authority::new("schools").client("health");
    let forged = stand.showing(&elsewhere, "forged");
    assert!(named(stand.channel(&forged), None).await.is_err());
    let over = stand.showing(&stand.authority.expired("health"), "over");
    assert!(named(stand.channel(&over), None).await.is_err());
    stand.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_certificate_is_over_is_not_called() {
    let stand = Stand::start().await;
    let right = stand.trusting(&stand.authority, "ca.pem");
    stand
        .authority
        .expired("schools")
        .write(stand.path(), "server");
    let until_refused = async {
        // The server looks at its files once a second.
        while named(stand.channel(&right), Some(token())).await.is_ok() {}
    };
    let refused = tokio::time::timeout(Duration::from_secs(30), until_refused).await;
    refused.expect("the client refuses");
    stand.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_renewed_under_load_without_a_failed_call() {
    let stand = Arc::new(Stand::start().await);
    let right = stand.trusting(&stand.authority, "ca.pem");
    let (over, calls) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let lasting = stand.channel(&right);
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (stand, right, lasting) = (stand.clone(), right.clone(), lasting.clone());
            let (over, calls) = (over.clone(), calls.clone());
            tokio::spawn(async move {
                let token = token();
                while !over.load(Ordering::Relaxed) {
                    // Half of them keep their connection, half of them make one for each call.
                    let channel = if client % 2 == 0 {
                        lasting.clone()
                    } else {
                        stand.channel(&right)
                    };
                    let called = named(channel, Some(token.clone())).await;
                    assert_eq!(called.expect("no call fails"), "guard-1");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let renewed = stand.authority.server();
        renewed.write(stand.path(), "server");
        let wanted = CertificateDer::from_pem_slice(renewed.certificate.as_bytes()).unwrap();
        let ca = stand.path().join("ca.pem");
        let until_shown = async {
            let versions = [&rustls::version::TLS13];
            while shown_by(stand.running.addr, &ca, &versions).await.unwrap() != wanted {}
        };
        let shown = tokio::time::timeout(Duration::from_secs(30), until_shown).await;
        shown.expect("the new certificate is shown");
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no call failed");
    }
    assert!(calls.load(Ordering::Relaxed) > 0);
    let stand = Arc::into_inner(stand).expect("the clients are gone");
    stand.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_shows_its_renewed_certificate_from_the_next_connection_on() {
    let stand = Stand::start().await;
    let tls = stand.showing(&stand.authority.client("health"), "own");
    let channel = stand.channel(&tls);
    assert_eq!(named(channel.clone(), None).await.unwrap(), "system health");
    stand.authority.client("police").write(stand.path(), "own");
    let called = named(channel, None).await.unwrap();
    assert_eq!(called, "system health", "the connection stays");
    // A channel that is made now begins with a connection of its own.
    assert_eq!(
        named(stand.channel(&tls), None).await.unwrap(),
        "system police"
    );
    stand.running.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_does_not_agree_on_encryption_in_time_is_closed() {
    let stand = Stand::start().await;
    let mut quiet = TcpStream::connect(stand.running.addr).await.unwrap();
    let closed = async {
        let mut bytes = Vec::new();
        // A reset closes as well as an end does.
        let _ = quiet.read_to_end(&mut bytes).await;
    };
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    closed.expect("the server closes it");
    stand.running.stop().await.unwrap();
}

#[test]
fn files_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("schools");
    let (certificate, key) = authority.server().write(folder.path(), "server");
    let (_, other) = authority.server().write(folder.path(), "other");
    let empty = pki::write(folder.path(), "empty", "");
    let good = TlsConfig {
        certificate,
        key: key.clone(),
        client_ca: None,
        client_required: false,
    };
    assert_eq!(good.check(), Ok(()));
    let refused = |change: &dyn Fn(&mut TlsConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config.check().unwrap_err()
    };
    for (key, refused) in [
        (
            "server.tls.certificate: ",
            refused(&|c| c.certificate = empty.clone()),
        ),
        (
            "server.tls.certificate: ",
            refused(&|c| c.certificate = key.clone()),
        ),
        (
            "server.tls.key: ",
            refused(&|c| c.key = "/nonexistent".into()),
        ),
        (
            "server.tls.key: not of this",
            refused(&|c| c.key = other.clone()),
        ),
        (
            "server.tls.client_ca: ",
            refused(&|c| c.client_ca = Some(empty.clone())),
        ),
        (
            "server.tls.client_ca: ",
            refused(&|c| c.client_required = true),
        ),
    ] {
        assert!(refused.starts_with(key), "{key}: {refused}");
    }
}

#[test]
fn the_door_is_encrypted_in_production_and_what_stands_behind_says_why_not() {
    let listen: SocketAddr = "0.0.0.0:7400".parse().unwrap();
    let mut auth = AuthConfig {
        production: true,
        ..AuthConfig::default()
    };
    let check = |auth: &AuthConfig, exposure| ServerConfig::new(listen).check(auth, exposure);
    for exposure in [Exposure::Outside, Exposure::Inside] {
        let refused = check(&auth, exposure).unwrap_err();
        assert!(refused.starts_with("server.tls: "), "{refused}");
    }
    auth.plaintext_inside = true;
    assert!(check(&auth, Exposure::Outside).is_err());
    assert_eq!(check(&auth, Exposure::Inside), Ok(()));
    auth.plaintext_inside = false;
    let here = ServerConfig::loopback();
    assert_eq!(here.check(&auth, Exposure::Inside), Ok(()));
    assert!(here.check(&auth, Exposure::Outside).is_err());
    let mut trial = AuthConfig::development();
    let refused = check(&trial, Exposure::Outside).unwrap_err();
    assert!(refused.starts_with("auth.development: "), "{refused}");
    trial.trial = true;
    assert_eq!(check(&trial, Exposure::Outside), Ok(()));
}
