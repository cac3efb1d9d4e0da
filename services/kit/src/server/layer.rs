//! What every call passes: the limit of calls under way, the token, its circumstances, a span, approvals,
//! the audit, words for errors that the transport made, and bounds of how long either side may take and of
//! how large a message may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use proto::error::ErrorReason;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::approving::Approving;
use super::arriving::Arriving;
use super::connection::Peer;
use super::front::Unframed;
use super::masked::masked;
use super::methods::{Method, Shape};
use super::readers::Readers;
use super::refused::{Head, REFUSED, Refusals};
use super::sizes::Oversize;
use super::traced::{Traced, note};
use super::until::{self, Until};
use super::weight::Room;
use super::words;
use super::{BreakGlass, ServerConfig};
use crate::approvals::Approvals;
use crate::audit::{Audit, Overheard};
use crate::auth::{
    Authority, Caller, ClientCertificate, ISSUER_AWAITED, Refusal, Session, Shown, Verifier,
};
use crate::deadline;
use crate::status::Problem;
use crate::telemetry::carried;

/// Paths that need no token.
pub(super) const OPEN: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection.v1."];
/// What probes ask: it is answered at once, however many ask.
const PROBE: &str = "/grpc.health.v1.Health/Check";
/// How many other calls may be under way that need no token.
const MAX_OPEN: usize = 1024;
/// Those beyond may try again after this.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct GuardLayer(Arc<Shared>);

pub(super) struct Shared {
    verifier: Verifier,
    pub(super) authority: Authority,
    break_glass: Arc<dyn BreakGlass>,
    pub(super) audit: Option<Audit>,
    approvals: Option<Approvals>,
    in_flight: AtomicUsize,
    bounds: Bounds,
    readers: Readers,
    /// Memory for what messages mean; none where bytes pass unread.
    room: Option<Room>,
    /// Places of calls that need no token.
    open: Arc<Semaphore>,
    /// Whoever calls stands outside.
    outermost: bool,
    /// Hears of calls that are not let in.
    pub(super) refusals: Option<Arc<dyn Refusals>>,
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
        room: Option<Room>,
        config: &ServerConfig,
        (outermost, refusals): (bool, Option<Arc<dyn Refusals>>),
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
            room,
            open: Arc::new(Semaphore::new(MAX_OPEN)),
            outermost,
            refusals,
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
        let outside = self.shared.outermost;
        let theirs = outside.then(|| {
            request.headers_mut().remove(REFUSED);
            carried::take(request.headers_mut())
        });
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
        let longest = self.shared.longest(shape);
        let until = deadline::until(request.headers(), longest);
        if !shape.sends_many {
            let within = self.shared.bounds.request;
            request = request.map(|body| Body::new(Arriving::new(body, within)));
        }
        let oversize = Oversize::default();
        if request.extensions().get::<Unframed>().is_none() {
            let largest = method.map_or(proto::MAX_REQUEST_BYTES, |method| method.largest);
            request = request.map(|body| oversize.look_out(body, largest));
        }
        let mut held = None;
        if let Some(room) = &self.shared.room {
            (request, held) = room.weigh(&path, request);
        }
        // What is no method of a contract is whatever its caller wrote.
        let told = method.map_or("unknown", |_| &*path);
        let mut traced = Traced::begin(told, request.headers(), theirs.flatten());
        let trace = std::mem::take(&mut traced.trace);
        // The clone that was polled ready answers; the fresh one takes its place.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let shared = self.shared.clone();
        let work = async move {
            let session = match admitted {
                Ok(session) => session,
                Err(unknown) => match unknown.ask(&shared.verifier).await {
                    Ok(session) => session,
                    Err(problem) => return Ok(not_known(problem)),
                },
            };
            let call = Head {
                session: &session,
                path: &path,
                headers: request.headers(),
            };
            let mut caller = match shared.let_in(call) {
                Ok(caller) => caller,
                Err(problem) => return Ok(shared.turn_away(call, trace, problem)),
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
            let response = match timeout(longest, inner.call(request)).await {
                Ok(Ok(response)) => words::told(response, &path),
                Ok(Err(err)) => return Err(err),
                Err(_) => Status::from(given_up(shape)).into_http(),
            };
            let response = oversize.told(response);
            let response = match approving {
                Some(approving) => approving.answer(&caller, response).await,
                None => response,
            };
            let response = shared.audited(&caller, response).await;
            drop((in_flight, held));
            note(&response);
            let mask = session.agreement().and_then(|terms| terms.mask(&path));
            let response = match mask {
                Some(mask) => masked(response, mask.clone()),
                None => response,
            };
            Ok(response.map(|body| shared.bounded(body, (path, shape), session, oversize)))
        };
        Box::pin(traced.run(deadline::serve(until, work)))
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
            until::about(self.bounds.stream)
        } else {
            self.bounds.call
        }
    }

    /// The body of an answer, which ends when its reader does not read, and as a stream when it is too old
    /// or the credentials of its caller have ended.
    fn bounded(
        &self,
        mut body: Body,
        (path, shape): (String, Shape),
        session: Arc<Session>,
        oversize: Oversize,
    ) -> Body {
        if shape.answers_many {
            let verifier = self.verifier.clone();
            body = Body::new(Until::new(body, verifier, session, self.bounds.stream));
            if shape.sends_many {
                body = words::told_at_the_end(body, path);
                body = oversize.told_at_the_end(body);
            }
        }
        self.readers.read(body, None)
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

/// Why a call is given up that has no answer in time: whoever streams may go on where they were.
fn given_up(shape: Shape) -> Problem {
    if shape.streams() {
        until::of_old_age()
    } else {
        Problem::new(ErrorReason::DeadlineExceeded)
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
        Err(Refusal::UnknownKey(key)) => Ok(Err(UnknownKey {
            key,
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
    /// The id of the key.
    key: String,
    token: Option<String>,
    certificate: Option<Arc<ClientCertificate>>,
}

impl UnknownKey {
    async fn ask(self, verifier: &Verifier) -> Result<Arc<Session>, Problem> {
        let shown = Shown {
            token: self.token.as_deref(),
            certificate: self.certificate.as_deref(),
        };
        verifier.ask_and_admit(shown, &self.key).await
    }
}

/// The answer to somebody whose key was not known, which says so where it is the issuer who is waited for.
fn not_known(problem: Problem) -> Response<Body> {
    let awaited = problem.reason() == ErrorReason::Unavailable;
    let mut response = Status::from(problem).into_http();
    if awaited {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(ISSUER_AWAITED, yes);
    }
    response
}

fn answer<E>(problem: Problem) -> BoxFuture<'static, Result<Response<Body>, E>>
where
    E: Send + 'static,
{
    let response = Status::from(problem).into_http();
    Box::pin(std::future::ready(Ok(response)))
}
