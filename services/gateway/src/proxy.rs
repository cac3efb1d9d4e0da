//! Passes calls on: the head is readdressed, the bytes and trailers are not touched.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use kit::auth::{Caller, Exchange, Session};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tower::Service;

use crate::answer::Answer;
use crate::callers::{Callers, Place};
use crate::deadline;
use crate::dense::Dense;
use crate::draft::Draft;
use crate::limits::{Limits, Slot};
use crate::route::{Route, Table};
use crate::upstream::Unreachable;

/// Headers that concern one hop only.
const HOP: [HeaderName; 4] = [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE];
/// A caller that was refused for an unreachable service may try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// How long calls may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// Of a unary call whose caller sets none.
    pub(crate) default: Duration,
    /// Of any unary call at most.
    pub(crate) most: Duration,
}

/// What a call takes up until its answer has ended.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Among the calls of the service; streams have none.
    slot: Option<Slot>,
    /// Among those of the caller.
    _place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    table: Arc<Table>,
    deadlines: Deadlines,
    limits: Limits,
    callers: Callers,
    exchange: Option<Exchange>,
}

impl Proxy {
    pub(crate) fn new(
        table: Arc<Table>,
        deadlines: Deadlines,
        (limits, callers): (Limits, Callers),
        exchange: Option<Exchange>,
    ) -> Self {
        Self {
            table,
            deadlines,
            limits,
            callers,
            exchange,
        }
    }

    async fn pass(self, mut request: Request<Body>) -> Result<Response<Body>, Problem> {
        let path = request.uri().path();
        let Some(route) = self.table.find(path) else {
            return Err(Problem::new(ErrorReason::UnknownMethod).meta("path", path));
        };
        let admission = self.enter(&request, route)?;
        let deadline = self
            .limit(&mut request, route)
            .and_then(|limit| Instant::now().checked_add(limit));
        if let Some(draft) = request.extensions_mut().remove::<Draft>() {
            request = self.frame(request, draft, deadline).await?;
        }
        travel(&mut request);
        self.vouch(&mut request);
        let request = request.map(|body| Body::new(Dense(body)));
        let sent = route.upstream.send(request, route.repeatable, deadline);
        let sent = sent.await;
        if let Some(slot) = &admission.slot {
            slot.answered(is_overloaded(&sent), Instant::now());
        }
        let response = sent.map_err(unavailable)?;
        Ok(response.map(|body| Body::new(Answer::new(body, deadline, admission))))
    }

    /// A place among the caller's calls, and for a unary call one among those of the service. Whoever comes
    /// here was authenticated by the server.
    fn enter(&self, request: &Request<Body>, route: &Route) -> Result<Admission, Problem> {
        let caller = request.extensions().get::<Arc<Caller>>();
        let caller = caller.ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))?;
        route.rule.check(caller)?;
        self.limits
            .pass(caller, request.uri().path(), Instant::now())?;
        let overloaded = || Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let place = self.callers.enter(&caller.subject);
        let place = place.ok_or_else(overloaded)?;
        let slot = if route.unary {
            Some(route.room.enter(route.priority).ok_or_else(overloaded)?)
        } else {
            None
        };
        Ok(Admission {
            slot,
            _place: place,
        })
    }

    /// Makes the body of a call that came in another dialect. A body always has a deadline.
    async fn frame(
        &self,
        request: Request<Body>,
        draft: Draft,
        deadline: Option<Instant>,
    ) -> Result<Request<Body>, Problem> {
        let (head, body) = request.into_parts();
        let deadline = deadline.unwrap_or_else(|| Instant::now() + self.deadlines.default);
        let framed = timeout_at(deadline, draft.frame(body)).await;
        let framed = framed.map_err(|_| Problem::new(ErrorReason::DeadlineExceeded))??;
        Ok(Request::from_parts(head, Body::from(framed)))
    }

    /// Signs for a caller who showed a certificate: the service behind does not see it. What such a
    /// caller says of itself in a header goes no further.
    fn vouch(&self, request: &mut Request<Body>) {
        let session = request.extensions().get::<Arc<Session>>();
        let Some(session) = session.filter(|session| session.by_certificate()) else {
            return;
        };
        let vouched = self
            .exchange
            .as_ref()
            .map(|exchange| exchange.authorization(session));
        match vouched {
            Some(token) => drop(request.headers_mut().insert(AUTHORIZATION, token)),
            None => drop(request.headers_mut().remove(AUTHORIZATION)),
        }
    }

    /// How long the call may take, also told to the service. A unary call always has a deadline,
    /// and never one beyond the bound; a stream has the one that its caller sets.
    fn limit(&self, request: &mut Request<Body>, route: &Route) -> Option<Duration> {
        let asked = deadline::read(request.headers());
        if !route.unary {
            return asked;
        }
        let Deadlines { default, most } = self.deadlines;
        let limit = asked.unwrap_or(default).min(most);
        if asked != Some(limit) {
            deadline::write(request.headers_mut(), limit);
        }
        Some(limit)
    }
}

/// Whether the service said that it had too much to do, or was too slow to say anything.
fn is_overloaded<B>(answered: &Result<Response<B>, Unreachable>) -> bool {
    match answered {
        Ok(response) => {
            let status = response.headers().get("grpc-status");
            status.is_some_and(|status| status == "8")
        }
        Err(Unreachable::Late) => true,
        Err(_) => false,
    }
}

fn unavailable(err: Unreachable) -> Problem {
    if let Unreachable::Late = err {
        return Problem::new(ErrorReason::DeadlineExceeded);
    }
    Problem::new(ErrorReason::Unavailable)
        .retry_after(RETRY)
        .source(err)
}

/// Leaves what concerned one hop only behind.
pub(crate) fn travel(request: &mut Request<Body>) {
    *request.version_mut() = Version::HTTP_2;
    strip(request.headers_mut());
}

fn strip(headers: &mut HeaderMap) {
    for name in HOP {
        headers.remove(name);
    }
    headers.insert(TE, HeaderValue::from_static("trailers"));
}

impl Service<Request<Body>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let proxy = self.clone();
        Box::pin(async move {
            let answered = proxy.pass(request).await;
            Ok(answered.unwrap_or_else(|problem| Status::from(problem).into_http::<Body>()))
        })
    }
}
