//! Counts every call where it comes in: however it ends, whoever refuses it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::layer::OPEN;
use super::methods::Method;
use crate::auth::ISSUER_AWAITED;
use crate::telemetry::{Call, Called, Calls, Collected, Outcome};

/// What stands for a method that no contract has.
const UNKNOWN: Called = Called {
    contract: "unknown",
    method: "unknown",
    kind: "read",
};

#[derive(Clone)]
pub(super) struct MeasureLayer(pub(super) Option<Calls>);

impl<S> Layer<S> for MeasureLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured {
            inner,
            calls: self.0.clone(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Measured<S> {
    inner: S,
    calls: Option<Calls>,
}

impl<S> Service<Request<Body>> for Measured<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let open = OPEN.iter().any(|open| path.starts_with(open));
        let Some(calls) = self.calls.as_ref().filter(|_| !open) else {
            return Either::Left(self.inner.call(request));
        };
        let method = Method::at(path);
        let shape = method.map(|method| method.shape).unwrap_or_default();
        let mut call = calls.begin(method.map_or(UNKNOWN, called));
        let answered = self.inner.call(request);
        Either::Right(Box::pin(async move {
            let response = answered.await?;
            let code = code_in(response.headers());
            let collected = response.extensions().get::<Collected>().copied();
            call.answered(outcome_of(response.headers(), code), collected);
            if shape.answers_many && code.is_none() {
                return Ok(response.map(|body| Body::new(Counted::new(body, call))));
            }
            call.ended(code.unwrap_or(Code::Ok));
            Ok(response)
        }))
    }
}

fn called(method: &'static Method) -> Called {
    Called {
        contract: &method.contract,
        method: &method.name,
        kind: match method {
            method if method.shape.streams() => "stream",
            method if method.reads => "read",
            _ => "act",
        },
    }
}

/// Whoever is not known yet was promised nothing: strangers with invented keys are no failures of ours.
fn outcome_of(headers: &HeaderMap, code: Option<Code>) -> Outcome {
    if headers.contains_key(ISSUER_AWAITED) {
        Outcome::Refused
    } else {
        Outcome::of(code.unwrap_or(Code::Ok))
    }
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    Status::from_header_map(headers).map(|status| status.code())
}

/// A stream of answers, which is counted when it ends.
struct Counted {
    body: Body,
    call: Option<Call>,
}

impl Counted {
    fn new(body: Body, call: Call) -> Self {
        let call = Some(call);
        Self { body, call }
    }

    fn ended(&mut self, code: Code) {
        if let Some(call) = self.call.take() {
            call.ended(code);
        }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.ended(code_in(trailers).unwrap_or(Code::Unknown));
                }
            }
            Poll::Ready(Some(Err(status))) => this.ended(status.code()),
            // No trailers: what stood behind broke off.
            Poll::Ready(None) => this.ended(Code::Unknown),
            Poll::Pending => {}
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
