//! A collector that keeps what it is sent, for tests of what leaves a service.

mod otlp;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

pub use otlp::HeardSpan;

/// How many bytes before a message of gRPC say what follows.
const PREFIX: usize = 5;

/// Takes traces and metrics by OTLP, in this process.
#[derive(Clone, Debug)]
pub struct StandIn {
    endpoint: String,
    heard: Arc<Mutex<Heard>>,
}

/// What a collector was sent.
#[derive(Debug, Default)]
struct Heard {
    /// Everything, one after the other.
    bytes: Vec<u8>,
    spans: Vec<HeardSpan>,
}

impl StandIn {
    /// Begins to listen at a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let heard = Arc::<Mutex<Heard>>::default();
        let hearing = |spans| Hearing {
            heard: heard.clone(),
            spans,
        };
        let server = tonic::transport::Server::builder()
            .add_service(Traces(hearing(true)))
            .add_service(Metrics(hearing(false)))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        Ok(Self { endpoint, heard })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether anything that it was sent has these bytes; texts are sent as they are.
    pub fn heard(&self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = heard.bytes.windows(bytes.len());
        parts.any(|part| part == bytes)
    }

    /// Everything that it was sent as text, whatever is none in between.
    pub fn text(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&heard.bytes).into_owned()
    }

    /// Every span that it was sent, in that order.
    pub fn spans(&self) -> Vec<HeardSpan> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.spans.clone()
    }
}

/// Keeps the bytes of every request, and what they say where they are spans.
#[derive(Clone)]
struct Hearing {
    heard: Arc<Mutex<Heard>>,
    spans: bool,
}

impl Hearing {
    async fn take(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        if let Ok(whole) = request.into_body().collect().await {
            let bytes = whole.to_bytes();
            let spans = match bytes.get(PREFIX..) {
                Some(message) if self.spans => otlp::spans(message),
                _ => Vec::new(),
            };
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.spans.extend(spans);
            heard.bytes.extend(bytes);
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        // An empty message.
        let body = Full::new(Bytes::from_static(&[0; PREFIX]));
        let body = body.with_trailers(std::future::ready(Some(Ok(trailers))));
        let mut response = Response::new(Body::new(body));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(CONTENT_TYPE, grpc);
        Ok(response)
    }
}

macro_rules! hearing {
    ($name:ident, $contract:literal) => {
        #[derive(Clone)]
        struct $name(Hearing);

        impl NamedService for $name {
            const NAME: &'static str = $contract;
        }

        impl Service<Request<Body>> for $name {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<Body>) -> Self::Future {
                Box::pin(self.0.clone().take(request))
            }
        }
    };
}

hearing!(
    Traces,
    "opentelemetry.proto.collector.trace.v1.TraceService"
);
hearing!(
    Metrics,
    "opentelemetry.proto.collector.metrics.v1.MetricsService"
);
