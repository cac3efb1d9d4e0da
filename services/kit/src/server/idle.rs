//! The calls that a connection has open: one that has none for long keeps a place for nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::connection::Peer;

/// The open calls of one connection. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct OpenCalls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// When the connection began.
    begun: Instant,
    open: AtomicUsize,
    /// When the last call ended, in microseconds since the connection began.
    ended: AtomicU64,
}

impl OpenCalls {
    /// Of a connection that begins, which has none.
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            begun: Instant::now(),
            open: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
        }))
    }

    /// One more, until what is returned is dropped.
    fn begin(&self) -> OpenCall {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        OpenCall(self.0.clone())
    }

    /// Since when there is none; none while there is one.
    fn none_since(&self) -> Option<Instant> {
        let none = self.0.open.load(Ordering::Acquire) == 0;
        let ended = || Duration::from_micros(self.0.ended.load(Ordering::Relaxed));
        none.then(|| self.0.begun + ended())
    }

    /// Waits until there was none for as long as `within`. It is looked at them now and then, so that no call
    /// wakes anybody.
    pub(super) async fn none_for(self, within: Duration) {
        let mut look = self.0.begun + within;
        loop {
            sleep_until(look).await;
            let now = Instant::now();
            look = self.none_since().unwrap_or(now) + within;
            if look <= now {
                return;
            }
        }
    }
}

/// Counts a call as open until it is dropped.
struct OpenCall(Arc<Shared>);

impl Drop for OpenCall {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.ended.fetch_max(now, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Release);
    }
}

/// Counts each call as open on its connection until its answer has ended, whatever the call is.
#[derive(Clone)]
pub(super) struct OpenLayer;

impl<S> Layer<S> for OpenLayer {
    type Service = Opened<S>;

    fn layer(&self, inner: S) -> Opened<S> {
        Opened(inner)
    }
}

#[derive(Clone)]
pub(super) struct Opened<S>(S);

impl<S> Service<Request<Body>> for Opened<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let peer = request.extensions().get::<Peer>();
        let open = peer.map(|peer| peer.calls.begin());
        let answered = self.0.call(request);
        Box::pin(async move {
            let response = answered.await?;
            Ok(response.map(|body| match open {
                Some(open) if !body.is_end_stream() => Body::new(Answer { body, _open: open }),
                _ => body,
            }))
        })
    }
}

/// An answer whose call is open until it has ended.
struct Answer {
    body: Body,
    _open: OpenCall,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
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
    use tokio::time::sleep;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(300);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_call_is_idle_after_as_long_as_it_may_be() {
        let begun = Instant::now();
        OpenCalls::new().none_for(WITHIN).await;
        assert_eq!(begun.elapsed().as_secs(), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_call_that_ends_begins_the_time_anew_and_an_open_one_keeps_it_off() {
        let (begun, calls) = (Instant::now(), OpenCalls::new());
        let idle = tokio::spawn(calls.clone().none_for(WITHIN));
        let (first, last) = (calls.begin(), calls.begin());
        sleep(HOUR).await;
        drop(first);
        sleep(HOUR).await;
        assert!(!idle.is_finished());
        drop(last);
        sleep(WITHIN / 2).await;
        drop(calls.begin());
        idle.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 2 * 3_600 + 150 + 300);
    }
}
