//! A call that may be made again: its head, and its body as long as it is small.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::Request;
use http::request::Parts;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// A longer body is passed on as it comes, and its call is not made again.
const MOST: usize = 64 << 10;

/// What it takes to make a call again.
#[derive(Debug)]
pub(super) struct Repeat {
    head: Parts,
    body: Bytes,
}

impl Repeat {
    /// The call to send, and what it takes to send it again when its body is small.
    ///
    /// # Errors
    /// When the caller breaks off.
    pub(super) async fn of(
        request: Request<Body>,
    ) -> Result<(Request<Body>, Option<Self>), axum::Error> {
        let (head, mut body) = request.into_parts();
        let mut read = BytesMut::new();
        while !body.is_end_stream() && read.len() <= MOST {
            let Some(frame) = body.frame().await else {
                break;
            };
            match frame?.into_data() {
                Ok(data) => read.extend_from_slice(&data),
                // Trailers end the body of a request; gRPC has none there.
                Err(_) => break,
            }
        }
        if read.len() > MOST {
            let body = Begun::body(read.freeze(), body);
            return Ok((Request::from_parts(head, body), None));
        }
        let repeat = Self {
            head,
            body: read.freeze(),
        };
        Ok((repeat.request(), Some(repeat)))
    }

    /// The call once more.
    pub(super) fn request(&self) -> Request<Body> {
        Request::from_parts(self.head.clone(), Body::from(self.body.clone()))
    }
}

/// The call, once the first part of its body is there; an empty body is there at once.
///
/// # Errors
/// When the caller breaks off.
pub(crate) async fn begun(request: Request<Body>) -> Result<Request<Body>, axum::Error> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (head, mut body) = request.into_parts();
    let first = body.frame().await.transpose()?;
    // Trailers end the body of a request; gRPC has none there.
    let first = first.and_then(|frame| frame.into_data().ok());
    let body = Begun::body(first.unwrap_or_default(), body);
    Ok(Request::from_parts(head, body))
}

/// A body of which the beginning was read.
#[derive(Debug)]
struct Begun {
    first: Option<Bytes>,
    rest: Body,
}

impl Begun {
    fn body(first: Bytes, rest: Body) -> Body {
        let first = Some(first).filter(|first| !first.is_empty());
        Body::new(Self { first, rest })
    }
}

impl http_body::Body for Begun {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn bytes(request: Request<Body>) -> Bytes {
        let body = request.into_body().collect().await;
        body.expect("a body").to_bytes()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_sent_is_what_came_and_small_ones_can_be_repeated(lengths in prop::collection::vec(0_usize..40_000, 0..5)) {
            let chunks: Vec<Bytes> = lengths.iter().zip(1_u8..).map(|(length, fill)| Bytes::from(vec![fill; *length])).collect();
            let whole: Vec<u8> = chunks.concat();
            let stream = futures_util::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let (sent, repeat) = Repeat::of(Request::new(Body::from_stream(stream))).await.expect("whole");
                prop_assert_eq!(repeat.is_some(), whole.len() <= MOST);
                prop_assert!(bytes(sent).await == whole);
                if let Some(repeat) = repeat {
                    prop_assert!(bytes(repeat.request()).await == whole);
                }
                Ok(())
            })?;
        }
    }
}
