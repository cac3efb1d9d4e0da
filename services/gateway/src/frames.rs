//! The messages of an answer of gRPC, one by one, and its end.

use bytes::{Buf, Bytes, BytesMut};
use http::Response;
use http_body_util::BodyExt;
use kit::status::Problem;
use proto::error::ErrorReason;
use tonic::Status;
use tonic::body::Body;

/// A flag and a length stand before each message.
pub(crate) const HEAD: usize = 5;
/// An answer's message is at most this large.
const MAX_MESSAGE: usize = 16 << 20;

/// What comes next in an answer.
#[derive(Debug)]
pub(crate) enum Next {
    Message(Bytes),
    /// The end, well or not.
    End(Status),
}

/// An answer that is read message by message, as fast as it is asked for.
#[derive(Debug)]
pub(crate) struct Frames {
    body: Body,
    buffer: BytesMut,
}

impl Frames {
    /// Reads `response`.
    ///
    /// # Errors
    /// When it has no messages because it is an error already.
    pub(crate) fn of(response: Response<Body>) -> Result<Self, Status> {
        if let Some(status) = Status::from_header_map(response.headers()) {
            return match status.code() {
                // A stream may end well before its first message.
                tonic::Code::Ok => Ok(Self::new(Body::empty())),
                _ => Err(status),
            };
        }
        if response.status() != http::StatusCode::OK {
            return Err(Problem::new(ErrorReason::Unavailable).into());
        }
        Ok(Self::new(response.into_body()))
    }

    fn new(body: Body) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// Waits for what comes next. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            match split(&mut self.buffer) {
                Ok(Some(message)) => return Next::Message(message),
                Ok(None) => {}
                Err(problem) => return Next::End(problem.into()),
            }
            let frame = match self.body.frame().await {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => return Next::End(Problem::new(ErrorReason::Unavailable).into()),
                None if self.buffer.is_empty() => return Next::End(Status::ok("")),
                None => return Next::End(Problem::new(ErrorReason::Unavailable).into()),
            };
            match frame.into_data() {
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(frame) => {
                    let status = frame
                        .trailers_ref()
                        .and_then(Status::from_header_map)
                        .unwrap_or_else(|| Problem::new(ErrorReason::Unavailable).into());
                    return Next::End(status);
                }
            }
        }
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
    // Nobody was told that compressed messages are understood.
    if flag != 0 {
        return Err(Problem::new(ErrorReason::Internal));
    }
    if buffer.len() < HEAD + length {
        return Ok(None);
    }
    buffer.advance(HEAD);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// A message as gRPC sends it.
///
/// # Errors
/// MESSAGE_TOO_LARGE when it has more than `most` bytes.
pub(crate) fn frame(message: &impl prost::Message, most: usize) -> Result<Bytes, Problem> {
    let length = message.encoded_len();
    let stated = u32::try_from(length).ok().filter(|_| length <= most);
    let stated = stated.ok_or_else(|| Problem::new(ErrorReason::MessageTooLarge))?;
    let mut framed = BytesMut::with_capacity(HEAD + length);
    framed.extend_from_slice(&[0]);
    framed.extend_from_slice(&stated.to_be_bytes());
    // A growing buffer takes every message.
    let _ = message.encode(&mut framed);
    Ok(framed.freeze())
}
