//! Log lines. Those for machines say which trace and span they belong to.

use std::fmt;
use std::sync::{Arc, OnceLock};

use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::dispatcher::WeakDispatch;
use tracing::span::Id;
use tracing::{Event, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::fmt::format::{Format as Formatter, Json, JsonFields, Writer};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::Format;

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Writes lines to `writer`.
pub(super) fn layer<W>(format: Format, writer: W, filter: EnvFilter, traces: Traces) -> Boxed
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer::<Registry>().with_writer(writer);
    match format {
        Format::Json => {
            let json = Formatter::default().json().flatten_event(true);
            let lines = lines.fmt_fields(JsonFields::new());
            Box::new(
                lines
                    .event_format(Joined { json, traces })
                    .with_filter(filter),
            )
        }
        Format::Pretty => Box::new(
            lines
                .with_target(false)
                .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stdout()))
                .with_filter(filter),
        ),
    }
}

/// The way by which a line finds the trace of its span, known once the subscriber is installed.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces(Arc<OnceLock<WeakDispatch>>);

impl Traces {
    /// Remembers the subscriber that is installed here.
    pub(super) fn remember(&self) {
        tracing::dispatcher::get_default(|installed| {
            // The first stays: telemetry starts once.
            let _ = self.0.set(installed.downgrade());
        });
    }

    fn of(&self, span: &Id) -> Option<SpanContext> {
        let installed = self.0.get()?.upgrade()?;
        let found = get_otel_context(span, &installed)?;
        let place = found.span().span_context().clone();
        place.is_valid().then_some(place)
    }
}

/// JSON with `trace_id` and `span_id` behind everything else.
struct Joined {
    json: Formatter<Json, SystemTime>,
    traces: Traces,
}

impl<S, N> FormatEvent<S, N> for Joined
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::with_capacity(512);
        self.json
            .format_event(context, Writer::new(&mut line), event)?;
        // What makes traces holds its locks while it complains.
        let ours = !event.metadata().target().starts_with("opentelemetry");
        let span = context.parent_span().filter(|_| ours);
        let place = span.and_then(|span| self.traces.of(&span.id()));
        if let (Some(place), Some(open)) = (place, line.strip_suffix("}\n")) {
            let (trace, span) = (place.trace_id(), place.span_id());
            return writeln!(
                writer,
                r#"{open},"trace_id":"{trace}","span_id":"{span}"}}"#
            );
        }
        writer.write_str(&line)
    }
}
