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
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::timeout;
use tonic::Status;
use tower::Service;

use crate::deadline;
use crate::dense::Dense;
use crate::pool::Unreachable;
use crate::route::{Route, Table};

/// Headers that concern one hop only.
const HOP: [HeaderName; 4] = [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE];
/// A caller that was refused for an unreachable service may try again after this.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    table: Arc<Table>,
    default_deadline: Duration,
}

impl Proxy {
    pub(crate) fn new(table: Table, default_deadline: Duration) -> Self {
        Self {
            table: Arc::new(table),
            default_deadline,
        }
    }

    async fn pass(self, mut request: Request<Body>) -> Result<Response<Body>, Problem> {
        let path = request.uri().path_and_query().cloned();
        let route = path.as_ref().and_then(|path| self.table.find(path.path()));
        let (Some(path), Some(route)) = (path, route) else {
            let path = request.uri().path();
            return Err(Problem::new(ErrorReason::UnknownMethod).meta("path", path));
        };
        let limit = self.limit(&mut request, route);
        readdress(&mut request, route.pool.authority().clone(), path);
        let request = request.map(|body| Body::new(Dense(body)));
        let answered = match limit {
            Some(limit) => timeout(limit, route.pool.send(request))
                .await
                .map_err(|_| Problem::new(ErrorReason::DeadlineExceeded))?,
            None => route.pool.send(request).await,
        };
        let response = answered.map_err(unavailable)?;
        Ok(response.map(|body| Body::new(Dense(body))))
    }

    /// How long to wait for the answer's head. A unary call always has a deadline.
    fn limit(&self, request: &mut Request<Body>, route: &Route) -> Option<Duration> {
        let asked = deadline::read(request.headers());
        if asked.is_none() && route.unary {
            deadline::write(request.headers_mut(), self.default_deadline);
            return Some(self.default_deadline);
        }
        asked
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
