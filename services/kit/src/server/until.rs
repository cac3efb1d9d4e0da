//! Streams that end with the credentials of who opened them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use crate::auth::{Session, Verifier};
use crate::status::Problem;

/// Passes a stream on until the credentials of its caller have ended or were called back. The end is
/// told in trailers: what the caller has read is its cursor.
pub(super) struct Until {
    /// None once it has ended.
    body: Option<Body>,
    ended: BoxFuture<'static, Problem>,
}

impl Until {
    /// Passes `body` on for as long as `session` stands.
    pub(super) fn new(body: Body, verifier: Verifier, session: Arc<Session>) -> Self {
        Self {
            body: Some(body),
            ended: Box::pin(verifier.ended(session)),
        }
    }
}

impl http_body::Body for Until {
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
        if let Poll::Ready(problem) = this.ended.as_mut().poll(context) {
            // Whoever makes the stream hears of its end now.
            this.body = None;
            let mut trailers = HeaderMap::new();
            // Code, words and details of a problem are always legal in headers.
            let _ = Status::from(problem).add_header(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        // Trailers may come instead of what the service promised.
        SizeHint::default()
    }
}
