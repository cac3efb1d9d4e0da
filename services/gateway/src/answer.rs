//! The body of an answer: the service's own bytes and trailers. When the service goes away, ends without saying
//! how, or the deadline passes in the middle, the caller is told in trailers instead of by a broken stream.

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
use crate::limits::Slot;

/// The header, or trailer, that says how a call ended.
pub(crate) const STATUS: &str = "grpc-status";

/// Passes an answer on until its end, its break or its deadline.
#[derive(Debug)]
pub(crate) struct Answer<B> {
    body: Dense<B>,
    deadline: Option<Instant>,
    /// Set up when the service makes the caller wait for the first time.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// Whether the head says already how the call ended: then there are no trailers.
    told: bool,
    _held: Held,
}

/// What a call keeps until its answer has ended: a place among the calls of its caller, one among what the
/// caller watches, and one among the streams of the service.
pub(crate) type Held = (Place, Option<Place>, Option<Slot>);

impl<B> Answer<B> {
    /// Passes `body` on, behind a head that has `told` how the call ended or not; the call keeps its places until
    /// the end.
    pub(crate) fn new(body: B, told: bool, deadline: Option<Instant>, held: Held) -> Self {
        Self {
            body: Dense(body),
            deadline,
            timer: None,
            ended: false,
            told,
            _held: held,
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
            Poll::Ready(Some(Ok(frame))) => match frame.trailers_ref() {
                Some(trailers) if !trailers.contains_key(STATUS) => {
                    this.end(Problem::new(ErrorReason::Unavailable))
                }
                Some(_) => {
                    this.told = true;
                    Poll::Ready(Some(Ok(frame)))
                }
                None => Poll::Ready(Some(Ok(frame))),
            },
            Poll::Ready(Some(Err(err))) => {
                this.end(Problem::new(ErrorReason::Unavailable).source(err))
            }
            // A service that ends in order says how: this one was cut off.
            Poll::Ready(None) if !this.told => this.end(Problem::new(ErrorReason::Unavailable)),
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
        self.ended || (self.told && self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        // Trailers may come instead of what the service promised.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full, StreamBody};
    use kit::auth::Caller;
    use kit::org::OrgPath;

    use super::*;
    use crate::callers::Callers;

    /// How a call ends for its caller whose service answers with this body.
    async fn end(body: impl Body<Data = Bytes, Error = Infallible> + Unpin, told: bool) -> String {
        let caller = Caller::new("somebody", Vec::new(), OrgPath::root());
        let place = Callers::new(1).enter(&caller).unwrap();
        let answer = Answer::new(body, told, None, (place, None, None));
        let read = answer.collect().await.unwrap();
        let trailers = read.trailers().cloned().unwrap_or_default();
        let code = trailers.get(STATUS).map(|code| code.to_str().unwrap());
        code.unwrap_or("none").to_owned()
    }

    fn ending_with(name: &'static str) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let mut trailers = HeaderMap::new();
        trailers.insert(name, http::HeaderValue::from_static("0"));
        let frames = [Frame::data(Bytes::from("a")), Frame::trailers(trailers)];
        StreamBody::new(futures_util::stream::iter(frames.map(Ok)))
    }

    #[tokio::test]
    async fn a_service_that_does_not_say_how_it_ended_was_cut_off() {
        assert_eq!(end(ending_with(STATUS), false).await, "0");
        assert_eq!(end(ending_with("x-other"), false).await, "14");
        assert_eq!(end(Full::new(Bytes::from("a")), false).await, "14");
        assert_eq!(end(Full::new(Bytes::new()), false).await, "14");
        assert_eq!(end(Full::new(Bytes::new()), true).await, "none");
    }
}
