//! Streams that end with the credentials of who opened them, or of old age.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use proto::error::ErrorReason;
use tonic::Status;
use tonic::body::Body;

use super::framing::Framing;
use crate::auth::{Session, Verifier};
use crate::status::Problem;

/// Those who were ended come back at different times.
const SPREAD: std::ops::Range<f64> = 0.9..1.1;
/// Whoever watched for as long as one may can go on after this.
const RETRY: Duration = Duration::from_millis(10);

/// Why a stream ends that is too old.
pub(super) fn of_old_age() -> Problem {
    Problem::new(ErrorReason::Unavailable).retry_after(RETRY)
}

/// An age that is a tenth more or less.
pub(super) fn about(age: Duration) -> Duration {
    age.mul_f64(rand::random_range(SPREAD))
}

/// Passes a stream on until it is too old, or the credentials of its caller have ended or were called back.
/// The end is told in trailers after a whole message: what the caller has read is its cursor.
pub(super) struct Until {
    /// None once it has ended.
    body: Option<Body>,
    framing: Framing,
    ended: BoxFuture<'static, Problem>,
    /// Why it ends after the message that passes now.
    why: Option<Problem>,
}

impl Until {
    /// Passes `body` on for as long as `session` stands, and about `age` at most.
    pub(super) fn new(
        body: Body,
        verifier: Verifier,
        session: Arc<Session>,
        age: Duration,
    ) -> Self {
        let age = about(age);
        let ended = async move {
            tokio::select! {
                problem = verifier.ended(session) => problem,
                () = tokio::time::sleep(age) => of_old_age(),
            }
        };
        Self {
            body: Some(body),
            framing: Framing::default(),
            ended: Box::pin(ended),
            why: None,
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
        if this.why.is_none()
            && let Poll::Ready(problem) = this.ended.as_mut().poll(context)
        {
            this.why = Some(problem);
        }
        if this.framing.is_between()
            && let Some(problem) = this.why.take()
        {
            // Whoever makes the stream hears of its end now.
            this.body = None;
            let mut trailers = HeaderMap::new();
            // Code, words and details of a problem are always legal in headers.
            let _ = Status::from(problem).add_header(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.framing.pass(data);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        // Trailers may come instead of what the service promised.
        SizeHint::default()
    }
}
