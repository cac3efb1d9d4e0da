//! What every call passes: the limit of calls under way, the token, a span, counters, and words for
//! errors that the transport made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::propagation::Extractor;
use opentelemetry::{KeyValue, global};
use proto::error::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::auth::Verifier;
use crate::status::Problem;

/// Paths that need no token.
const OPEN: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection.v1."];

#[derive(Clone)]
pub(super) struct GuardLayer(Arc<Shared>);

struct Shared {
    verifier: Verifier,
    in_flight: AtomicUsize,
    max_in_flight: usize,
    calls: Counter<u64>,
    seconds: Histogram<f64>,
}

impl GuardLayer {
    pub(super) fn new(verifier: Verifier, max_in_flight: usize) -> Self {
        let meter = global::meter("campus");
        Self(Arc::new(Shared {
            verifier,
            in_flight: AtomicUsize::new(0),
            max_in_flight,
            calls: meter.u64_counter("rpc.server.calls").build(),
            seconds: meter
                .f64_histogram("rpc.server.duration")
                .with_unit("s")
                .build(),
        }))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            shared: self.0.clone(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Guard<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// Counts a call as under way until it is answered.
struct InFlight(Arc<Shared>);

impl InFlight {
    fn enter(shared: &Arc<Shared>) -> Option<Self> {
        let before = shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let entered = Self(shared.clone());
        (before < shared.max_in_flight).then_some(entered)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        if OPEN.iter().any(|open| path.starts_with(open)) {
            return Box::pin(self.inner.call(request));
        }
        let Some(in_flight) = InFlight::enter(&self.shared) else {
            return answer(Problem::new(ErrorReason::Overloaded));
        };
        match authenticate(&self.shared.verifier, request.headers()) {
            Ok(caller) => drop(request.extensions_mut().insert(caller)),
            Err(problem) => return answer(problem),
        }
        let span = tracing::info_span!("grpc", path);
        let parent =
            global::get_text_map_propagator(|map| map.extract(&Headers(request.headers())));
        // Without a tracer there is no parent to take.
        let _ = span.set_parent(parent);
        // The clone that was polled ready answers; the fresh one takes its place.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let shared = self.shared.clone();
        let began = Instant::now();
        let work = async move {
            let answered = inner.call(request).await;
            drop(in_flight);
            answered.map(|response| {
                let response = with_words(response, &path);
                shared.record(&path, &response, began);
                response
            })
        };
        Box::pin(work.instrument(span))
    }
}

impl Shared {
    fn record(&self, path: &str, response: &Response<Body>, began: Instant) {
        let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |s| s.code());
        let labels = [
            KeyValue::new("rpc.method", path.to_owned()),
            KeyValue::new("rpc.code", i64::from(i32::from(code))),
        ];
        self.calls.add(1, &labels);
        self.seconds.record(began.elapsed().as_secs_f64(), &labels);
    }
}

fn authenticate(
    verifier: &Verifier,
    headers: &HeaderMap,
) -> Result<Arc<crate::auth::Caller>, Problem> {
    let token = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            value
                .strip_prefix("Bearer ")
                .or_else(|| value.strip_prefix("bearer "))
        })
        .ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))?;
    verifier.verify(token)
}

fn answer<E>(problem: Problem) -> BoxFuture<'static, Result<Response<Body>, E>>
where
    E: Send + 'static,
{
    let response = Status::from(problem).into_http();
    Box::pin(std::future::ready(Ok(response)))
}

/// Gives a reason and Chinese words to the errors that the transport itself answers with.
fn with_words(response: Response<Body>, path: &str) -> Response<Body> {
    if response.headers().contains_key("grpc-status-details-bin") {
        return response;
    }
    let Some(status) = Status::from_header_map(response.headers()) else {
        return response;
    };
    let problem = match status.code() {
        Code::OutOfRange => Problem::new(ErrorReason::MessageTooLarge),
        Code::Unimplemented => Problem::new(ErrorReason::UnknownMethod).meta("path", path),
        Code::Internal => Problem::new(ErrorReason::MessageMalformed),
        Code::Cancelled | Code::DeadlineExceeded => Problem::new(ErrorReason::DeadlineExceeded),
        _ => return response,
    };
    Status::from(problem).into_http()
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
