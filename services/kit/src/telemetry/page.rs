//! What operators ask for by plain HTTP: whether the process lives, whether it is ready, and its metrics.
//! Nobody is asked who they are, so there is little that anybody can make it do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{TEXT_FORMAT, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How many may ask at once; who comes then is not heard.
const MAX_CONNECTIONS: usize = 32;
/// The head of a request is there within this time,
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// and the answer is taken within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How many bytes and headers the head of a request has.
const MAX_HEAD: usize = 8 << 10;
const MAX_HEADERS: usize = 32;
/// How long to wait when the process has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// What says whether a service is ready: the names of the conditions that are not met.
pub(crate) type Missing = Arc<dyn Fn() -> Vec<&'static str> + Send + Sync>;

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
    pub(crate) async fn open(listen: SocketAddr, missing: Missing) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, missing));
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

async fn accept(listener: TcpListener, missing: Missing) {
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
        let missing = missing.clone();
        tokio::spawn(async move {
            let _place = place;
            // Whoever is too slow, or speaks something else, hears nothing.
            let _ = timeout(ANSWER_WITHIN, serve(stream, missing)).await;
        });
    }
}

/// Answers one request.
async fn serve(stream: TcpStream, missing: Missing) -> Result<(), hyper::Error> {
    let answer = service_fn(move |request: Request<Incoming>| {
        let missing = missing.clone();
        async move { Ok::<_, Infallible>(answer(&request, &missing).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await
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
        "/metrics" => metrics().await,
        _ => text(
            StatusCode::NOT_FOUND,
            "/metrics, /livez or /readyz\n".to_owned(),
        ),
    }
}

/// Every metric of the process. Putting them together takes some milliseconds, in which calls go on.
async fn metrics() -> Response<Full<Bytes>> {
    let gathered =
        tokio::task::spawn_blocking(|| TextEncoder::new().encode_to_string(&prometheus::gather()));
    match gathered.await {
        Ok(Ok(metrics)) => {
            let mut told = text(StatusCode::OK, metrics);
            let kind = HeaderValue::from_static(TEXT_FORMAT);
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
