//! A request of one message must arrive soon: nobody holds a place by sending slowly.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;

/// Passes a request's body on. One that is not whole in time breaks off with DEADLINE_EXCEEDED.
pub(super) struct Arriving {
    /// None once it broke off.
    body: Option<Body>,
    within: Duration,
    /// Set up when the caller makes the service wait for the first time.
    late: Option<Pin<Box<Sleep>>>,
}

impl Arriving {
    /// Gives `body` this long.
    pub(super) fn new(body: Body, within: Duration) -> Self {
        Self {
            body: Some(body),
            within,
            late: None,
        }
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        let within = this.within;
        let late = this.late.get_or_insert_with(|| Box::pin(sleep(within)));
        if late.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        this.body = None;
        let status = Status::deadline_exceeded("the request did not arrive in time");
        Poll::Ready(Some(Err(status)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}
