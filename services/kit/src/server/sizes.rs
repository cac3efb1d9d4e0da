//! No message of a request is larger than its contract allows. One that is says so in its head: nothing of it
//! is kept, and the caller hears why, whatever was made of a request that broke off.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use proto::error::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use super::framing::Framing;
use crate::status::Problem;

/// Whether a message of a call was too large. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Oversize(Arc<AtomicBool>);

impl Oversize {
    /// Passes the body of a request on, up to a message that is larger than `most` bytes.
    pub(super) fn look_out(&self, body: Body, most: usize) -> Body {
        Body::new(Bounded {
            body: Some(body),
            framing: Framing::default(),
            most,
            over: false,
            oversize: self.clone(),
        })
    }

    /// The answer; when a message was too large, a refusal says so.
    pub(super) fn told(&self, response: Response<Body>) -> Response<Body> {
        if self.explains(response.headers()) {
            refusal().into_http()
        } else {
            response
        }
    }

    /// The body of an answer, whose end says so likewise.
    pub(super) fn told_at_the_end(self, body: Body) -> Body {
        Body::new(Ending {
            body,
            oversize: self,
        })
    }

    /// Whether these headers or trailers say that a call failed whose message was too large.
    fn explains(&self, headers: &HeaderMap) -> bool {
        self.0.load(Ordering::Relaxed)
            && Status::from_header_map(headers).is_some_and(|status| status.code() != Code::Ok)
    }
}

fn refusal() -> Status {
    Problem::new(ErrorReason::MessageTooLarge).into()
}

/// The body of a request.
struct Bounded {
    /// None once a message was too large.
    body: Option<Body>,
    framing: Framing,
    most: usize,
    /// What stood before that message was passed on; the refusal comes next.
    over: bool,
    oversize: Oversize,
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else {
            let refused = std::mem::take(&mut this.over).then(|| Err(refusal()));
            return Poll::Ready(refused);
        };
        let data = match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            },
            other => return other,
        };
        let Err(begun) = this.framing.pass_most(&data, this.most) else {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        };
        this.body = None;
        this.oversize.0.store(true, Ordering::Relaxed);
        if begun == 0 {
            return Poll::Ready(Some(Err(refusal())));
        }
        this.over = true;
        Poll::Ready(Some(Ok(Frame::data(data.slice(..begun)))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Some(body) => body.is_end_stream(),
            None => !self.over,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

/// The body of an answer.
struct Ending {
    body: Body,
    oversize: Oversize,
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(trailers) = frame.trailers_ref()
            && this.oversize.explains(trailers)
        {
            let mut trailers = HeaderMap::new();
            // Code, words and details of a problem are always legal in headers.
            let _ = refusal().add_header(&mut trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
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
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    use super::*;

    /// A body that comes in these pieces.
    fn body(pieces: Vec<Bytes>) -> Body {
        let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
        Body::new(StreamBody::new(stream::iter(
            frames.collect::<Vec<Result<_, Status>>>(),
        )))
    }

    fn framed(length: usize) -> Vec<u8> {
        let mut message = vec![0];
        message.extend(u32::try_from(length).unwrap().to_be_bytes());
        message.extend(vec![7; length]);
        message
    }

    /// What of a body passes, and whether a message was too large.
    async fn passed(mut body: Body) -> (Vec<u8>, bool) {
        let mut passed = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => passed.extend_from_slice(&frame.into_data().unwrap()),
                Err(status) => {
                    assert_eq!(status.code(), Code::ResourceExhausted);
                    assert!(body.frame().await.is_none(), "nothing follows");
                    return (passed, true);
                }
            }
        }
        (passed, false)
    }

    proptest! {
        #[test]
        fn what_fits_passes_and_nothing_behind_what_does_not(
            lengths in prop::collection::vec(0_usize..60, 1..6),
            most in 0_usize..60,
            cuts in prop::collection::vec(1_usize..40, 1..60),
        ) {
            let whole: Vec<u8> = lengths.iter().flat_map(|length| framed(*length)).collect();
            let fit = lengths.iter().take_while(|length| **length <= most);
            let fitting: usize = fit.map(|length| length + 5).sum();
            let (mut pieces, mut rest) = (Vec::new(), Bytes::from(whole.clone()));
            for cut in cuts {
                pieces.push(rest.split_to(cut.min(rest.len())));
            }
            pieces.push(rest);
            pieces.retain(|piece| !piece.is_empty());
            let oversize = Oversize::default();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (passed, over) = runtime.block_on(passed(oversize.look_out(body(pieces), most)));
            prop_assert_eq!(over, fitting < whole.len());
            // A head that came in pieces may have passed in part.
            prop_assert!(passed.starts_with(&whole[..fitting]));
            prop_assert!(passed.len() < fitting + 5 || !over);
            prop_assert!(whole.starts_with(&passed));
            let failed = Status::unavailable("broken off").into_http::<Body>();
            let told = Status::from_header_map(oversize.told(failed).headers()).unwrap();
            let expected = if over { Code::ResourceExhausted } else { Code::Unavailable };
            prop_assert_eq!(told.code(), expected);
        }
    }

    #[tokio::test]
    async fn the_end_of_an_answer_says_that_a_message_was_too_large() {
        let ended = |code: Code| {
            let mut trailers = HeaderMap::new();
            Status::new(code, "").add_header(&mut trailers).unwrap();
            let frames = [Ok::<_, Status>(Frame::trailers(trailers))];
            Body::new(StreamBody::new(stream::iter(frames)))
        };
        let oversize = Oversize::default();
        let _ = passed(oversize.look_out(body(vec![framed(2).into()]), 1)).await;
        for (code, told) in [
            (Code::Unavailable, Code::ResourceExhausted),
            (Code::Ok, Code::Ok),
        ] {
            let mut body = oversize.clone().told_at_the_end(ended(code));
            let trailers = body.frame().await.unwrap().unwrap();
            let trailers = trailers.into_trailers().unwrap();
            let status = Status::from_header_map(&trailers).unwrap();
            assert_eq!(status.code(), told);
        }
    }
}
