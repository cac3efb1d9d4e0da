//! Calls of which no message was sent when their connection went away: it was closed in order, or broke.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body::{Body as _, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// What is left of a call that was handed over: all of it, as long as nobody has begun to read its body.
pub(super) struct Unsent {
    head: Parts,
    body: Shared,
}

/// A body; none once somebody has begun to read it.
type Shared = Arc<Mutex<Option<Body>>>;

impl Unsent {
    /// The call to hand over, and what is left of it. Of one without a body nothing is: nobody could say whether
    /// it was sent.
    pub(super) fn lend(request: Request<Body>) -> (Request<Body>, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let (head, body) = request.into_parts();
        let shared = Arc::new(Mutex::new(Some(body)));
        let lent = Body::new(Lent {
            shared: shared.clone(),
            own: None,
        });
        let left = Self {
            head: head.clone(),
            body: shared,
        };
        (Request::from_parts(head, lent), Some(left))
    }

    /// The call once more, and what is left of that, where `err` is of its connection and nobody has begun to
    /// read its body, nor will.
    pub(super) fn again(
        self,
        err: &(dyn Error + 'static),
    ) -> Option<(Request<Body>, Option<Self>)> {
        if !is_of_connection(err) {
            return None;
        }
        let body = lock(&self.body).take()?;
        Some(Self::lend(Request::from_parts(self.head, body)))
    }
}

/// Whether a connection failed that was made before.
fn is_of_connection(err: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(err);
    while let Some(err) = cause {
        if err.is::<hyper::Error>() {
            return true;
        }
        cause = err.source();
    }
    false
}

/// The body of a call that was handed over.
struct Lent {
    shared: Shared,
    /// The body once it is read.
    own: Option<Body>,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.own.is_none() {
            this.own = lock(&this.shared).take();
        }
        match &mut this.own {
            Some(body) => Pin::new(body).poll_frame(context),
            // It goes over another connection.
            None => Poll::Ready(Some(Err(Status::cancelled("")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.own {
            Some(body) => body.is_end_stream(),
            None => lock(&self.shared).as_ref().is_some_and(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.own {
            Some(body) => body.size_hint(),
            None => lock(&self.shared)
                .as_ref()
                .map(Body::size_hint)
                .unwrap_or_default(),
        }
    }
}

fn lock(of: &Shared) -> MutexGuard<'_, Option<Body>> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    fn call() -> Request<Body> {
        Request::new(Body::new(Full::new(Bytes::from("a"))))
    }

    async fn read(request: Request<Body>) -> Option<Bytes> {
        let body = request.into_body().collect().await;
        Some(body.ok()?.to_bytes())
    }

    /// The error of a connection that is closed before a call is sent over it.
    async fn closed() -> hyper::Error {
        let (near, far) = tokio::io::duplex(1 << 10);
        let near = hyper_util::rt::TokioIo::new(near);
        let exec = hyper_util::rt::TokioExecutor::new();
        let spoken = hyper::client::conn::http2::handshake(exec, near).await;
        let (mut sender, connection) = spoken.unwrap();
        drop((connection, far));
        sender.send_request(call()).await.unwrap_err()
    }

    #[tokio::test]
    async fn what_nobody_began_to_read_is_handed_over_again_as_a_whole() {
        let (first, left) = Unsent::lend(call());
        let (second, left) = left.unwrap().again(&closed().await).unwrap();
        assert_eq!(read(first).await, None, "one of them is read");
        let (third, left) = left.unwrap().again(&closed().await).unwrap();
        drop(second);
        assert_eq!(read(third).await, Some(Bytes::from("a")));
        assert!(left.unwrap().again(&closed().await).is_none());
    }

    #[tokio::test]
    async fn what_has_no_body_or_did_not_fail_by_its_connection_is_not() {
        assert!(Unsent::lend(Request::new(Body::empty())).1.is_none());
        let (_first, left) = Unsent::lend(call());
        let other = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(left.unwrap().again(&other).is_none());
    }
}
