//! Words for the errors that the transport itself answers with: it knows no reasons.

use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use proto::error::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::status::Problem;

/// The answer of the method at `path`, where an error of the transport has a reason and Chinese words.
pub(super) fn told(response: Response<Body>, path: &str) -> Response<Body> {
    match problem(response.headers(), path) {
        Some(problem) => Status::from(problem).into_http(),
        None => response,
    }
}

/// The body of an answer whose caller may still send, whose end says so likewise.
pub(super) fn told_at_the_end(body: Body, path: String) -> Body {
    Body::new(body.map_frame(move |frame| {
        let problem = frame
            .trailers_ref()
            .and_then(|trailers| problem(trailers, &path));
        let Some(problem) = problem else {
            return frame;
        };
        let mut trailers = HeaderMap::new();
        // Code, words and details of a problem are always legal in headers.
        let _ = Status::from(problem).add_header(&mut trailers);
        Frame::trailers(trailers)
    }))
}

/// What headers or trailers say in the transport's own words; none where nothing failed, or a reason is told.
fn problem(headers: &HeaderMap, path: &str) -> Option<Problem> {
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    let problem = match Status::from_header_map(headers)?.code() {
        Code::OutOfRange => Problem::new(ErrorReason::MessageTooLarge),
        Code::Unimplemented => Problem::new(ErrorReason::UnknownMethod).meta("path", path),
        Code::Internal => Problem::new(ErrorReason::MessageMalformed),
        Code::Cancelled | Code::DeadlineExceeded => Problem::new(ErrorReason::DeadlineExceeded),
        _ => return None,
    };
    Some(problem)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::StreamBody;
    use tonic_types::StatusExt as _;

    use super::*;

    /// What the end of a stream says that ends with `status`, behind one message.
    async fn end(status: Status) -> (Code, Option<String>) {
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).unwrap();
        let frames = [Frame::data(Bytes::from("a")), Frame::trailers(trailers)];
        let frames = frames.map(Ok::<_, Status>);
        let body = Body::new(StreamBody::new(stream::iter(frames)));
        let read = told_at_the_end(body, "/a.b/C".to_owned()).collect().await;
        let read = read.unwrap();
        let told = Status::from_header_map(read.trailers().unwrap()).unwrap();
        assert_eq!(read.to_bytes(), "a", "what was answered before stays");
        let info = told.get_details_error_info();
        (told.code(), info.map(|info| info.reason))
    }

    #[tokio::test]
    async fn the_end_of_a_stream_has_the_reason_that_the_transport_lacks() {
        let malformed = Some("MESSAGE_MALFORMED".to_owned());
        let told = end(Status::internal("invalid tag")).await;
        assert_eq!(told, (Code::InvalidArgument, malformed));
        let too_large = Some("MESSAGE_TOO_LARGE".to_owned());
        let told = end(Status::out_of_range("too long")).await;
        assert_eq!(told, (Code::ResourceExhausted, too_large));
        let internal = Some("INTERNAL".to_owned());
        let told = end(Problem::new(ErrorReason::Internal).into()).await;
        assert_eq!(told, (Code::Internal, internal));
        assert_eq!(end(Status::ok("")).await, (Code::Ok, None));
    }
}
