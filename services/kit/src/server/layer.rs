//! What every call passes: the limit of calls under way, the token, its circumstances, a span, approvals,
//! the audit, words for errors that the transport made, and bounds of how long either side may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use opentelemetry::trace::TraceContextExt;
use proto::error::ErrorReason;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::approving::Approving;
use super::arriving::Arriving;
use super::connection::Peer;
use super::methods::{Method, Shape};
use super::readers::Readers;
use super::until::Until;
use super::{BreakGlass, ServerConfig};
use crate::approvals::Approvals;
use crate::audit::{Audit, Overheard};
use crate::auth::{Authority, Caller, ClientCertificate, Refusal, Session, Shown, Verifier};
use crate::status::Problem;
use crate::telemetry::{Outcome, carried};

/// Paths that need no token.
pub(super) const OPEN: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection.v1."];
/// What probes ask: it is answered at once, however many ask.
const PROBE: &str = "/grpc.health.v1.Health/Check";
/// How many other calls may be under way that need no token.
const MAX_OPEN: usize = 1024;
/// How many callers may wait at once for the issuer to tell a key that nobody knows here.
const MAX_WAITING: usize = 256;
/// Those beyond may try again after this.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct GuardLayer(Arc<Shared>);

struct Shared {
    verifier: Verifier,
    authority: Authority,
    break_glass: Arc<dyn BreakGlass>,
    audit: Option<Audit>,
    approvals: Option<Approvals>,
    in_flight: AtomicUsize,
    bounds: Bounds,
    readers: Readers,
    /// Places of calls that need no token.
    open: Arc<Semaphore>,
    /// Places of callers who wait for the issuer.
    waiting: Semaphore,
}

/// How many calls there may be, and how long they may take.
struct Bounds {
    in_flight: usize,
    call: Duration,
    stream: Duration,
    request: Duration,
}

impl GuardLayer {
    pub(super) fn new(
        verifier: Verifier,
        authority: Authority,
        break_glass: Arc<dyn BreakGlass>,
        (audit, approvals): (Option<Audit>, Option<Approvals>),
        config: &ServerConfig,
    ) -> Self {
        Self(Arc::new(Shared {
            verifier,
            authority,
            break_glass,
            audit,
            approvals,
            in_flight: AtomicUsize::new(0),
            bounds: Bounds {
                in_flight: config.max_in_flight,
                call: config.max_call,
                stream: config.max_stream_age,
                request: config.request_within,
            },
            readers: Readers::start(config.reader_patience),
            open: Arc::new(Semaphore::new(MAX_OPEN)),
            waiting: Semaphore::new(MAX_WAITING),
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
        (before < shared.bounds.in_flight).then_some(entered)
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
            return self.open(&path, request);
        }
        let Some(in_flight) = InFlight::enter(&self.shared) else {
            return answer(Problem::new(ErrorReason::Overloaded));
        };
        let admitted = match admit(&self.shared.verifier, &request) {
            Ok(admitted) => admitted,
            Err(problem) => return answer(problem),
        };
        let method = Method::at(&path);
        let shape = method.map(|method| method.shape).unwrap_or_default();
        if !shape.sends_many {
            let within = self.shared.bounds.request;
            request = request.map(|body| Body::new(Arriving::new(body, within)));
        }
        // What is no method of a contract is whatever its caller wrote.
        let told = method.map_or("unknown", |_| &*path);
        let span = tracing::info_span!(
            "grpc",
            otel.name = told,
            otel.kind = "server",
            otel.status_code = tracing::field::Empty,
            path = told,
            code = tracing::field::Empty,
        );
        let parent = carried::extract(request.headers());
        let trace = trace_id(&parent);
        // Without a tracer there is no parent to take.
        let _ = span.set_parent(parent);
        let trace = trace_id(&span.context()).or(trace).unwrap_or_default();
        // The clone that was polled ready answers; the fresh one takes its place.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let shared = self.shared.clone();
        let work = async move {
            let session = match admitted {
                Ok(session) => session,
                Err(unknown) => match shared.ask(unknown).await {
                    Ok(session) => session,
                    Err(problem) => return Ok(Status::from(problem).into_http()),
                },
            };
            let caller = session.caller_of(&shared.authority, request.headers());
            let mut caller = match caller {
                Ok(caller) => caller,
                Err(problem) => {
                    let refused = Status::from(problem);
                    if let Some(audit) = &shared.audit {
                        audit.turned_away(&session.caller, &path, trace, &refused);
                    }
                    return Ok(refused.into_http());
                }
            };
            if let Some(audit) = &shared.audit
                && let Some(call) = audit.begin(&caller, &path, trace)
            {
                Arc::make_mut(&mut caller).call = Some(call);
            }
            if let Some(reason) = &caller.break_glass
                && let Err(problem) = shared.break_glass.broken(&caller, &path, reason).await
            {
                return Ok(Status::from(problem).into_http());
            }
            let approvals = shared.approvals.as_ref();
            let approving = Approving::of(approvals, &caller, (&*path, request.headers()));
            request.extensions_mut().insert(caller.clone());
            request.extensions_mut().insert(session.clone());
            if let Some(call) = &caller.call {
                request = request.map(|body| Overheard::listen(body, call));
            }
            let response = match timeout(shared.longest(shape), inner.call(request)).await {
                Ok(Ok(response)) => with_words(response, &path),
                Ok(Err(err)) => return Err(err),
                Err(_) => Status::from(Problem::new(ErrorReason::DeadlineExceeded)).into_http(),
            };
            let response = match approving {
                Some(approving) => approving.answer(&caller, response).await,
                None => response,
            };
            let response = shared.audited(&caller, response).await;
            drop(in_flight);
            note(&response);
            Ok(response.map(|body| shared.bounded(body, shape, session)))
        };
        Box::pin(work.instrument(span))
    }
}

impl<S> Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
{
    /// Lets a call pass that needs no token. Nobody is asked who they are, so there are not many.
    fn open(
        &mut self,
        path: &str,
        request: Request<Body>,
    ) -> BoxFuture<'static, Result<Response<Body>, S::Error>> {
        if path == PROBE {
            return Box::pin(self.inner.call(request));
        }
        let Ok(place) = self.shared.open.clone().try_acquire_owned() else {
            return answer(Problem::new(ErrorReason::Overloaded).retry_after(RETRY));
        };
        let readers = self.shared.readers.clone();
        let answered = self.inner.call(request);
        Box::pin(async move {
            let response = answered.await?;
            Ok(response.map(|body| readers.read(body, Some(place))))
        })
    }
}

impl Shared {
    /// How long a call may take until its answer begins.
    fn longest(&self, shape: Shape) -> Duration {
        if shape.streams() {
            self.bounds.stream
        } else {
            self.bounds.call
        }
    }

