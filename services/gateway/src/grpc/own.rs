//! What a service of the gateway itself has in common with those behind it: its callers may come in any
//! dialect.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::draft::{Bound, Draft};

/// A service that also takes calls that came in another dialect.
#[derive(Clone, Debug)]
pub(crate) struct Own<S> {
    inner: S,
    /// A body has this long to arrive.
    within: Duration,
}

impl<S> Own<S> {
    pub(crate) fn new(inner: S, within: Duration) -> Self {
        Self { inner, within }
    }
}

impl<S: NamedService> NamedService for Own<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Own<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(draft) = request.extensions_mut().remove::<Draft>() else {
            return Box::pin(self.inner.call(request));
        };
        // The clone that was polled ready answers; the fresh one takes its place.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let within = self.within;
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let late = |_| Err(Problem::new(ErrorReason::DeadlineExceeded));
            let bound = Bound::of(head.uri.path(), false);
            let framed = timeout(within, draft.frame(body, bound))
                .await
                .unwrap_or_else(late);
            match framed {
                Ok(bytes) => {
                    let body = Body::new(http_body_util::Full::new(bytes));
                    inner.call(Request::from_parts(head, body)).await
                }
                Err(problem) => Ok(Status::from(problem).into_http()),
            }
        })
    }
}
