//! Memory for what messages mean: an element of a list has two bytes on the wire at least, and hundreds when it
//! was read. Messages that say much in little are weighed before they are read.

mod shapes;
mod weigher;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use proto::error::ErrorReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;

use self::weigher::Weigher;
use crate::status::Problem;

/// Memory is counted in such pieces, in bytes.
const PIECE: usize = 1 << 10;
/// What a message may mean without taking up any of the room.
const FREE: usize = 64 << 10;
/// What one message may mean.
const MOST: usize = 16 << 20;
/// What all messages under way may mean together, in pieces.
const ROOM: usize = (24 << 20) / PIECE;
/// A list that is full moves to where twice as much fits, and is in both places meanwhile: it has taken up at most so
/// many times what its elements do once it is read, one of a single element a time more.
const GROWING: usize = 3;
/// Whoever finds no room may try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// The memory for what messages mean.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// What one call takes up of it, until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    /// Of the method.
    path: &'static str,
    room: Arc<Semaphore>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }

    /// Weighs what is sent to the method at `path` as it comes. Whoever waits for the answer keeps what is
    /// given back.
    pub(super) fn weigh(
        &self,
        path: &str,
        request: Request<Body>,
    ) -> (Request<Body>, Option<Arc<Held>>) {
        let Some((path, input)) = shapes::taken_at(path) else {
            return (request, None);
        };
        let held = Arc::new(Held {
            path,
            room: self.0.clone(),
            permit: Mutex::default(),
        });
        let weighed = request.map(|body| {
            Body::new(Weighed {
                body: Some(body),
                weigher: Weigher::of(input),
                held: held.clone(),
            })
        });
        (weighed, Some(held))
    }
}

impl Held {
    /// Takes up as much as elements of this `weight` do while they are read.
    ///
    /// # Errors
    /// MESSAGE_TOO_LARGE, or RATE_LIMITED when there is no room: that so much is asked for at once says nothing of
    /// the service.
    fn grow(&self, weight: usize) -> Result<(), Problem> {
        let weight = weight.saturating_mul(GROWING);
        if weight <= FREE {
            return Ok(());
        }
        if weight > MOST {
            return Err(Problem::new(ErrorReason::MessageTooLarge));
        }
        let mut permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        let has = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = weight.div_ceil(PIECE).saturating_sub(has);
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let more = self.room.clone().try_acquire_many_owned(missing);
        let more = more.map_err(|_| {
            let problem = Problem::new(ErrorReason::RateLimited);
            problem.meta("limit", self.path).retry_after(RETRY)
        })?;
        match &mut *permit {
            Some(permit) => permit.merge(more),
            None => *permit = Some(more),
        }
        Ok(())
    }
}

/// Passes a request's body on, unless it means too much.
struct Weighed {
    /// None once it was refused.
    body: Option<Body>,
    weigher: Weigher,
    held: Arc<Held>,
}

impl http_body::Body for Weighed {
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
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.weigher.pass(data);
            if let Err(problem) = this.held.grow(this.weigher.weight()) {
                this.body = None;
                return Poll::Ready(Some(Err(problem.into())));
            }
        }
        polled
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

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};
    use tonic::Code;

    use super::*;

    const BATCH: &str = "/campus.safety.v1.GateService/RecordBatch";

    /// A message with so many empty elements.
    fn request(elements: usize) -> Request<Body> {
        let length = u32::try_from(2 * elements).unwrap();
        let head = [&[0][..], &length.to_be_bytes()].concat();
        let bytes = [head, [0x1a, 0].repeat(elements)].concat();
        Request::new(Body::new(Full::new(Bytes::from(bytes))))
    }

    async fn read(room: &Room, elements: usize) -> (Result<(), Code>, Option<Arc<Held>>) {
        let (request, held) = room.weigh(BATCH, request(elements));
        let read = request.into_body().collect().await;
        (read.map(drop).map_err(|status| status.code()), held)
    }

    #[tokio::test]
    async fn a_message_that_means_too_much_is_refused() {
        let room = Room::new();
        assert_eq!(read(&room, 1_000).await.0, Ok(()));
        let (refused, held) = read(&room, 500_000).await;
        assert_eq!(refused, Err(Code::ResourceExhausted));
        drop(held);
        assert_eq!(room.0.available_permits(), ROOM, "all is given back");
    }

    #[tokio::test]
    async fn all_messages_together_have_their_bound_until_they_are_answered() {
        let room = Room::new();
        let mut answered_later = Vec::new();
        let refused = loop {
            let (read, held) = read(&room, 10_000).await;
            answered_later.extend(held);
            match read {
                Ok(()) => assert!(answered_later.len() < 100, "there is no bound"),
                Err(code) => break code,
            }
        };
        assert_eq!(refused, Code::ResourceExhausted);
        assert_eq!(read(&room, 10).await.0, Ok(()), "small ones pass");
        answered_later.clear();
        assert_eq!(read(&room, 10_000).await.0, Ok(()));
    }
}
