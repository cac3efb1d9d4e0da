//! Callers who show the gateway a certificate, and encrypted ways to the services behind it.

#[path = "../../kit/tests/pki/mod.rs"]
mod pki;
#[path = "certificates/rotating.rs"]
mod rotating;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use gateway::{Config, LimitsConfig, UpstreamsConfig};
use kit::auth::{AuthConfig, Issuer, PartnerConfig, Role, caller};
use kit::channel::Channel;
use kit::clock::{Clock, SystemClock};
use kit::config::Settings;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig, TlsConfig};
use kit::tls::ClientTlsConfig;
use pki::Authority;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use tempfile::TempDir;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

/// Tells a caller what the service knows of it, and the head of the token that it came with.
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
        let caller = caller(&request)?;
        let partner = caller.partner.as_deref().unwrap_or("-");
        let token = request.metadata().get("authorization");
        let token = token.and_then(|token| token.to_str().ok());
        let head = token.and_then(|token| token.split('.').next());
        let page = ClearanceSnapshotResponse {
            page_token: head.unwrap_or_default().to_owned(),
            resume_token: format!("{} {} {partner}", caller.subject, caller.scope),
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

/// Writes a key of the gateway and returns the file and the public key.
fn gateway_key(folder: &Path, seed: u8) -> (PathBuf, String) {
    gateway_key_in(folder, "gateway.pem", seed)
}

fn gateway_key_in(folder: &Path, name: &str, seed: u8) -> (PathBuf, String) {
    use base64::Engine as _;
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::EncodePrivateKey;

    let key = SigningKey::from_bytes(&[seed; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).expect("a key");
    let public = base64::engine::general_purpose::STANDARD.encode(key.verifying_key().as_bytes());
    (pki::write(folder, name, &pem), public)
}

/// Writes the file of the keys of the gateway that the service believes.
fn publish(folder: &Path, keys: &[&str]) -> PathBuf {
    pki::write(folder, "gateway-keys", &keys.join("\n"))
}

fn tls(folder: &Path, authority: &Authority, name: &str, required: bool) -> TlsConfig {
    let (certificate, key) = authority.server().write(folder, name);
    TlsConfig {
        certificate,
        key,
        client_ca: Some(authority.write(folder, "ca.pem")),
        client_required: required,
    }
}

fn client(folder: &Path, authority: &Authority, name: &str) -> ClientTlsConfig {
    let (certificate, key) = authority.client(name).write(folder, name);
    ClientTlsConfig {
        ca: Some(authority.write(folder, "ca.pem")),
        certificate: Some(certificate),
        key: Some(key),
    }
}

/// A gateway with a certificate before `service`, which signs with the key in `key_file`.
async fn door(folder: &Path, service: &Running, key_file: PathBuf) -> Running {
    let address = format!("https://{}", service.addr);
    let upstreams = UpstreamsConfig {
        roster: address.clone(),
        sampling: address.clone(),
        safety_inspection: address.clone(),
        notification: address,
    };
    let auth = AuthConfig {
        partners: vec![PartnerConfig {
            certificate: "cn:health".to_owned(),
            subject: "city-health".to_owned(),
            role: "disease-control".to_owned(),
            scope: "fz/350102".to_owned(),
            expires: SystemClock.now() + Duration::from_secs(3600),
            ..PartnerConfig::default()
        }],
        client_tls: Some(ClientTlsConfig {
            ca: Some(folder.join("ca.pem")),
            certificate: Some(folder.join("gateway.crt")),
            key: Some(folder.join("gateway.key")),
        }),
        ..AuthConfig::development()
    };
    let listen = ServerConfig {
        tls: Some(TlsConfig {
            certificate: folder.join("door.crt"),
            key: folder.join("door.key"),
            client_ca: Some(folder.join("ca.pem")),
            client_required: false,
        }),
        ..ServerConfig::loopback()
    };
    let mut config = Config::new(listen, auth, upstreams);
    config.internal_token_key_file = Some(key_file);
    config.connect_timeout = Duration::from_secs(20);
    config.limits = LimitsConfig::wide();
    assert_eq!(config.check(), Ok(()));
    let started = gateway::start(config, Arc::new(SystemClock), Drain::new());
    started.await.expect("starts")
}

struct Stand {
    folder: TempDir,
    authority: Authority,
    service: Running,
    gateway: Running,
}

impl Stand {
    /// A gateway with a certificate before a service with one, both of which ask for others'.
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("schools");
        let path = folder.path();
        let (key_file, public) = gateway_key(path, 1);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);

        let inside = AuthConfig {
            gateway_keys_file: Some(publish(path, &[&public])),
            ..AuthConfig::development()
        };
        let listen = ServerConfig {
            tls: Some(tls(path, &authority, "service", true)),
            ..ServerConfig::loopback()
        };
        let server = Server::bind(&listen, &inside, clock, Drain::new());
        let server = server.await.expect("binds");
        let service = server.serve(tonic::service::Routes::new(ClearanceFeedServer::new(Echo)));

        tls(path, &authority, "door", false);
        for name in ["gateway", "health", "somebody"] {
            client(path, &authority, name);
        }
        let gateway = door(path, &service, key_file).await;
        Self {
            folder,
            authority,
            service,
            gateway,
        }
    }

    /// Another gateway, which signs with the key of this seed whatever the first one does, and the public key.
    async fn beside(&self, seed: u8) -> (Running, String) {
        let (path, name) = (self.folder.path(), format!("gateway-{seed}.pem"));
        let (key_file, public) = gateway_key_in(path, &name, seed);
        (door(path, &self.service, key_file).await, public)
    }

    /// A client with the certificate of this name.
    fn channel(&self, name: &str) -> Channel {
        self.channel_to(&self.gateway, name)
    }

    fn channel_to(&self, gateway: &Running, name: &str) -> Channel {
        let file = |name: String| Some(self.folder.path().join(name));
        let tls = ClientTlsConfig {
            ca: file("ca.pem".to_owned()),
            certificate: file(format!("{name}.crt")),
            key: file(format!("{name}.key")),
        };
        Channel::to(&format!("https://{}", gateway.addr), Some(&tls)).expect("an address")
    }

    async fn stop(self) {
        self.gateway.stop().await.expect("stops");
        self.service.stop().await.expect("stops");
    }
}

