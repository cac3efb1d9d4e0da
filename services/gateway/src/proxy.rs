//! Passes calls on: the head is readdressed, the bytes and trailers are not touched.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, Version};
use kit::auth::Caller;
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tower::Service;

use crate::answer::Answer;
use crate::callers::{Callers, Place};
use crate::deadline;
use crate::dense::Dense;
use crate::pool::Unreachable;
use crate::route::{Route, Table};

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
    callers: Callers,
}

impl Proxy {
    pub(crate) fn new(table: Table, deadlines: Deadlines, callers: Callers) -> Self {
        Self {
            table: Arc::new(table),
            deadlines,
            callers,
        }
    }

    async fn pass(self, mut request: Request<Body>) -> Result<Response<Body>, Problem> {
        let path = request.uri().path_and_query().cloned();
        let route = path.as_ref().and_then(|path| self.table.find(path.path()));
        let (Some(path), Some(route)) = (path, route) else {
            let path = request.uri().path();
            return Err(Problem::new(ErrorReason::UnknownMethod).meta("path", path));
        };
        let place = self.enter(&request)?;
        let deadline = self
            .limit(&mut request, route)
            .and_then(|limit| Instant::now().checked_add(limit));
        readdress(&mut request, route.pool.authority().clone(), path);
        let request = request.map(|body| Body::new(Dense(body)));
        let answered = match deadline {
            Some(deadline) => timeout_at(deadline, route.pool.send(request))
                .await
                .map_err(|_| Problem::new(ErrorReason::DeadlineExceeded))?,
            None => route.pool.send(request).await,
        };
        let response = answered.map_err(unavailable)?;
        Ok(response.map(|body| Body::new(Answer::new(body, deadline, place))))
    }

    /// A place among the caller's calls. Whoever comes here was authenticated by the server.
    fn enter(&self, request: &Request<Body>) -> Result<Place, Problem> {
        let caller = request.extensions().get::<Arc<Caller>>();
        let caller = caller.ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))?;
        self.callers
            .enter(&caller.subject)
            .ok_or_else(|| Problem::new(ErrorReason::Overloaded).retry_after(RETRY))
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

fn unavailable(err: Unreachable) -> Problem {
    Problem::new(ErrorReason::Unavailable)
        .retry_after(RETRY)
        .source(err)
}

fn readdress(request: &mut Request<Body>, authority: Authority, path: PathAndQuery) {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    // A scheme, an authority and a path always make a URI.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
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
