//! A collector that keeps what it is sent, for tests of what leaves a service.

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

/// Takes traces and metrics by OTLP, in this process.
#[derive(Clone, Debug)]
pub struct StandIn {
    endpoint: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl StandIn {
    /// Begins to listen at a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let server = tonic::transport::Server::builder()
            .add_service(Traces(Hearing(heard.clone())))
            .add_service(Metrics(Hearing(heard.clone())))
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
        heard.windows(bytes.len()).any(|part| part == bytes)
    }
}

/// Keeps the bytes of every request.
#[derive(Clone)]
struct Hearing(Arc<Mutex<Vec<u8>>>);

impl Hearing {
    async fn take(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        if let Ok(whole) = request.into_body().collect().await {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            heard.extend(whole.to_bytes());
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        // An empty message.
        let body = Full::new(Bytes::from_static(&[0; 5]));
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
