//! The services behind the gateway, for calls that the gateway makes itself: over the connections that
//! calls from outside are passed on by.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use http::Request;
use kit::status::Problem;
use proto::error::ErrorReason;
use tonic::Status;
use tower::Service;

use crate::proxy::travel;
use crate::route::Table;
use crate::upstream::{Answered, Upstream};

type Sending = Pin<Box<dyn Future<Output = Result<Answered, Status>> + Send>>;

/// Sends each call to the service that answers its path.
#[derive(Clone, Debug)]
pub(crate) struct Inside(pub(crate) Arc<Table>);

/// Sends each call to one service: for contracts that every service answers for itself.
#[derive(Clone, Debug)]
pub(crate) struct Only {
    pub(crate) upstream: Arc<Upstream>,
    /// The calls are unary and change nothing.
    pub(crate) repeatable: bool,
}

impl Service<Request<tonic::body::Body>> for Inside {
    type Response = Answered;
    type Error = Status;
    type Future = Sending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Sending {
        match self.0.find(request.uri().path()) {
            Some(route) => send(route.upstream.clone(), route.repeatable, request),
            None => Box::pin(std::future::ready(Err(unavailable().into()))),
        }
    }
}

impl Service<Request<tonic::body::Body>> for Only {
    type Response = Answered;
    type Error = Status;
    type Future = Sending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Sending {
        send(self.upstream.clone(), self.repeatable, request)
    }
}

fn send(upstream: Arc<Upstream>, repeatable: bool, request: Request<tonic::body::Body>) -> Sending {
    Box::pin(async move {
        let mut request = request.map(Body::new);
        travel(&mut request);
        // Whoever asks has a deadline of its own.
        let sent = upstream.send(request, repeatable, None).await;
        Ok(sent.map_err(|err| unavailable().source(err))?)
    })
}

fn unavailable() -> Problem {
    Problem::new(ErrorReason::Unavailable)
}

/// What a service told, without the headers of an answer that was for the gateway.
pub(crate) fn retold(told: &Status) -> Status {
    let details = bytes::Bytes::copy_from_slice(told.details());
    Status::with_details(told.code(), told.message(), details)
}
