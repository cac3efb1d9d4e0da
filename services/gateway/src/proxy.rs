//! Passes calls on: the head is readdressed, the bytes and trailers are not touched.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use kit::auth::Session;
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic_types::StatusExt;
use tower::Service;

use crate::answer::{Answer, STATUS};
use crate::callers::Place;
use crate::deadline;
use crate::dense::Dense;
use crate::draft::Draft;
use crate::limits::{Slots, Stay};
use crate::reception::Reception;
use crate::route::{Route, Table};
use crate::upstream::{Unreachable, begun};

/// Headers that concern one hop only.
const HOP: [HeaderName; 4] = [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE];
/// The reason of a service that has too much to do.
const OVERLOADED: &str = "OVERLOADED";
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
        let ((place, watcher), slots) = self.enter(&request, route)?;
        let came = Instant::now();
        let limit = self.limit(request.headers(), route);
        let deadline = limit.and_then(|limit| came.checked_add(limit));
        if let Some(draft) = request.extensions_mut().remove::<Draft>() {
            request = self.frame(request, draft, (route, deadline)).await?;
        } else if route.stay == Stay::Answer && !route.repeatable {
            request = self.begin(request, deadline).await?;
        }
        travel(&mut request);
        self.vouch(&mut request);
        let request = request.map(|body| Body::new(Dense(body)));
        let sent = route.upstream.send(request, route.repeatable, deadline);
        let sent = sent.await;
        // The service has done its part: how long the caller takes to read is no load of it.
        let stream = slots.answered(is_overloaded(&sent), Instant::now());
        let mut response = sent.map_err(unavailable)?;
        let told = response.headers().contains_key(STATUS);
        if !told && response.status() != StatusCode::OK {
            return Err(away());
        }
        // It may end otherwise than the service says.
        response.headers_mut().remove(CONTENT_LENGTH);
        let held = (place, watcher, stream);
        Ok(response.map(|body| Body::new(Answer::new(body, told, deadline, held))))
    }

    /// A place among the caller's calls, one among what it watches, and those of the call in the service.
    /// Whoever comes here was authenticated by the server.
    fn enter(
        &self,
        request: &Request<Body>,
        route: &Route,
    ) -> Result<((Place, Option<Place>), Slots), Problem> {
        let (extensions, path) = (request.extensions(), request.uri().path());
        let head = (extensions, request.headers());
        let place = self.reception.enter(head, &route.rule, path)?;
        let watcher = match route.stay {
            Stay::Watch => Some(self.reception.watch(extensions, path)?),
            Stay::Answer | Stay::Stream | Stay::Upload => None,
        };
        let overloaded = || Problem::new(ErrorReason::Overloaded).retry_after(RETRY);
        let slots = route.rooms.enter(route.stay, route.priority);
        Ok(((place, watcher), slots.ok_or_else(overloaded)?))
    }

    /// Makes the body of a call that came in another dialect. A body always has a deadline.
    async fn frame(
        &self,
        request: Request<Body>,
        draft: Draft,
        (route, deadline): (&Route, Option<Instant>),
    ) -> Result<Request<Body>, Problem> {
        let (head, body) = request.into_parts();
        let deadline = deadline.unwrap_or_else(|| Instant::now() + self.deadlines.default);
        let framed = timeout_at(deadline, draft.frame(body, route.bound)).await;
        let framed = framed.map_err(|_| Problem::new(ErrorReason::DeadlineExceeded))??;
        Ok(Request::from_parts(head, Body::from(framed)))
    }

    /// Waits for the beginning of the one message of a call: one that is too large, or never comes, takes no
    /// stream of the connections that all callers share. What may be made again is waited for anyway.
    async fn begin(
        &self,
        request: Request<Body>,
        deadline: Option<Instant>,
    ) -> Result<Request<Body>, Problem> {
        let deadline = deadline.unwrap_or_else(|| Instant::now() + self.deadlines.default);
        // The server says itself when a message was too large.
        let broken = || Problem::new(ErrorReason::DeadlineExceeded);
        let begun = timeout_at(deadline, begun(request)).await;
        begun.map_err(|_| broken())?.map_err(|_| broken())
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
        if route.stay != Stay::Answer {
            return asked;
        }
        let Deadlines { default, most } = self.deadlines;
        Some(asked.unwrap_or(default).min(most))
    }
}

/// Whether the service said that it had too much to do, or had time enough and said nothing.
fn is_overloaded<B>(answered: &Result<Response<B>, Unreachable>) -> bool {
    match answered {
        Ok(response) => says_overloaded(response.headers()),
        Err(Unreachable::Silent) => true,
        Err(_) => false,
    }
}

/// Whether an answer says so. A call that was refused because it is too large, or one of too many of its caller,
/// says nothing of the service: nobody can make room for others smaller by such calls.
fn says_overloaded(headers: &HeaderMap) -> bool {
    if headers.get(STATUS).is_none_or(|status| status != "8") {
        return false;
    }
    let status = Status::from_header_map(headers);
    let told = status.and_then(|status| status.get_details_error_info());
    told.is_none_or(|info| info.reason == OVERLOADED)
}

fn unavailable(err: Unreachable) -> Problem {
    if let Unreachable::Silent | Unreachable::Late | Unreachable::BrokenOff = err {
        return Problem::new(ErrorReason::DeadlineExceeded);
    }
    away().source(err)
}

fn away() -> Problem {
    Problem::new(ErrorReason::Unavailable).retry_after(RETRY)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_that_has_too_much_to_do_is_asked_for_less() {
        let says = |status: Status| says_overloaded(status.into_http::<Body>().headers());
        let refused = |reason| says(Problem::new(reason).into());
        assert!(refused(ErrorReason::Overloaded));
        assert!(says(Status::resource_exhausted("of another make")));
        for other in [
            ErrorReason::MessageTooLarge,
            ErrorReason::StorageFull,
            ErrorReason::Unavailable,
        ] {
            assert!(!refused(other), "{other:?}");
        }
        assert!(!says(Status::ok("")));
    }
}
