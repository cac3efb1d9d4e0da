//! What a service tells of its calls, its statements and its feeds, where operators and collectors see it.

#[path = "observed/door.rs"]
mod door;
#[path = "observed/open.rs"]
mod open;
#[path = "observed/page.rs"]
mod page;
#[path = "observed/traces.rs"]
mod traces;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::telemetry::{Format, StandIn, TelemetryConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Any free port of this machine.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Log lines, as they were written.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks a page; the code and everything after it.
async fn ask(page: SocketAddr, request: &str) -> String {
    let asking = async {
        let mut stream = TcpStream::connect(page).await.expect("connects");
        // One that is refused may hear so before it has said everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(Duration::from_secs(30), asking).await;
    answer.expect("an answer in time")
}

async fn get(page: SocketAddr, path: &str) -> String {
    ask(page, &format!("GET {path} HTTP/1.1\r\nhost: kit\r\n\r\n")).await
}

/// The value of a series, which has these labels and perhaps others.
fn value(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let line = metrics.lines().find(|line| {
        line.starts_with(&format!("{name}{{")) && labels.iter().all(|label| line.contains(label))
    });
    line?.rsplit_once(' ')?.1.parse().ok()
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_tells_what_it_does() {
    let collector = StandIn::start().await.expect("a collector");
    let config = TelemetryConfig {
        format: Format::Json,
        otlp_endpoint: Some(collector.endpoint().to_owned()),
        listen: Some(ANY),
        ..TelemetryConfig::default()
    };
    let log = Log::default();
    let writer = log.clone();
    let telemetry = kit::telemetry::start_writing("kit", &config, move || writer.clone());
    let telemetry = telemetry.expect("telemetry");

    page::operators_see_what_it_waits_for_and_how_calls_end(&config).await;
    page::whoever_asks_too_much_of_a_page_hears_nothing(&config).await;
    page::a_probe_by_grpc_hears_what_the_page_tells(&config).await;
    page::a_probe_has_few_calls_at_once_and_little_to_say(&config).await;
    let traces = traces::a_trace_goes_on_through_calls_statements_and_feeds(&config, &log).await;
    let call = door::whoever_stands_outside_begins_no_trace(&config).await;

    // What is buffered leaves at the end.
    let ended = tokio::task::spawn_blocking(move || drop(telemetry)).await;
    ended.expect("telemetry ends");
    for trace in traces {
        assert!(collector.heard(trace), "the spans were sent");
    }
    door::the_trace_of_a_stranger_is_linked_and_no_more(&collector, &call);
    for name in ["SELECT", "INSERT", "COMMIT", "follow"] {
        assert!(collector.heard(name), "{name}");
    }
    assert!(!collector.heard("FROM feed_head"), "no text of a statement");
    assert!(collector.heard("campus.rpc.duration"));
}
