//! What a service tells about itself leaves the process only when it was told where to.

use std::time::Duration;

use kit::telemetry::{Format, TelemetryConfig, TelemetryError, start};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn traces_go_to_the_collector_and_a_wrong_filter_names_its_key() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let config = TelemetryConfig {
        format: Format::Json,
        filter: "info,=".to_owned(),
        otlp_endpoint: Some(endpoint),
        ..TelemetryConfig::default()
    };
    let refused = start("kit", &config).unwrap_err();
    assert!(matches!(refused, TelemetryError::Filter(_)));
    assert!(refused.to_string().starts_with("telemetry.filter:"));

    let config = TelemetryConfig {
        filter: "info".to_owned(),
        ..config
    };
    let telemetry = start("kit", &config).unwrap();
    tracing::info_span!("a span to be exported").in_scope(|| ());
    let exported = async {
        let (mut stream, _) = collector.accept().await.unwrap();
        let mut preface = [0; 14];
        stream.read_exact(&mut preface).await.unwrap();
        preface
    };
    // The exporter waits for a batch, and no longer than a few seconds.
    let preface = tokio::time::timeout(Duration::from_secs(30), exported).await;
    assert_eq!(&preface.unwrap(), b"PRI * HTTP/2.0");
    let twice = start("kit", &config).unwrap_err();
    assert!(matches!(twice, TelemetryError::Twice(_)));
    tokio::task::spawn_blocking(move || drop(telemetry))
        .await
        .unwrap();
}
