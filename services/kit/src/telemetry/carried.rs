//! A trace goes on in whatever is called, and in whatever a call causes later.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState};
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The headers of the W3C that say to which trace a call belongs, and what its caller keeps beside that.
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
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
pub(crate) fn extract(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|map| {
        map.extract_with_context(&Context::new(), &Carrier(headers))
    })
}

/// Takes away what a call says of the trace of its caller, and gives the place in it. What else the caller
/// keeps beside it is nobody's business here.
pub(crate) fn take(headers: &mut HeaderMap) -> Option<SpanContext> {
    let place = place_of(&extract(headers));
    for name in [TRACEPARENT, TRACESTATE] {
        headers.remove(name);
    }
    let bare = |place: SpanContext| {
        let (trace, span, flags) = (place.trace_id(), place.span_id(), place.trace_flags());
        SpanContext::new(trace, span, flags, true, TraceState::default())
    };
    place.map(bare)
}

/// The trace of the present span as text, for what is read later: whether or not anybody collects it, since
/// log lines are joined by it all the same.
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let known = context.span().span_context().is_valid();
    known.then(|| written(&context)).flatten()
}

fn written(context: &Context) -> Option<String> {
    let mut headers = HeaderMap::new();
    global::get_text_map_propagator(|map| {
        map.inject_context(context, &mut Headers(&mut headers));
    });
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    Some(text.to_owned())
}

/// Says by which calls the work of `span` was caused. Causes of one trace make it a part of that; of several,
/// each is named beside it. Where a trace is collected, those that nobody collects do not count. What cannot be
/// read, or is repeated, is left out.
pub fn caused<'a>(span: &Span, traceparents: impl IntoIterator<Item = &'a str>) {
    let mut last = "";
    let others = traceparents.into_iter();
    let others = others.filter(|text| std::mem::replace(&mut last, *text) != *text);
    caused_by(span, others.filter_map(read));
}

fn read(text: &str) -> Option<SpanContext> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut headers = HeaderMap::new();
    headers.insert(TRACEPARENT, HeaderValue::from_str(text).ok()?);
    place_of(&extract(&headers))
}

/// The same, of spans of this process.
pub(crate) fn caused_by_spans<'a>(span: &Span, causes: impl IntoIterator<Item = &'a Span>) {
    let causes = causes.into_iter();
    caused_by(span, causes.filter_map(|cause| place_of(&cause.context())));
}

fn place_of(context: &Context) -> Option<SpanContext> {
    let span = context.span();
    let place = span.span_context();
    place.is_valid().then(|| place.clone())
}

fn caused_by(span: &Span, places: impl Iterator<Item = SpanContext>) {
    let (mut collected, mut others) = (Vec::new(), Vec::new());
    for place in places {
        let known = if place.is_sampled() {
            &mut collected
        } else {
            &mut others
        };
        if known.len() < MAX_CAUSES && !known.contains(&place) {
            known.push(place);
        }
    }
    let causes = if collected.is_empty() {
        others
    } else {
        collected
    };
    let Some((first, rest)) = causes.split_first() else {
        return;
    };
    let mut beside = &*causes;
    if rest.iter().all(|one| one.trace_id() == first.trace_id()) {
        let parent = Context::new().with_remote_span_context(first.clone());
        // Without a tracer there is no parent to take.
        let _ = span.set_parent(parent);
        beside = rest;
    }
    for cause in beside {
        span.add_link(cause.clone());
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

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const ONE: &str = "0af7651916cd43dd8448eb211c80319c";
    const OTHER: &str = "1bf7651916cd43dd8448eb211c80319c";

    /// Does `work` where spans have traces, which `sampler` collects or does not.
    fn traced<T>(sampler: Sampler, work: impl FnOnce() -> T) -> T {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, work)
    }

    /// The trace to which work belongs that these have caused.
    fn trace_of(causes: &[String]) -> String {
        let span = tracing::info_span!("follow");
        caused(&span, causes.iter().map(|one| &**one));
        let context = span.context();
        context.span().span_context().trace_id().to_string()
    }

    fn cause(trace: &str, span: u64, flags: &str) -> String {
        format!("00-{trace}-{span:016x}-{flags}")
    }

    #[test]
    fn a_trace_that_nobody_collects_goes_on_all_the_same() {
        let (told, trace, goes_on) = traced(Sampler::AlwaysOff, || {
            let call = tracing::info_span!("call");
            let told = call.in_scope(traceparent).unwrap();
            let trace = call.context().span().span_context().trace_id().to_string();
            let goes_on = trace_of(std::slice::from_ref(&told));
            (told, trace, goes_on)
        });
        assert!(told.starts_with(&format!("00-{trace}-")), "{told}");
        assert!(told.ends_with("-00"), "{told}");
        assert_eq!(goes_on, trace);
        assert_eq!(traceparent(), None, "without telemetry there is none");
    }

    #[test]
    fn work_is_a_part_of_the_one_trace_that_caused_it() {
        traced(Sampler::AlwaysOn, || {
            let one = [cause(ONE, 1, "01"), cause(ONE, 2, "01"), String::new()];
            assert_eq!(trace_of(&one), ONE, "two places of one trace");
            let unseen = [cause(OTHER, 1, "00"), cause(ONE, 2, "01")];
            assert_eq!(trace_of(&unseen), ONE, "the one that is collected");
            let uncollected = [cause(ONE, 1, "00"), "nonsense".to_owned()];
            assert_eq!(trace_of(&uncollected), ONE);
            let several = [cause(ONE, 1, "01"), cause(OTHER, 2, "01")];
            let own = trace_of(&several);
            assert!(own != ONE && own != OTHER, "{own}");
        });
    }

    #[test]
    fn what_a_call_says_of_its_caller_is_taken_away() {
        traced(Sampler::AlwaysOn, || {
            let mut headers = HeaderMap::new();
            let shown = HeaderValue::from_str(&cause(ONE, 7, "01")).unwrap();
            headers.insert(TRACEPARENT, shown);
            headers.insert(TRACESTATE, HeaderValue::from_static("vendor=theirs"));
            let place = take(&mut headers).unwrap();
            assert_eq!(place.trace_id().to_string(), ONE);
            assert_eq!(place.trace_state(), &TraceState::default());
            assert!(headers.is_empty(), "{headers:?}");
            assert_eq!(take(&mut headers), None);
        });
    }
}
