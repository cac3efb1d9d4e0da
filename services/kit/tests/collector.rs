//! A collector that is reached over TLS.

mod pki;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kit::telemetry::{TelemetryConfig, start};
use kit::tls::ClientTlsConfig;
use pki::Authority;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A collector whose certificate is from `authority`.
async fn listen(authority: &Authority) -> (TcpListener, TlsAcceptor, SocketAddr) {
    let pair = authority.server();
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("its key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    (listener, TlsAcceptor::from(Arc::new(config)), addr)
}

fn config(addr: SocketAddr, ca: &Path) -> TelemetryConfig {
    TelemetryConfig {
        otlp_endpoint: Some(format!("https://{addr}")),
        otlp_tls: ClientTlsConfig {
            ca: Some(ca.to_owned()),
            ..ClientTlsConfig::default()
        },
        ..TelemetryConfig::default()
    }
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn traces_go_to_a_collector_over_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("monitoring");
    let ca = authority.write(folder.path(), "ca.pem");
    let (listener, acceptor, addr) = listen(&authority).await;
    let telemetry = start("kit", &config(addr, &ca)).expect("telemetry");
    tracing::info_span!("a span to be exported").in_scope(|| ());
    let exported = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = acceptor.accept(stream).await.expect("trusts it");
        let mut preface = [0; 14];
        stream.read_exact(&mut preface).await.expect("speaks");
        preface
    };
    // The exporter waits for a batch, and no longer than a few seconds.
    let preface = tokio::time::timeout(Duration::from_secs(30), exported).await;
    assert_eq!(&preface.expect("in time"), b"PRI * HTTP/2.0");
    let ended = tokio::task::spawn_blocking(move || drop(telemetry)).await;
    ended.expect("telemetry ends");
}
