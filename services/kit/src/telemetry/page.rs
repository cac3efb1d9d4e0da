//! What operators ask for by plain HTTP/1.1: whether the process lives, whether it is ready, and its metrics.
//! Probes ask the health service by plain HTTP/2. Nobody is asked who they are, so there is little that anybody
//! can make it do.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use prometheus::{TEXT_FORMAT, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::body::Body;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower::Service;

use super::exemplars::KEPT;
use super::openmetrics;

/// How many may ask at once; who comes then is not heard.
const MAX_CONNECTIONS: usize = 32;
/// A connection begins within this time, and so much later the head of a request of HTTP/1.1 is there.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Answers are taken within this, and who watches the health service asks again.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How many bytes and headers the head of a request has.
const MAX_HEAD: u32 = 8 << 10;
const MAX_HEADERS: usize = 32;
/// How many calls of HTTP/2 a connection has at once, how many that were reset it may leave behind, and how many
/// bytes of them are kept in either direction.
const MAX_STREAMS: u32 = 8;
const MAX_RESETS: usize = 16;
const STREAM_WINDOW: u32 = 16 << 10;
const CONNECTION_WINDOW: u32 = 64 << 10;
const MAX_UNSENT: usize = 16 << 10;
/// How long to wait when the process has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// What says whether a service is ready: the names of the conditions that are not met.
pub(crate) type Missing = Arc<dyn Fn() -> Vec<&'static str> + Send + Sync>;
/// What answers probes.
pub(crate) type Health = HealthServer<HealthService>;

/// The page of one server, until it is dropped.
#[derive(Debug)]
pub(crate) struct Page {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Page {
    /// Begins to answer at `listen`.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub(crate) async fn open(
        listen: SocketAddr,
        missing: Missing,
        health: Health,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, missing, health));
        Ok(Self { addr, task })
    }

    /// Where it answers.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends it; nothing listens at its address then.
    pub(crate) async fn close(mut self) {
        self.task.abort();
        // It ends by being aborted.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, missing: Missing, health: Health) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(err) => {
                tracing::warn!(error = %err, "cannot accept a connection");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let (missing, health) = (missing.clone(), health.clone());
        tokio::spawn(async move {
            let _place = place;
            // Whoever is too slow, or speaks something else, hears nothing.
            let _ = timeout(ANSWER_WITHIN, serve(stream, missing, health)).await;
        });
    }
}

/// Answers one request of HTTP/1.1, or calls of the health service by HTTP/2.
async fn serve(
    stream: TcpStream,
    missing: Missing,
    health: Health,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    timeout(HEAD_WITHIN, stream.peek(&mut [0_u8])).await??;
    let answer = service_fn(move |request: Request<Incoming>| {
        let (missing, mut health) = (missing.clone(), health.clone());
        async move {
            if request.version() == Version::HTTP_2 {
                return health.call(request).await;
            }
            let answer = answer(&request, &missing).await;
            Ok::<_, Infallible>(answer.map(Body::new))
        }
    });
    let bounded = bounded();
    let serving = bounded.serve_connection(TokioIo::new(stream), answer);
    serving.await
}

/// How a connection is served, with no room for more than a page needs.
fn bounded() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD as usize)
        .max_headers(MAX_HEADERS)
        .keep_alive(false);
    builder
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .max_header_list_size(MAX_HEAD)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_UNSENT);
    builder
}

async fn answer(request: &Request<Incoming>, missing: &Missing) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n".to_owned());
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(ALLOW, allowed);
        return refused;
    }
    match request.uri().path() {
        "/livez" => text(StatusCode::OK, "alive\n".to_owned()),
        "/readyz" => match &*missing() {
            [] => text(StatusCode::OK, "ready\n".to_owned()),
            missing => text(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("waits for: {}\n", missing.join(", ")),
            ),
        },
        "/metrics" => metrics(openmetrics::is_wanted(request.headers())).await,
        _ => text(
            StatusCode::NOT_FOUND,
            "/metrics, /livez or /readyz\n".to_owned(),
        ),
    }
}

/// Every metric of the process, with exemplars as OpenMetrics. Putting them together takes some milliseconds, in
/// which calls go on.
async fn metrics(openly: bool) -> Response<Full<Bytes>> {
    let gathered = tokio::task::spawn_blocking(move || {
        let families = prometheus::gather();
        if openly {
            return openmetrics::write(&families, &KEPT).ok();
        }
        TextEncoder::new().encode_to_string(&families).ok()
    });
    match gathered.await {
        Ok(Some(metrics)) => {
            let mut told = text(StatusCode::OK, metrics);
            let kind = if openly {
                openmetrics::KIND
            } else {
                TEXT_FORMAT
            };
            let kind = HeaderValue::from_static(kind);
            told.headers_mut().insert(CONTENT_TYPE, kind);
            told
        }
        _ => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics cannot be put together\n".to_owned(),
        ),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
