//! A trace goes on in whatever is called, and in whatever a call causes later.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::global;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header of the W3C that says to which trace a call belongs.
const TRACEPARENT: &str = "traceparent";
/// No text of that kind is longer.
const LONGEST: usize = 128;
/// How many causes one piece of work names.
const MAX_CAUSES: usize = 16;

/// Lets a call carry the trace of the present span, in place of what its headers said.
pub fn inject(headers: &mut HeaderMap) {
    inject_of(&Span::current(), headers);
}

/// Lets a call carry the trace of `span`.
pub fn inject_of(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    if context.span().span_context().is_valid() {
        global::get_text_map_propagator(|map| {
            map.inject_context(&context, &mut Headers(headers));
        });
    }
}

/// The trace that a call carries.
pub(crate) fn extract(headers: &HeaderMap) -> opentelemetry::Context {
    global::get_text_map_propagator(|map| map.extract(&Carrier(headers)))
}

/// The trace of the present span as text, for what is read later; none where nobody collects it.
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let sampled = context.span().span_context().is_sampled();
    sampled.then(|| written(&context)).flatten()
}

fn written(context: &opentelemetry::Context) -> Option<String> {
    let mut headers = HeaderMap::new();
    global::get_text_map_propagator(|map| {
        map.inject_context(context, &mut Headers(&mut headers));
    });
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    Some(text.to_owned())
}

/// Says by which calls the work of `span` was caused. One cause makes it a part of its trace; of several,
/// each is named beside it. What cannot be read, or is repeated, is left out.
pub fn caused<'a>(span: &Span, traceparents: impl IntoIterator<Item = &'a str>) {
    let read = |text: &str| {
        let mut headers = HeaderMap::new();
        let known = !text.is_empty() && text.len() <= LONGEST;
        headers.insert(
            TRACEPARENT,
            HeaderValue::from_str(text).ok().filter(|_| known)?,
        );
        let place = extract(&headers).span().span_context().clone();
        place.is_valid().then_some(place)
    };
    caused_by(span, traceparents.into_iter().filter_map(read));
}

/// The same, of spans of this process.
pub(crate) fn caused_by_spans<'a>(span: &Span, causes: impl IntoIterator<Item = &'a Span>) {
    let place = |cause: &Span| {
        let place = cause.context().span().span_context().clone();
        place.is_valid().then_some(place)
    };
    caused_by(span, causes.into_iter().filter_map(place));
}

fn caused_by(span: &Span, places: impl Iterator<Item = SpanContext>) {
    let mut causes: Vec<SpanContext> = Vec::new();
    for place in places {
        if causes.len() == MAX_CAUSES {
            break;
        }
        if !causes.contains(&place) {
            causes.push(place);
        }
    }
    if let [only] = &*causes {
        let parent = opentelemetry::Context::new().with_remote_span_context(only.clone());
        // Without a tracer there is no parent to take.
        let _ = span.set_parent(parent);
        return;
    }
    for cause in causes {
        span.add_link(cause);
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}

struct Carrier<'a>(&'a HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