fn token(scope: &str) -> String {
    let (minute, now) = (Duration::from_secs(60), SystemClock.now());
    let scope: OrgPath = scope.parse().expect("a scope");
    let roles = [Role::CityOfficer, Role::DiseaseControl];
    Issuer::development().token("guard-1", &roles, &scope, None, now, minute)
}

/// What the service behind the gateway says of the caller.
async fn seen(channel: Channel, token: Option<String>) -> Result<String, Status> {
    Ok(asked(channel, token).await?.resume_token)
}

/// The head of the token by which the service behind the gateway knows a partner: it names the key.
async fn vouched(channel: &Channel) -> Result<String, Status> {
    Ok(asked(channel.clone(), None).await?.page_token)
}

async fn asked(
    channel: Channel,
    token: Option<String>,
) -> Result<ClearanceSnapshotResponse, Status> {
    let mut request = Request::new(ClearanceSnapshotRequest::default());
    if let Some(token) = token {
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
    }
    let mut client = ClearanceFeedClient::new(channel);
    let mut pages = client.snapshot(request).await?.into_inner();
    Ok(pages.message().await?.unwrap_or_default())
}

#[tokio::test]
async fn the_service_behind_knows_a_caller_by_certificate_from_the_gateways_token() {
    let stand = Stand::start().await;
    let health = stand.channel("health");
    let alone = seen(health.clone(), None).await.unwrap();
    assert_eq!(alone, "city-health fz/350102 city-health");
    let both = seen(health.clone(), Some(token("fz"))).await.unwrap();
    assert_eq!(both, "guard-1 fz/350102 city-health", "no more than agreed");
    let refused = seen(health, Some("forged".to_owned())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let person = stand.channel("somebody");
    let passed = seen(person.clone(), Some(token("fz"))).await.unwrap();
    assert_eq!(passed, "guard-1 fz -", "a token goes through as it is");
    let refused = seen(person, None).await.unwrap_err();
    let reason = refused.get_details_error_info().unwrap().reason;
    assert_eq!(reason, "PARTNER_UNKNOWN");
    stand.stop().await;
}

#[tokio::test]
async fn a_service_that_asks_for_certificates_is_not_reached_past_the_gateway() {
    let stand = Stand::start().await;
    let tls = ClientTlsConfig {
        ca: Some(stand.folder.path().join("ca.pem")),
        ..ClientTlsConfig::default()
    };
    let address = format!("https://{}", stand.service.addr);
    let past = Channel::to(&address, Some(&tls)).unwrap();
    assert!(seen(past, Some(token("fz"))).await.is_err());
    stand.stop().await;
}

#[test]
fn what_the_gateway_needs_for_certificates_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = Authority::new("schools");
    let config = || {
        let address = || "http://127.0.0.1:1".to_owned();
        let upstreams = UpstreamsConfig {
            roster: address(),
            sampling: address(),
            safety_inspection: address(),
            notification: address(),
        };
        Config::new(
            ServerConfig::loopback(),
            AuthConfig::development(),
            upstreams,
        )
    };
    assert_eq!(config().check(), Ok(()));
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        config.check().unwrap_err()
    };
    let partner = || PartnerConfig {
        certificate: "cn:health".to_owned(),
        subject: "health".to_owned(),
        role: "partner-system".to_owned(),
        expires: SystemClock.now(),
        ..PartnerConfig::default()
    };
    let (_, public) = gateway_key(path, 1);
    let production = |config: &mut Config| {
        config.auth.production = true;
        config.auth.development = false;
        config.auth.keys = [("a".to_owned(), public.clone())].into();
    };
    let encrypted = |config: &mut Config| {
        let tls = tls(path, &authority, "door", false);
        config.server.tls = Some(TlsConfig {
            client_ca: None,
            ..tls
        });
    };
    for (key, refused) in [
        (
            "server.tls.client_ca: ",
            refused(&|c| c.auth.partners = vec![partner()]),
        ),
        (
            "internal_token_key_file: needed",
            refused(&|c| c.server.tls = Some(tls(path, &authority, "door", false))),
        ),
        (
            "internal_token_key_file: /",
            refused(&|c| c.internal_token_key_file = Some(path.join("door.key"))),
        ),
        (
            "auth.gateway_keys_file: ",
            refused(&|c| c.auth.gateway_keys_file = Some(publish(path, &[&public]))),
        ),
        (
            "auth.gateway_keys: ",
            refused(&|c| c.auth.gateway_keys = vec![public.clone()]),
        ),
        ("server.tls: needed", refused(&production)),
        (
            "upstreams.roster: https://",
            refused(&|c| {
                production(c);
                encrypted(c);
                c.upstreams.roster = "http://roster:7401".to_owned();
            }),
        ),
    ] {
        assert!(refused.starts_with(key), "{key}: {refused}");
    }
}