    /// The body of an answer, which ends when its reader does not read, and as a stream when it is too old
    /// or the credentials of its caller have ended.
    fn bounded(&self, body: Body, shape: Shape, session: Arc<Session>) -> Body {
        let body = if shape.answers_many {
            let verifier = self.verifier.clone();
            Body::new(Until::new(body, verifier, session, self.bounds.stream))
        } else {
            body
        };
        self.readers.read(body, None)
    }

    /// Asks the issuer for a key that nobody knows here.
    async fn ask(&self, unknown: UnknownKey) -> Result<Arc<Session>, Problem> {
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(Problem::new(ErrorReason::Unavailable).retry_after(RETRY));
        };
        unknown.ask(&self.verifier).await
    }

    /// The answer, once what came of the call is recorded; without that, nothing of it leaves.
    async fn audited(&self, caller: &Caller, response: Response<Body>) -> Response<Body> {
        let (Some(audit), Some(call)) = (&self.audit, &caller.call) else {
            return response;
        };
        match audit.end(call, response.headers()).await {
            Ok(()) => response,
            Err(problem) => Status::from(problem).into_http(),
        }
    }
}

/// Notes in the span of a call how it was answered.
fn note(response: &Response<Body>) {
    let status = Status::from_header_map(response.headers());
    let code = status.map_or(Code::Ok, |status| status.code());
    let span = Span::current();
    span.record("code", i32::from(code));
    if Outcome::of(code) == Outcome::Failed {
        span.record("otel.status_code", "ERROR");
    }
}

/// Finds out who calls, or that the issuer is to be asked for the key first.
fn admit(
    verifier: &Verifier,
    request: &Request<Body>,
) -> Result<Result<Arc<Session>, UnknownKey>, Problem> {
    let token = match request.headers().get(http::header::AUTHORIZATION) {
        None => None,
        Some(value) => Some(bearer(value).ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))?),
    };
    let peer = request.extensions().get::<Peer>();
    let certificate = peer.and_then(|peer| peer.certificate.as_ref());
    let shown = Shown {
        token,
        certificate: certificate.map(AsRef::as_ref),
    };
    match verifier.admit(shown) {
        Ok(session) => Ok(Ok(session)),
        Err(Refusal::Final(problem)) => Err(problem),
        Err(Refusal::UnknownKey) => Ok(Err(UnknownKey {
            token: token.map(ToOwned::to_owned),
            certificate: certificate.cloned(),
        })),
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let value = value.to_str().ok()?;
    let token = value.strip_prefix("Bearer ");
    token.or_else(|| value.strip_prefix("bearer "))
}

/// What a caller showed whose key nobody knows here: it waits for the issuer instead of being refused.
struct UnknownKey {
    token: Option<String>,
    certificate: Option<Arc<ClientCertificate>>,
}

impl UnknownKey {
    async fn ask(self, verifier: &Verifier) -> Result<Arc<Session>, Problem> {
        let shown = Shown {
            token: self.token.as_deref(),
            certificate: self.certificate.as_deref(),
        };
        verifier.ask_and_admit(shown).await
    }
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

/// The trace that a call belongs to, if it belongs to one.
fn trace_id(context: &opentelemetry::Context) -> Option<String> {
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}
