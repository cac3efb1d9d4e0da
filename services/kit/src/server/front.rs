//! What stands before a server that is also spoken to in other ways than gRPC.
//!
//! A [`Front`] turns such a request into a call and its answer back, so that tokens, limits,
//! counters and routes are the same for everybody. A request that it does not take costs a look at
//! its head and nothing more.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, Either};
use http::{Request, Response};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service};

/// The server behind a front: it answers gRPC.
pub type Behind = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Says of a request that its body is no message of gRPC yet: whoever makes one of it bounds it as well.
#[derive(Clone, Copy, Debug)]
pub struct Unframed;

/// Answers what is not plain gRPC.
pub trait Front: Debug + Send + Sync + 'static {
    /// Whether this request is for the front. What is not goes on untouched.
    fn takes(&self, request: &Request<Body>) -> bool;

    /// Answers a request that it takes, by calls to the server behind it where it needs any.
    fn answer(&self, request: Request<Body>, behind: Behind) -> BoxFuture<'static, Response<Body>>;
}

#[derive(Clone)]
pub(super) struct FrontLayer(Option<Arc<dyn Front>>);

impl FrontLayer {
    pub(super) fn new(front: Option<Arc<dyn Front>>) -> Self {
        Self(front)
    }
}

impl<S> Layer<S> for FrontLayer {
    type Service = Fronted<S>;

    fn layer(&self, inner: S) -> Fronted<S> {
        Fronted {
            inner,
            front: self.0.clone(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Fronted<S> {
    inner: S,
    front: Option<Arc<dyn Front>>,
}

impl<S> Service<Request<Body>> for Fronted<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &self.front {
            Some(front) if front.takes(&request) => {
                let answer = front.answer(request, Behind::new(self.inner.clone()));
                Either::Right(Box::pin(async move { Ok(answer.await) }))
            }
            _ => Either::Left(self.inner.call(request)),
        }
    }
}
