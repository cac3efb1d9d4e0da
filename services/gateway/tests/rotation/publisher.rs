//! An issuer that publishes its keys over HTTPS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, ready};
use http::{Request, Response};
use http_body_util::Full;
use kit::auth::AuthConfig;
use kit::drain::Drain;
use kit::server::{Behind, Front, Running, Server, ServerConfig, TlsConfig};
use tempfile::TempDir;
use tonic::body::Body;
use tonic::service::Routes;

use crate::door::clock;
use crate::pki::Authority;

/// What is published, and how often it was asked for.
#[derive(Debug)]
struct Page {
    text: Mutex<String>,
    asked: AtomicUsize,
}

impl Front for Page {
    fn takes(&self, _: &Request<Body>) -> bool {
        true
    }

    fn answer(&self, _: Request<Body>, _: Behind) -> BoxFuture<'static, Response<Body>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let text = self.text.lock().expect("no panic").clone();
        Box::pin(ready(Response::new(Body::new(Full::from(text)))))
    }
}

/// Publishes a key set.
pub(crate) struct Publisher {
    page: Arc<Page>,
    server: Running,
    folder: TempDir,
}

impl Publisher {
    pub(crate) async fn start(text: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("issuer");
        authority.write(folder.path(), "ca.pem");
        let (certificate, key) = authority.server().write(folder.path(), "issuer");
        let listen = ServerConfig {
            tls: Some(TlsConfig {
                certificate,
                key,
                client_ca: None,
                client_required: false,
            }),
            ..ServerConfig::loopback()
        };
        let page = Arc::new(Page {
            text: Mutex::new(text),
            asked: AtomicUsize::new(0),
        });
        let nobody = AuthConfig::development();
        let server = Server::bind(&listen, &nobody, clock(), Drain::new()).await;
        let server = server.expect("binds").behind(page.clone());
        Self {
            page,
            server: server.serve(Routes::default()),
            folder,
        }
    }

    /// Publishes this from now on.
    pub(crate) fn publish(&self, text: String) {
        *self.page.text.lock().expect("no panic") = text;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.page.asked.load(Ordering::SeqCst)
    }

    /// The settings of whoever follows it.
    pub(crate) fn auth(&self) -> AuthConfig {
        AuthConfig {
            jwks_url: Some(format!("https://{}/keys", self.server.addr)),
            jwks_ca_file: Some(self.folder.path().join("ca.pem")),
            ..AuthConfig::default()
        }
    }
}
