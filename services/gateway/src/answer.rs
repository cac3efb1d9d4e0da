//! The body of an answer: the service's own bytes and trailers. When the service goes away or the
//! deadline passes in the middle, the caller is told in trailers instead of by a broken stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use crate::callers::Place;
use crate::dense::Dense;

/// Passes an answer on until its end, its break or its deadline.
#[derive(Debug)]
pub(crate) struct Answer<B> {
    body: Dense<B>,
    deadline: Option<Instant>,
    /// Set up when the service makes the caller wait for the first time.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// Among the calls of the caller.
    _place: Place,
}

impl<B> Answer<B> {
    /// Passes `body` on; the call keeps its place until the end.
    pub(crate) fn new(body: B, deadline: Option<Instant>, place: Place) -> Self {
        Self {
            body: Dense(body),
            deadline,
            timer: None,
            ended: false,
            _place: place,
        }
    }

    fn end(&mut self, problem: Problem) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.ended = true;
        let mut trailers = HeaderMap::new();
        // Code, words and details of a problem are always legal in headers.
        let _ = Status::from(problem).add_header(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline else {
            return false;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        timer.as_mut().poll(context).is_ready()
    }
}

impl<B> Body for Answer<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(Some(Err(err))) => {
                this.end(Problem::new(ErrorReason::Unavailable).source(err))
            }
            Poll::Ready(None) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending if this.is_late(context) => {
                this.end(Problem::new(ErrorReason::DeadlineExceeded))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Trailers may come instead of what the service promised.
        SizeHint::default()
    }
}
