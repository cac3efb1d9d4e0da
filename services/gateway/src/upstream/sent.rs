//! Whether a call was sent as a whole: a caller who breaks off or is slow says nothing about the service.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body::{Body as _, Frame, SizeHint};

const UNDER_WAY: u8 = 0;
const WHOLE: u8 = 1;
const BROKEN_OFF: u8 = 2;

/// How far a call was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent(Arc<AtomicU8>);

impl Sent {
    /// `request`, and how far it was sent.
    pub(super) fn follow(request: Request<Body>) -> (Request<Body>, Self) {
        let state = if request.body().is_end_stream() {
            WHOLE
        } else {
            UNDER_WAY
        };
        let sent = Self(Arc::new(AtomicU8::new(state)));
        let followed = sent.clone();
        let request = request.map(|body| {
            Body::new(Followed {
                body,
                sent: followed,
            })
        });
        (request, sent)
    }

    /// Whether the service got all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.0.load(Ordering::Relaxed) == WHOLE
    }

    /// Whether its caller broke it off.
    pub(super) fn is_broken_off(&self) -> bool {
        self.0.load(Ordering::Relaxed) == BROKEN_OFF
    }
}

struct Followed {
    body: Body,
    sent: Sent,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        let state = match &polled {
            Poll::Pending => return polled,
            Poll::Ready(Some(Err(_))) => BROKEN_OFF,
            Poll::Ready(Some(Ok(_))) if !this.body.is_end_stream() => UNDER_WAY,
            Poll::Ready(Some(Ok(_)) | None) => WHOLE,
        };
        this.sent.0.store(state, Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    async fn read(body: Body) -> Sent {
        let (request, sent) = Sent::follow(Request::new(body));
        let _ = request.into_body().collect().await;
        sent
    }

    #[tokio::test]
    async fn what_was_read_to_its_end_is_whole() {
        let (_unread, sent) = Sent::follow(Request::new(Body::from("a")));
        assert!(!sent.is_whole() && !sent.is_broken_off());
        let parts = stream::iter(["a", "b"].map(Ok::<_, std::io::Error>));
        for body in [Body::empty(), Body::from("a"), Body::from_stream(parts)] {
            assert!(read(body).await.is_whole());
        }
    }

    #[tokio::test]
    async fn what_breaks_off_is_not() {
        let broken = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let parts = stream::iter([Ok("a"), broken]);
        let sent = read(Body::from_stream(parts)).await;
        assert!(sent.is_broken_off() && !sent.is_whole());
    }
}
