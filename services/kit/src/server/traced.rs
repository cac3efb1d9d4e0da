//! The span of a call, and the trace that it is a part of.

use http::{HeaderMap, Response};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry::{Collected, Outcome, carried};

/// A call in its trace.
pub(super) struct Traced {
    span: Span,
    /// By which the call is found; empty where it has none.
    pub(super) trace: String,
    collected: Option<Collected>,
}

impl Traced {
    /// Begins the span of a call to the method `told`, in the trace that its headers carry or one of its own. The
    /// place `theirs` in a trace of somebody outside is linked.
    pub(super) fn begin(told: &str, headers: &HeaderMap, theirs: Option<SpanContext>) -> Self {
        let span = tracing::info_span!(
            "grpc",
            otel.name = told,
            otel.kind = "server",
            otel.status_code = tracing::field::Empty,
            path = told,
            code = tracing::field::Empty,
        );
        let parent = carried::extract(headers);
        let trace = trace_id(&parent);
        // Without a tracer there is no parent to take.
        let _ = span.set_parent(parent);
        if let Some(theirs) = theirs {
            span.add_link(theirs);
        }
        let context = span.context();
        let trace = trace_id(&context).or(trace).unwrap_or_default();
        let collected = Collected::of(&context);
        Self {
            span,
            trace,
            collected,
        }
    }

    /// Does the work of the call. Its answer says which trace is collected of it.
    pub(super) async fn run<E>(
        self,
        work: impl Future<Output = Result<Response<Body>, E>>,
    ) -> Result<Response<Body>, E> {
        let mut answered = work.instrument(self.span).await;
        if let (Ok(response), Some(collected)) = (&mut answered, self.collected) {
            response.extensions_mut().insert(collected);
        }
        answered
    }
}

/// Notes in the span of a call how it was answered.
pub(super) fn note(response: &Response<Body>) {
    let status = Status::from_header_map(response.headers());
    let code = status.map_or(Code::Ok, |status| status.code());
    let span = Span::current();
    span.record("code", i32::from(code));
    if Outcome::of(code) == Outcome::Failed {
        span.record("otel.status_code", "ERROR");
    }
    tracing::debug!("answered");
}

/// The trace that a call belongs to, if it belongs to one.
fn trace_id(context: &Context) -> Option<String> {
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}
