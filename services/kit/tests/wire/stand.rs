//! A server in a process of its own, somebody who calls it as they should, and what an attacker knows of it.

use std::net::SocketAddr;
use std::time::Duration;

use kit::auth::{Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::org::OrgPath;
use kit::server::{ServerConfig, TlsConfig};
use kit::tls::ClientTlsConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Target;
use super::apart::{self, Apart};
use super::good::Caller;
use super::pki::Authority;

/// A method that sends one text back.
pub(crate) const ECHO: &str = "/campus.safety.v1.GateService/CheckEntry";
/// A method that takes a list of large things, and answers nothing.
pub(crate) const LISTS: &str = "/campus.safety.v1.GateService/RecordBatch";
/// A request that is not whole is given up after this.
pub(crate) const WITHIN: Duration = Duration::from_millis(500);

/// How a server is set up. What is not said is as it is delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// Whether it encrypts.
    pub(crate) encrypts: bool,
    /// After how long it asks for a sign of life, and how long it waits for one.
    pub(crate) ping: Option<Duration>,
    /// After how long without a call it closes a connection.
    pub(crate) idle: Option<Duration>,
    /// How many file descriptors it may have.
    pub(crate) files: Option<u32>,
}

pub(crate) const PLAIN: How = How {
    encrypts: false,
    ping: None,
    idle: None,
    files: None,
};
pub(crate) const ENCRYPTED: How = How {
    encrypts: true,
    ..PLAIN
};
pub(crate) const IMPATIENT: How = How {
    ping: Some(Duration::from_secs(1)),
    ..PLAIN
};
pub(crate) const ENCRYPTED_IMPATIENT: How = How {
    encrypts: true,
    ..IMPATIENT
};
pub(crate) const BUSY: How = How {
    idle: Some(Duration::from_secs(2)),
    ..IMPATIENT
};
pub(crate) const ENCRYPTED_BUSY: How = How {
    encrypts: true,
    ..BUSY
};
pub(crate) const POOR: How = How {
    files: Some(96),
    ..PLAIN
};

/// A server under attack.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) server: Apart,
    pub(crate) how: How,
    /// What an attacker knows, who may call but means ill.
    pub(crate) target: Target,
    pub(crate) good: Caller,
    /// Its certificates.
    _folder: Option<TempDir>,
}

impl Stand {
    /// Starts this binary's server before what answers at `behind`, if anything does.
    pub(crate) async fn start(how: How, behind: Option<SocketAddr>) -> Self {
        let mut told = json!({
            "ping": how.ping.map(|ping| ping.as_millis().to_string()),
            "idle": how.idle.map(|idle| idle.as_millis().to_string()),
            "behind": behind.map(|behind| behind.to_string()),
            "poor": how.files.is_some(),
        });
        let (folder, tls) = how.encrypts.then(certificates).unzip();
        if let Some(folder) = &folder {
            told["certificates"] = json!(folder.path());
        }
        let server = Apart::start(&told, how.files).await;
        let target = |subject: &str| Target {
            addr: server.addr,
            path: ECHO,
            bearer: bearer(subject),
            tls: tls.clone(),
        };
        let (good, target) = (Caller::of(target("good")), target("ill"));
        // What is done once is done before anything is measured.
        good.calls(20, super::good::Way::One).await;
        Self {
            server,
            how,
            target,
            good,
            _folder: folder,
        }
    }
}

/// A certificate of a server, and by whose word it is known.
fn certificates() -> (TempDir, ClientTlsConfig) {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("schools");
    authority.server().write(folder.path(), "server");
    let known = ClientTlsConfig {
        ca: Some(authority.write(folder.path(), "ca.pem")),
        ..ClientTlsConfig::default()
    };
    (folder, known)
}

fn bearer(subject: &str) -> String {
    let (root, now) = (OrgPath::root(), SystemClock.now());
    let hour = Duration::from_secs(3600);
    let token = Issuer::development().token(subject, &[Role::Guard], &root, None, now, hour);
    format!("Bearer {token}")
}

/// How a server listens that was told `how`.
pub(crate) fn listens(how: &Value) -> ServerConfig {
    let shipped = ServerConfig::loopback();
    let told = |name: &str| {
        let told = how[name].as_str().and_then(|told| told.parse().ok());
        told.map(Duration::from_millis)
    };
    let ping = told("ping");
    let tls = apart::folder(how, "certificates").map(|folder| TlsConfig {
        certificate: folder.join("server.crt"),
        key: folder.join("server.key"),
        client_ca: None,
        client_required: false,
    });
    ServerConfig {
        request_within: WITHIN,
        idle_within: told("idle").unwrap_or(shipped.idle_within),
        ping_interval: ping.unwrap_or(shipped.ping_interval),
        ping_timeout: ping.unwrap_or(shipped.ping_timeout),
        tls,
        ..shipped
    }
}
