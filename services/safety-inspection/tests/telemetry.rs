//! What leaves the service about itself, in logs, traces and metrics: never who came, nor what was seen of
//! them.

#[path = "visitor_api/book.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod book;
mod city;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::telemetry::{Format, StandIn, TelemetryConfig};
use proto::safety::check_entry_request::Identity;
use proto::safety::visit::State;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use book::{Book, NAME, NUMBER, PHONE};
use city::student;
use city::world::{World, well};

/// A temperature that nobody has by chance, in tenths of a degree.
const HOT: i32 = 413;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn metrics(page: SocketAddr) -> String {
    let mut stream = TcpStream::connect(page).await.expect("a page");
    let ask = b"GET /metrics HTTP/1.1\r\nhost: campus\r\n\r\n";
    stream.write_all(ask).await.expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

/// Visitors are announced, let in and turned away, a pupil with a fever is sent to wait, and requests with
/// planted words are refused.
async fn a_morning(world: &mut World) {
    let mut book = Book::of(world).await;
    for state in [
        State::Left,
        State::Denied,
        State::Refused,
        State::AdmittedEmergency,
    ] {
        book.bring(world, state).await;
    }
    let mut malformed = Book::wish(world);
    malformed.host = format!("staff/{NAME}");
    book.create(malformed).await.expect_err("no such host");
    let mut hot = well(&student(1));
    if let Some(seen) = &mut hot.observation {
        seen.temperature_decidegrees = Some(HOT);
    }
    world.check(hot.clone()).await.expect("decided");
    hot.identity = Some(Identity::Person(format!("students/{NUMBER}")));
    world.check(hot).await.expect_err("nobody");
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn neither_logs_nor_traces_nor_metrics_tell_who_came_or_what_was_seen() {
    let collector = StandIn::start().await.expect("a collector");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let told = TelemetryConfig {
        format: Format::Json,
        filter: "info,safety_inspection=trace,kit=trace,sqlx=trace,sea_orm=trace,tonic=trace"
            .to_owned(),
        otlp_endpoint: Some(collector.endpoint().to_owned()),
        listen: Some(any),
        ..TelemetryConfig::default()
    };
    let log = Log::default();
    let writer = log.clone();
    let name = "safety-inspection";
    let telemetry = kit::telemetry::start_writing(name, &told, move || writer.clone());
    let telemetry = telemetry.expect("telemetry");

    let mut world = World::with(kit::scratch::sqlite(), |config| config.telemetry = told).await;
    a_morning(&mut world).await;
    let page = world.running.as_ref().and_then(|running| running.page);
    let metrics = metrics(page.expect("a page")).await;
    let ended = tokio::task::spawn_blocking(move || drop(telemetry));
    let ended = tokio::time::timeout(Duration::from_secs(60), ended).await;
    ended.expect("in time").expect("telemetry ends");

    let log = log.0.lock().unwrap_or_else(PoisonError::into_inner);
    let log = String::from_utf8_lossy(&log);
    for heard in ["CheckEntry", "CreateVisit", "INSERT"] {
        assert!(collector.heard(heard), "{heard} is in the traces");
    }
    for heard in ["campus_rpc_calls_total", "CheckEntry", "VisitorService"] {
        assert!(metrics.contains(heard), "{heard} is in the metrics");
    }
    assert!(log.contains("trace_id"), "the log is listened to");
    let person = student(1);
    for planted in [
        NAME,
        NUMBER,
        PHONE,
        "榕城物业",
        "闽A12345",
        "检修电梯",
        &person,
    ] {
        let line = log.lines().find(|line| line.contains(planted));
        assert_eq!(line, None, "{planted}");
        let line = metrics.lines().find(|line| line.contains(planted));
        assert_eq!(line, None, "{planted}");
        assert!(!collector.heard(planted), "{planted}");
    }
    // The number alone may stand anywhere; what says that it is a temperature may not.
    let seen = [
        format!("Temperature({HOT}"),
        format!("decidegrees: Some({HOT}"),
    ];
    for planted in seen
        .iter()
        .map(|seen| &**seen)
        .chain(["decidegrees", "fever"])
    {
        assert!(!log.contains(planted), "{planted}");
        assert!(!metrics.contains(planted), "{planted}");
        assert!(!collector.heard(planted), "{planted}");
    }
}
