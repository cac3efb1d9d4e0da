//! gRPC-Web: gRPC without trailers, for browsers. The messages pass as they are; the trailers
//! become a last frame, and with `-text` everything is base64.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use kit::status::Problem;
use proto::error::ErrorReason;
use tonic::body::Body;

use crate::frames::HEAD;

/// The flag of the frame that holds the trailers.
const TRAILERS: u8 = 0x80;

/// What the parts of a message in base64 are longer for when a client pads its head by itself.
const PADDING: usize = 8;

/// How frames are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Binary,
    /// Base64, each part padded by itself.
    Text,
}

impl Coding {
    /// The coding of `content_type`, the value of a header; none when it is not gRPC-Web.
    pub(crate) fn of(content_type: &[u8]) -> Option<Self> {
        let rest = content_type.strip_prefix(b"application/grpc-web")?;
        let (coding, rest) = match rest.strip_prefix(b"-text") {
            Some(rest) => (Self::Text, rest),
            None => (Self::Binary, rest),
        };
        matches!(rest.first(), None | Some(b'+' | b';' | b' ')).then_some(coding)
    }

    /// How many bytes so many of frames take up at most, whole or each part padded by itself.
    pub(crate) fn length_of(self, frames: usize) -> usize {
        match self {
            Self::Binary => frames,
            Self::Text => frames.div_ceil(3).saturating_mul(4).saturating_add(PADDING),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text+proto",
        }
    }

    fn written(self, bytes: Bytes) -> Bytes {
        match self {
            Self::Binary => bytes,
            Self::Text => STANDARD.encode(bytes).into(),
        }
    }
}

/// The frames of a request's body.
///
/// # Errors
/// When it is not base64, not whole messages, or one of them is compressed or has more than `most` bytes.
pub(crate) fn checked(coding: Coding, body: Bytes, most: usize) -> Result<Bytes, Problem> {
    let malformed = || Problem::new(ErrorReason::MessageMalformed);
    let frames = match coding {
        Coding::Binary => body,
        Coding::Text => decode(&body).ok_or_else(malformed)?,
    };
    let mut rest = &frames[..];
    while !rest.is_empty() {
        let (head, after) = rest.split_first_chunk::<HEAD>().ok_or_else(malformed)?;
        let [flag, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| malformed())?;
        if flag != 0 {
            return Err(malformed());
        }
        if length > most {
            return Err(Problem::new(ErrorReason::MessageTooLarge));
        }
        rest = after.get(length..).ok_or_else(malformed)?;
    }
    Ok(frames)
}

/// Undoes base64 that may be padded in several places.
fn decode(text: &[u8]) -> Option<Bytes> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    for quantum in text.chunks(4) {
        STANDARD.decode_vec(quantum, &mut decoded).ok()?;
    }
    Some(decoded.into())
}

/// The answer of gRPC as gRPC-Web.
pub(crate) fn answer(coding: Coding, response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    let kind = HeaderValue::from_static(coding.content_type());
    head.headers.insert(CONTENT_TYPE, kind);
    Response::from_parts(head, Body::new(Framed::new(coding, body)))
}

/// The frames of an answer with its trailers as the last one.
#[derive(Debug)]
struct Framed {
    coding: Coding,
    body: Body,
    ended: bool,
}

impl Framed {
    fn new(coding: Coding, body: Body) -> Self {
        Self {
            coding,
            body,
            ended: false,
        }
    }
}

impl HttpBody for Framed {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let this = self.get_mut();
        loop {
            if this.ended {
                return Poll::Ready(None);
            }
            let bytes = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    // An empty frame that ends nothing is one too many to a peer that counts them.
                    Ok(data) if data.is_empty() => continue,
                    Ok(data) => data,
                    Err(frame) => {
                        this.ended = true;
                        trailers(frame.trailers_ref())
                    }
                },
                Some(Err(err)) => {
                    this.ended = true;
                    let mut headers = HeaderMap::new();
                    let problem = Problem::new(ErrorReason::Unavailable).source(err);
                    // Code, words and details of a problem are always legal in headers.
                    let _ = tonic::Status::from(problem).add_header(&mut headers);
                    trailers(Some(&headers))
                }
                None => {
                    this.ended = true;
                    return Poll::Ready(None);
                }
            };
            return Poll::Ready(Some(Ok(Frame::data(this.coding.written(bytes)))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // The trailers and base64 make it longer than what is read.
        SizeHint::default()
    }
}

fn trailers(headers: Option<&HeaderMap>) -> Bytes {
    let mut block = BytesMut::new();
    for (name, value) in headers.into_iter().flatten() {
        block.extend_from_slice(name.as_str().as_bytes());
        block.extend_from_slice(b": ");
        block.extend_from_slice(value.as_bytes());
        block.extend_from_slice(b"\r\n");
    }
    // Trailers are bounded by what a connection takes as headers.
    let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
    let mut frame = BytesMut::with_capacity(HEAD + block.len());
    frame.extend_from_slice(&[TRAILERS]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&block);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_content_type_says_the_coding() {
        let of = |text: &str| Coding::of(text.as_bytes());
        assert_eq!(of("application/grpc-web"), Some(Coding::Binary));
        assert_eq!(of("application/grpc-web+proto"), Some(Coding::Binary));
        assert_eq!(of("application/grpc-web-text"), Some(Coding::Text));
        assert_eq!(of("application/grpc-web-text+proto"), Some(Coding::Text));
        for other in [
            "application/grpc",
            "application/grpc-webby",
            "text/plain",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_as_text_is_read_back(parts in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..40), 0..8,
        )) {
            let written: Vec<u8> = parts
                .iter()
                .flat_map(|part| Coding::Text.written(part.clone().into()))
                .collect();
            prop_assert_eq!(decode(&written).unwrap(), parts.concat());
        }

        #[test]
        fn whole_messages_pass_and_cut_ones_do_not(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut frames = Vec::new();
            let mut ends = vec![0];
            for message in messages {
                frames.push(0);
                frames.extend((message.len() as u32).to_be_bytes());
                frames.extend(message);
                ends.push(frames.len());
            }
            prop_assert!(checked(Coding::Binary, frames.clone().into(), 39).is_ok());
            let cut = cut.index(frames.len());
            let whole = ends.contains(&cut);
            let part = Bytes::from(frames[..cut].to_vec());
            prop_assert_eq!(checked(Coding::Binary, part, 39).is_ok(), whole);
        }

        #[test]
        fn arbitrary_bytes_are_refused_or_passed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = checked(Coding::Binary, bytes.clone().into(), 100);
            let _ = checked(Coding::Text, bytes.into(), 100);
        }

        #[test]
        fn a_message_in_base64_has_no_more_bytes_than_is_said(length in 0_usize..100, cut in any::<prop::sample::Index>()) {
            let frame = vec![7; HEAD + length];
            let (head, rest) = frame.split_at(cut.index(frame.len()));
            let written = [head, rest].map(|part| STANDARD.encode(part).len());
            prop_assert!(written.iter().sum::<usize>() <= Coding::Text.length_of(frame.len()));
            prop_assert!(STANDARD.encode(&frame).len() <= Coding::Text.length_of(frame.len()));
        }
    }
}
