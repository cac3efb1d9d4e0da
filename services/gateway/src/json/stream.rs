//! Answers of many messages: lines of JSON, or events for browsers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use prost_reflect::{DescriptorPool, MessageDescriptor};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};

use super::status;
use crate::frames::{Frames, Next};

/// A stream that has nothing to say shows this often that it lives, so that what stands between
/// does not close it and a reader that is gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How the messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `{"result": …}` a line; an error is the last line, `{"error": …}`; `{}` is a sign of life.
    Lines,
    /// Server-sent events: `data:` with a message; an error is the last event, `error`.
    Events,
}

impl Form {
    /// What the caller accepts; lines when it does not say.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        let accepts = |value: &HeaderValue| {
            let text = value.to_str().unwrap_or_default();
            text.split(',').any(|kind| {
                let kind = kind.split(';').next().unwrap_or_default();
                kind.trim().eq_ignore_ascii_case("text/event-stream")
            })
        };
        if headers.get_all(ACCEPT).iter().any(accepts) {
            Self::Events
        } else {
            Self::Lines
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    /// JSON never holds a line break outside of a text, and writes it as `\n` inside.
    fn message(self, json: &str) -> String {
        match self {
            Self::Lines => format!("{{\"result\":{json}}}\n"),
            Self::Events => format!("data: {json}\n\n"),
        }
    }

    fn error(self, json: &str) -> String {
        match self {
            Self::Lines => format!("{{\"error\":{json}}}\n"),
            Self::Events => format!("event: error\ndata: {json}\n\n"),
        }
    }

    fn sign_of_life(self) -> &'static str {
        match self {
            Self::Lines => "{}\n",
            Self::Events => ":\n\n",
        }
    }
}

struct Reading {
    frames: Frames,
    form: Form,
    pool: DescriptorPool,
    output: MessageDescriptor,
    /// How long it may be silent.
    silence: Duration,
}

/// Writes the messages of `frames` as they are read.
pub(crate) fn answer(
    frames: Frames,
    form: Form,
    pool: DescriptorPool,
    output: MessageDescriptor,
) -> Response<Body> {
    written(Reading {
        frames,
        form,
        pool,
        output,
        silence: SIGN_OF_LIFE,
    })
}

fn written(reading: Reading) -> Response<Body> {
    let form = reading.form;
    let lines = stream::unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        let Ok(next) = timeout(reading.silence, reading.frames.next()).await else {
            let alive = Bytes::from_static(reading.form.sign_of_life().as_bytes());
            return Some((Ok::<_, Status>(Frame::data(alive)), Some(reading)));
        };
        let (text, reading) = reading.write(next)?;
        Some((Ok(Frame::data(Bytes::from(text))), reading))
    });
    let mut response = Response::new(Body::new(StreamBody::new(lines)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Reading {
    /// What is written, and what is read after it; none at a good end.
    fn write(self, next: Next) -> Option<(String, Option<Self>)> {
        let read = match next {
            Next::End(end) if end.code() == Code::Ok => return None,
            Next::End(end) => Err(end),
            Next::Message(bytes) => super::decoded(&self.output, bytes)
                .and_then(|message| super::text(&message))
                .map_err(Status::from),
        };
        Some(match read {
            Ok(text) => (self.form.message(&text), Some(self)),
            Err(end) => (self.form.error(&status::body(&self.pool, &end)), None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_stream_that_has_nothing_to_say_shows_that_it_lives() {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        let output = pool.get_message_by_name("google.rpc.Status").unwrap();
        for (form, sign) in [(Form::Lines, "{}\n"), (Form::Events, ":\n\n")] {
            let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Status>>());
            let reading = Reading {
                frames: Frames::of(Response::new(Body::new(silent))).unwrap(),
                form,
                pool: pool.clone(),
                output: output.clone(),
                silence: Duration::from_millis(1),
            };
            let mut body = written(reading).into_body();
            for _ in 0..3 {
                let frame = body.frame().await.unwrap().unwrap();
                assert_eq!(frame.into_data().unwrap(), sign);
            }
        }
    }

    #[test]
    fn events_are_for_whoever_accepts_them() {
        let asked = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            Form::asked(&headers)
        };
        assert_eq!(asked("text/event-stream"), Form::Events);
        assert_eq!(asked("text/html, Text/Event-Stream;q=0.9"), Form::Events);
        assert_eq!(asked("application/json"), Form::Lines);
        assert_eq!(Form::asked(&HeaderMap::new()), Form::Lines);
    }
}
