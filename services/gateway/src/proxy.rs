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
use kit::auth::{Caller, Session};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tower::Service;

use crate::answer::Answer;
use crate::callers::Place;
use crate::deadline;
use crate::dense::Dense;
use crate::draft::Draft;
use crate::limits::Slot;
use crate::reception::Reception;
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

#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    table: Arc<Table>,
    deadlines: Deadlines,
    reception: Reception,
}

impl Proxy {
    pub(crate) fn new(table: Arc<Table>, deadlines: Deadlines, reception: Reception) -> Self {
        Self {
            table,
            deadlines,
            reception,
        }
    }

    async fn pass(self, mut request: Request<Body>) -> Result<Response<Body>, Problem> {
        let path = request.uri().path();
        let Some(route) = self.table.find(path) else {
            return Err(Problem::new(ErrorReason::UnknownMethod).meta("path", path));
        };
        let (place, slot) = self.enter(&request, route)?;
        let came = Instant::now();
        let limit = self.limit(request.headers(), route);
        let deadline = limit.and_then(|limit| came.checked_add(limit));
        if let Some(draft) = request.extensions_mut().remove::<Draft>() {
            request = self.frame(request, draft, deadline).await?;
        }
        travel(&mut request);
        self.vouch(&mut request);
        let request = request.map(|body| Body::new(Dense(body)));
        let sent = route.upstream.send(request, route.repeatable, deadline);
        let sent = sent.await;
        if let Some(slot) = slot {
            // The service has done its part: how long the caller takes to read is no load of it.
            slot.answered(is_overloaded(&sent), Instant::now());
        }
        let response = sent.map_err(unavailable)?;
        Ok(response.map(|body| Body::new(Answer::new(body, deadline, place))))
    }

    /// A place among the caller's calls, and for a unary call one among those of the service. Whoever comes
    /// here was authenticated by the server.
    fn enter(
        &self,
        request: &Request<Body>,
        route: &Route,
    ) -> Result<(Place, Option<Slot>), Problem> {
        let caller = request.extensions().get::<Arc<Caller>>();
        let caller = caller.ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))?;
        let path = request.uri().path();
        let place = self.reception.enter(caller, &route.rule, path)?;
        if !route.unary {
            return Ok((place, None));
        }
        let overloaded = || Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let slot = route.room.enter(route.priority).ok_or_else(overloaded)?;
        Ok((place, Some(slot)))
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
        if !session.is_some_and(|session| session.by_certificate()) {
            return;
        }
        match self.reception.voucher(request.extensions()) {
            Some(voucher) => {
                let token = voucher.authorization();
                request.headers_mut().insert(AUTHORIZATION, token);
            }
            None => drop(request.headers_mut().remove(AUTHORIZATION)),
        }
    }

    /// How long the call may take. A unary call always has a deadline, and never one beyond the bound; a
    /// stream has the one that its caller sets.
    fn limit(&self, headers: &HeaderMap, route: &Route) -> Option<Duration> {
        let asked = deadline::read(headers);
        if !route.unary {
            return asked;
        }
        let Deadlines { default, most } = self.deadlines;
        Some(asked.unwrap_or(default).min(most))
    }
}

/// Whether the service said that it had too much to do, or had time enough and said nothing.
fn is_overloaded<B>(answered: &Result<Response<B>, Unreachable>) -> bool {
    match answered {
        Ok(response) => {
            let status = response.headers().get("grpc-status");
            status.is_some_and(|status| status == "8")
        }
        Err(Unreachable::Silent) => true,
        Err(_) => false,
    }
}

fn unavailable(err: Unreachable) -> Problem {
    if let Unreachable::Silent | Unreachable::Late | Unreachable::BrokenOff = err {
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
