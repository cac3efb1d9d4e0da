//! What a service of the gateway itself has in common with those behind it: its callers are let in by the
//! same rules and limits, and may come in any dialect.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use kit::auth::{Caller, Exchange, Session};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::{Instant, timeout};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Extensions, Status};
use tower::Service;

use crate::authority::Rule;
use crate::callers::{Callers, Place};
use crate::draft::Draft;
use crate::limits::Limits;

/// A caller that has as much under way as it may can try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// Lets callers in.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) limits: Limits,
    pub(crate) callers: Callers,
    /// Signs for callers with a certificate where a service behind is asked for them.
    pub(crate) exchange: Option<Exchange>,
}

/// The gateway's word for a caller who showed it a certificate, new each time it is given.
#[derive(Clone, Debug)]
pub(crate) struct Voucher {
    exchange: Exchange,
    session: Arc<Session>,
}

impl Voucher {
    /// The value of the header `authorization`.
    pub(crate) fn authorization(&self) -> http::HeaderValue {
        self.exchange.authorization(&self.session)
    }
}

impl Reception {
    /// A place for a call of `caller` to `path`.
    ///
    /// # Errors
    /// SCOPE_DENIED, RATE_LIMITED, or OVERLOADED when the caller has as many under way as it may.
    pub(crate) fn enter(&self, caller: &Caller, path: &str) -> Result<Place, Problem> {
        Rule::of(path).check(caller)?;
        self.limits.pass(caller, path, Instant::now())?;
        let place = self.callers.enter(&caller.subject);
        place.ok_or_else(|| Problem::new(ErrorReason::Overloaded).retry_after(RETRY))
    }

    /// The gateway's word for the caller of a request; none for one who showed a token, which travels on
    /// itself.
    pub(crate) fn voucher(&self, extensions: &Extensions) -> Option<Voucher> {
        let session = extensions.get::<Arc<Session>>()?;
        let exchange = self.exchange.as_ref()?;
        session.by_certificate().then(|| Voucher {
            exchange: exchange.clone(),
            session: session.clone(),
        })
    }
}

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
            let framed = timeout(within, draft.frame(body))
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
