//! Answers of others, without what would end the task that reads them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use prost::Message;
use tonic_types::{RetryInfo, pb};

use crate::field::from_duration;

/// The header, or trailer, with the details of a status.
const DETAILS: &str = "grpc-status-details-bin";
/// As the transport reads them: padded or not.
const WRITTEN: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An answer whose details of a status cannot be read, without them: the transport takes it for granted that they
/// can, and panics where they cannot. So does whoever reads a span that is none.
pub fn checked<B>(response: Response<B>) -> Response<Sound<B>> {
    let mut response = response.map(Sound);
    repair(response.headers_mut());
    response
}

fn repair(headers: &mut HeaderMap) {
    let readable = |details: &[u8]| {
        WRITTEN
            .decode(details)
            .is_ok_and(|details| waits_can_be_read(&details))
    };
    if let Some(details) = headers.get(DETAILS)
        && !readable(details.as_bytes())
    {
        headers.remove(DETAILS);
    }
}

/// Whether every span after which to try again is one.
fn waits_can_be_read(details: &[u8]) -> bool {
    let Ok(status) = pb::Status::decode(details) else {
        return true;
    };
    let waits = status.details.iter().filter_map(|detail| {
        let is_wait = detail.type_url == RetryInfo::TYPE_URL;
        pb::RetryInfo::decode(is_wait.then_some(&*detail.value)?).ok()
    });
    let mut spans = waits.filter_map(|wait| wait.retry_delay);
    spans.all(|span| from_duration(span).is_some())
}

/// The body of such an answer: its trailers may have them, too.
#[derive(Debug)]
pub struct Sound<B>(B);

impl<B: Body + Unpin> Body for Sound<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut polled = ready!(Pin::new(&mut self.get_mut().0).poll_frame(context));
        if let Some(Ok(frame)) = &mut polled
            && let Some(trailers) = frame.trailers_mut()
        {
            repair(trailers);
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::{BodyExt as _, StreamBody};
    use tonic::{Code, Status};

    use super::*;

    fn said(details: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", "5".parse().unwrap());
        let details = http::HeaderValue::from_bytes(details).unwrap();
        headers.insert(DETAILS, details);
        headers
    }

    /// Details that say to try again after so many seconds.
    fn wait(seconds: i64) -> Vec<u8> {
        let retry_delay = Some(prost_types::Duration { seconds, nanos: 0 });
        let detail = prost_types::Any {
            type_url: RetryInfo::TYPE_URL.to_owned(),
            value: pb::RetryInfo { retry_delay }.encode_to_vec(),
        };
        let details = pb::Status {
            details: vec![detail],
            ..pb::Status::default()
        };
        WRITTEN.encode(details.encode_to_vec()).into_bytes()
    }

    #[tokio::test]
    async fn details_that_cannot_be_read_are_left_out() {
        for (details, stays) in [
            (&b""[..], true),
            (b"AAAA", true),
            (b"AA==", true),
            (b"AA", true),
            (b"!!!!", false),
            (b"AAAAA", false),
            (b"AB==", false),
            (b"\xff", false),
            (&wait(1), true),
            (&wait(i64::MIN), false),
            (&wait(i64::MAX), false),
        ] {
            let trailers = Ok::<_, Infallible>(Frame::trailers(said(details)));
            let body = StreamBody::new(futures_util::stream::iter([trailers]));
            let mut response: Response<StreamBody<_>> = Response::new(body);
            *response.headers_mut() = said(details);
            let (head, body) = checked(response).into_parts();
            let read = body.map_frame(|frame: Frame<Bytes>| frame).collect().await;
            for headers in [&head.headers, read.unwrap().trailers().unwrap()] {
                assert_eq!(headers.contains_key(DETAILS), stays, "{details:?}");
                let status = Status::from_header_map(headers).unwrap();
                assert_eq!(status.code(), Code::NotFound);
            }
        }
    }
}
