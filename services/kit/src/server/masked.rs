//! Answers of which a partner gets the fields that were agreed, and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use proto::error::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use super::framing::HEAD;
use crate::auth::Mask;
use crate::status::Problem;

/// A message of an answer is at most this large: each is kept as a whole until it is known what passes of it.
const MAX_MESSAGE: usize = 16 << 20;

/// Passes of `response` what `mask` names. An answer of which that cannot be told ends with an error.
pub(super) fn masked(response: Response<Body>, mask: Arc<Mask>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::new(Masked::new(body, mask)))
}

/// Passes what a mask names of each message, once it is whole.
struct Masked {
    /// None once it has ended.
    body: Option<Body>,
    mask: Arc<Mask>,
    /// What has come of messages that are not whole.
    buffer: BytesMut,
}

impl Masked {
    fn new(body: Body, mask: Arc<Mask>) -> Self {
        Self {
            body: Some(body),
            mask,
            buffer: BytesMut::new(),
        }
    }

    /// What passes of the messages that are whole now; empty where none is.
    fn passed(&mut self) -> Result<Bytes, Problem> {
        let mut passed = BytesMut::new();
        while let Some(message) = split(&mut self.buffer)? {
            let mut kept = Vec::with_capacity(message.len());
            let applied = self.mask.apply(&message, &mut kept);
            applied.map_err(|err| Problem::new(ErrorReason::Internal).source(err))?;
            let length = u32::try_from(kept.len());
            let length = length.map_err(|_| Problem::new(ErrorReason::MessageTooLarge))?;
            passed.put_u8(0);
            passed.put_u32(length);
            passed.extend_from_slice(&kept);
        }
        Ok(passed.freeze())
    }

    /// Ends the answer; whoever makes it hears of that now.
    fn end(&mut self, problem: Problem) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.body = None;
        let mut trailers = HeaderMap::new();
        // Code, words and details of a problem are always legal in headers.
        let _ = Status::from(problem).add_header(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

impl http_body::Body for Masked {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let cut = || Problem::new(ErrorReason::Internal).source("an answer ends within a message");
        loop {
            let Some(body) = &mut this.body else {
                return Poll::Ready(None);
            };
            let frame = match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(err)) => {
                    this.body = None;
                    return Poll::Ready(Some(Err(err)));
                }
                None if this.buffer.is_empty() => {
                    this.body = None;
                    return Poll::Ready(None);
                }
                None => return this.end(cut()),
            };
            match frame.into_data() {
                Ok(data) => {
                    this.buffer.extend_from_slice(&data);
                    match this.passed() {
                        Ok(passed) if passed.is_empty() => {}
                        Ok(passed) => return Poll::Ready(Some(Ok(Frame::data(passed)))),
                        Err(problem) => return this.end(problem),
                    }
                }
                Err(frame) => {
                    let status = frame.trailers_ref().and_then(Status::from_header_map);
                    let well = status.is_none_or(|status| status.code() == Code::Ok);
                    if well && !this.buffer.is_empty() {
                        return this.end(cut());
                    }
                    this.body = None;
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let ended = |body: &Body| body.is_end_stream() && self.buffer.is_empty();
        self.body.as_ref().is_none_or(ended)
    }

    fn size_hint(&self) -> SizeHint {
        // Less passes than comes.
        SizeHint::default()
    }
}

/// Takes the first message out of `buffer` when it is there as a whole.
fn split(buffer: &mut BytesMut) -> Result<Option<Bytes>, Problem> {
    let Some((head, _)) = buffer.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let [flag, length @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE {
        return Err(Problem::new(ErrorReason::MessageTooLarge));
    }
    if flag != 0 {
        return Err(Problem::new(ErrorReason::Internal).source("an answer is compressed"));
    }
    if buffer.len() < HEAD + length {
        return Ok(None);
    }
    buffer.advance(HEAD);
    Ok(Some(buffer.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use prost::Message as _;
    use proto::sampling::Tube;
    use tonic_types::StatusExt as _;

    use super::*;

    /// A tube's name, and nothing else of it.
    fn mask() -> Arc<Mask> {
        let mask = Mask::new(".campus.sampling.v1.Tube", &["name".to_owned()]);
        Arc::new(mask.unwrap())
    }

    fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[flag][..], &length, message].concat()
    }

    fn tube(name: &str, class_group: &str) -> Vec<u8> {
        let tube = Tube {
            name: name.to_owned(),
            class_group: class_group.to_owned(),
            ..Tube::default()
        };
        framed(0, &tube.encode_to_vec())
    }

    fn trailers(status: &Status) -> Frame<Bytes> {
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).unwrap();
        Frame::trailers(trailers)
    }

    /// What passes of an answer that comes in these frames, and how it ends.
    async fn through(frames: Vec<Frame<Bytes>>) -> (Vec<u8>, Option<Status>) {
        let frames = stream::iter(frames.into_iter().map(Ok::<_, Status>));
        let answer = Response::new(Body::new(StreamBody::new(frames)));
        let passed = masked(answer, mask()).into_body().collect().await.unwrap();
        let end = passed.trailers().and_then(Status::from_header_map);
        (passed.to_bytes().to_vec(), end)
    }

    fn cut(bytes: &[u8], by: usize) -> Vec<Frame<Bytes>> {
        let parts = bytes.chunks(by).map(Bytes::copy_from_slice);
        parts.map(Frame::data).collect()
    }

    #[tokio::test]
    async fn each_message_passes_without_what_was_not_agreed_however_the_bytes_are_cut() {
        let sent = [tube("tubes/1", "c/1"), tube("", "c/2"), tube("tubes/3", "")].concat();
        let expected = [tube("tubes/1", ""), tube("", ""), tube("tubes/3", "")].concat();
        for by in 1..=sent.len() {
            let mut frames = cut(&sent, by);
            frames.push(trailers(&Status::ok("")));
            let (passed, end) = through(frames).await;
            assert_eq!(passed, expected, "in parts of {by}");
            assert_eq!(end.unwrap().code(), Code::Ok);
        }
    }

    #[tokio::test]
    async fn an_error_of_the_service_passes() {
        let told = Status::from(Problem::not_found("tubes/1"));
        let half = tube("tubes/1", "")[..7].to_vec();
        for sent in [Vec::new(), half] {
            let mut frames = cut(&sent, 100);
            frames.push(trailers(&told));
            let (passed, end) = through(frames).await;
            assert!(passed.is_empty());
            assert_eq!(end.unwrap().code(), Code::NotFound);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_masked_is_refused() {
        let good = tube("tubes/1", "c/1");
        let half = good[..good.len() - 1].to_vec();
        let well = || trailers(&Status::ok(""));
        let large = [&[0_u8][..], &u32::MAX.to_be_bytes()].concat();
        for (bytes, reason) in [
            (framed(1, &good), "INTERNAL"),
            (framed(0, &[0x0a, 0x05]), "INTERNAL"),
            (half, "INTERNAL"),
            (large, "MESSAGE_TOO_LARGE"),
        ] {
            for ends in [true, false] {
                let mut frames = cut(&[&good[..], &bytes[..]].concat(), 4096);
                if ends {
                    frames.push(well());
                }
                let (passed, end) = through(frames).await;
                let end = end.unwrap();
                assert_eq!(end.get_details_error_info().unwrap().reason, reason);
                // What came in the same part does not pass either.
                assert!(passed.is_empty() || passed == tube("tubes/1", ""));
            }
        }
    }
}
