//! What is left of the body of a request over HTTP/1.1 that was answered before it was read. The next
//! request comes on the same connection behind it: what is short is read to its end, and for the rest the
//! answer says that the connection closes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;

/// No more than so many bytes are read of a body that nobody wants.
const SHORT: u64 = 64 << 10;
/// They have so long to arrive.
const SOON: Duration = Duration::from_secs(1);

/// How far a body was read.
#[derive(Debug, Default)]
enum Progress {
    /// Somebody has it still.
    #[default]
    Held,
    /// To its end.
    Read,
    /// Not to its end, and nobody wants the rest.
    Left(Body),
}

/// Looks after the rest of one body.
#[derive(Debug)]
pub(crate) struct Remainder {
    progress: Arc<Mutex<Progress>>,
    /// Whether the caller waits to be asked for the body.
    waits: bool,
}

/// A body that says how far it was read.
#[derive(Debug)]
struct Followed {
    body: Body,
    progress: Arc<Mutex<Progress>>,
}

impl Remainder {
    /// Follows how the body of a request is read; none where no rest can be in the way of the next
    /// request.
    pub(crate) fn of(request: Request<Body>) -> (Request<Body>, Option<Self>) {
        if request.version() >= Version::HTTP_2 || request.body().is_end_stream() {
            return (request, None);
        }
        let progress = Arc::default();
        let remainder = Self {
            progress: Arc::clone(&progress),
            waits: request.headers().contains_key(EXPECT),
        };
        let followed = request.map(|body| Body::new(Followed { body, progress }));
        (followed, Some(remainder))
    }

    /// Reads what is left of a short body; of another one, has `response` say that the connection closes.
    pub(crate) async fn settle(self, response: &mut Response<Body>) {
        let progress = std::mem::take(&mut *lock(&self.progress));
        let read = match progress {
            Progress::Read => true,
            Progress::Left(body) if !self.waits => is_read(body).await,
            Progress::Left(_) | Progress::Held => false,
        };
        if !read {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
    }
}

/// Reads a body to its end if it is short; whether it ended.
async fn is_read(mut body: Body) -> bool {
    if body.size_hint().upper().is_none_or(|most| most > SHORT) {
        return false;
    }
    let rest = async {
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    timeout(SOON, rest).await.unwrap_or(false)
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) {
            *lock(&self.progress) = Progress::Read;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.body);
        let mut progress = lock(&self.progress);
        if body.is_end_stream() {
            *progress = Progress::Read;
        } else if matches!(*progress, Progress::Held) {
            *progress = Progress::Left(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn request(version: Version, body: Body) -> Request<Body> {
        let mut request = Request::new(body);
        *request.version_mut() = version;
        request
    }

    fn of_length(length: usize) -> Body {
        Body::new(Full::new(Bytes::from(vec![0; length])))
    }

    /// Whether the connection closes after a request whose body is dropped unread.
    async fn closes_unread(request: Request<Body>) -> bool {
        let (request, remainder) = Remainder::of(request);
        drop(request);
        let mut response = Response::new(Body::empty());
        if let Some(remainder) = remainder {
            remainder.settle(&mut response).await;
        }
        response
            .headers()
            .get(CONNECTION)
            .is_some_and(|value| value == "close")
    }

    #[tokio::test]
    async fn a_short_rest_is_read_and_a_long_one_closes_the_connection() {
        let most = usize::try_from(SHORT).unwrap();
        for (length, closes) in [(0, false), (1, false), (most, false), (most + 1, true)] {
            let request = request(Version::HTTP_11, of_length(length));
            assert_eq!(closes_unread(request).await, closes, "{length}");
        }
        let unread = request(Version::HTTP_2, of_length(most + 1));
        assert!(!closes_unread(unread).await, "streams end by themselves");
    }

    #[tokio::test]
    async fn a_rest_of_unknown_length_or_that_is_to_be_asked_for_closes_the_connection() {
        let endless = stream::pending::<Result<Frame<Bytes>, Status>>();
        let endless = Body::new(StreamBody::new(endless));
        assert!(closes_unread(request(Version::HTTP_11, endless)).await);
        let mut asks = request(Version::HTTP_11, of_length(1));
        let expect = HeaderValue::from_static("100-continue");
        asks.headers_mut().insert(EXPECT, expect);
        assert!(closes_unread(asks).await);
    }

    #[tokio::test]
    async fn what_was_read_or_is_held_is_known() {
        let (read, remainder) = Remainder::of(request(Version::HTTP_11, of_length(100_000)));
        read.into_body().collect().await.unwrap();
        let mut response = Response::new(Body::empty());
        remainder.unwrap().settle(&mut response).await;
        assert!(!response.headers().contains_key(CONNECTION));

        let (held, remainder) = Remainder::of(request(Version::HTTP_11, of_length(1)));
        remainder.unwrap().settle(&mut response).await;
        assert!(response.headers().contains_key(CONNECTION));
        drop(held);
    }
}
