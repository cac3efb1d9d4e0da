//! Logs, traces and metrics, set up once.

mod calls;
pub mod carried;
mod exemplars;
pub mod figures;
mod lines;
mod looker;
mod openmetrics;
mod page;
mod stand_in;
mod told;

use std::net::SocketAddr;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::WithTonicConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::Deserialize;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use calls::Outcome;
pub(crate) use calls::{Call, Called, Calls};
pub(crate) use exemplars::Collected;
pub use looker::Looker;
pub(crate) use page::{Health, Page};
pub use stand_in::{HeardSpan, StandIn};
pub use told::Told;

use crate::channel;
use crate::tls::ClientTlsConfig;

/// The name under which Campus measures.
pub(crate) const METER: &str = "campus";
/// How many series of one metric there are at most: a method and how it ended are two labels of one.
const MAX_SERIES: usize = 8192;

/// What a service tells about itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// How log lines look on the standard output.
    #[serde(default)]
    pub format: Format,
    /// Which log lines are written, such as `info,sampling=debug`.
    #[serde(default = "default_filter")]
    pub filter: String,
    /// Where traces and metrics go, such as `http://collector:4317` or `https://collector:4317`. Nothing leaves
    /// when unset (rule 6.15).
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// How to connect there where it begins with `https://`.
    #[serde(default)]
    pub otlp_tls: ClientTlsConfig,
    /// Which part of the traces that begin here is sent, from 0 to 1. Of a trace that began elsewhere,
    /// whoever began it decides; what comes in from outside begins at the gateway.
    #[serde(default = "default_share")]
    pub trace_share: f64,
    /// Where operators ask, by plain HTTP and without saying who they are, for `/metrics`, `/livez` and
    /// `/readyz`, and probes by plain gRPC for `grpc.health.v1`; nobody can when unset. No personal data stands
    /// there, but keep it inside.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// For a person at a terminal.
    Pretty,
}

fn default_filter() -> String {
    "info".to_owned()
}

fn default_share() -> f64 {
    1.0
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            format: Format::default(),
            filter: default_filter(),
            otlp_endpoint: None,
            otlp_tls: ClientTlsConfig::default(),
            trace_share: default_share(),
            listen: None,
        }
    }
}

impl TelemetryConfig {
    /// Checks the settings; the error names the key.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn check(&self) -> Result<(), TelemetryError> {
        self.filter()?;
        let share = (0.0..=1.0).contains(&self.trace_share);
        share.then_some(()).ok_or(TelemetryError::Share)?;
        let usable = self.otlp_endpoint.as_deref().is_none_or(is_endpoint);
        usable.then_some(()).ok_or(TelemetryError::Endpoint)?;
        let tls = self.otlp_tls.check("telemetry.otlp_tls");
        tls.map_err(TelemetryError::Tls)
    }

    fn filter(&self) -> Result<EnvFilter, TelemetryError> {
        EnvFilter::try_new(&self.filter).map_err(TelemetryError::Filter)
    }
}

/// Whether a collector can be there: a scheme that it speaks, a host, and nothing behind it.
fn is_endpoint(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        let speaks = matches!(uri.scheme_str(), Some("http" | "https"));
        let ends = uri.path_and_query().is_none_or(|rest| rest == "/");
        speaks && ends && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("telemetry.filter: not a filter")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The share of traces is no share.
    #[error("telemetry.trace_share: from 0 to 1")]
    Share,
    /// The address of the collector is none.
    #[error("telemetry.otlp_endpoint: http://HOST:PORT or https://HOST:PORT")]
    Endpoint,
    /// A file for the connection to the collector cannot be used; the text names the key.
    #[error("{0}")]
    Tls(String),
    /// The collector cannot be called.
    #[error("telemetry.otlp_endpoint: cannot be used")]
    Collector(#[source] tonic::transport::Error),
    /// The OTLP exporter cannot be built.
    #[error("telemetry.otlp_endpoint: cannot be used")]
    Otlp(#[source] opentelemetry_otlp::ExporterBuildError),
    /// Metrics cannot be kept for those who ask for them.
    #[error("telemetry.listen: metrics cannot be kept")]
    Metrics(#[source] OTelSdkError),
    /// Another subscriber is installed already.
    #[error("telemetry was started twice")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Sends what is still buffered when it is dropped.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // Nobody is left to be told when the last spans cannot be sent.
        if let Some(traces) = &self.traces {
            let _ = traces.shutdown();
        }
        if let Some(metrics) = &self.metrics {
            let _ = metrics.shutdown();
        }
    }
}

/// Starts telemetry for `service`. Must run inside the runtime when an endpoint is set.
///
/// Calls have a trace whether or not anybody collects them, so that log lines of several services can be
/// joined by it.
///
/// # Errors
/// When a setting cannot be used, or telemetry was started before.
pub fn start(service: &'static str, config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    start_writing(service, config, std::io::stdout)
}

/// The same, with log lines written to `writer`.
///
/// # Errors
/// As [`start`].
pub fn start_writing<W>(
    service: &'static str,
    config: &TelemetryConfig,
    writer: W,
) -> Result<Telemetry, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    config.check()?;
    let filter = config.filter()?;
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.name", service))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let traces = traces(config, resource.clone())?;
    let metrics = metrics(config, resource)?;
    let known = lines::Traces::default();
    let layers = vec![
        lines::layer(config.format, writer, filter, known.clone()),
        spans(&traces, service, config.otlp_endpoint.is_some()),
    ];
    tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .map_err(TelemetryError::Twice)?;
    known.remember();
    global::set_text_map_propagator(TraceContextPropagator::new());
    if let Some(metrics) = &metrics {
        global::set_meter_provider(metrics.clone());
        figures::tell_version(service);
    }
    Ok(Telemetry {
        traces: Some(traces),
        metrics,
    })
}

/// Gives spans their place in a trace. Those of statements cost something, and are made only where somebody
/// collects them.
fn spans(
    traces: &SdkTracerProvider,
    service: &'static str,
    collected: bool,
) -> Box<dyn Layer<Registry> + Send + Sync> {
    // What the driver says of slow statements has their text.
    let filter = match collected {
        true => EnvFilter::new(format!("info,sqlx=off,{}=debug", crate::db::TARGET)),
        false => EnvFilter::new("info"),
    };
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(service))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter)
        .boxed()
}

/// The way to the collector: to the one that is set, whatever the environment says of another.
fn collector(
    endpoint: &str,
    config: &TelemetryConfig,
) -> Result<tonic::transport::Channel, TelemetryError> {
    let channel = channel::to_collector(endpoint, &config.otlp_tls);
    channel.map_err(TelemetryError::Collector)
}

fn traces(
    config: &TelemetryConfig,
    resource: Resource,
) -> Result<SdkTracerProvider, TelemetryError> {
    let provider = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok(provider.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_channel(collector(endpoint, config)?)
        .build()
        .map_err(TelemetryError::Otlp)?;
    let begun_here = Sampler::TraceIdRatioBased(config.trace_share);
    Ok(provider
        .with_sampler(Sampler::ParentBased(Box::new(begun_here)))
        .with_batch_exporter(exporter)
        .build())
}

/// What is measured: pushed to the collector, and kept for whoever asks. Nothing is where nobody is told.
fn metrics(
    config: &TelemetryConfig,
    resource: Resource,
) -> Result<Option<SdkMeterProvider>, TelemetryError> {
    let mut provider = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_view(roomy);
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter = opentelemetry_otlp::MetricExporter::builder()
            .with_tonic()
            .with_channel(collector(endpoint, config)?)
            .build()
            .map_err(TelemetryError::Otlp)?;
        provider = provider.with_periodic_exporter(exporter);
    }
    if config.listen.is_some() {
        let kept = opentelemetry_prometheus::exporter()
            .with_registry(prometheus::default_registry().clone())
            .without_target_info()
            .scope_info_enabled(false)
            .build()
            .map_err(TelemetryError::Metrics)?;
        provider = provider.with_reader(kept);
    }
    let told = config.otlp_endpoint.is_some() || config.listen.is_some();
    Ok(told.then(|| provider.build()))
}

/// Room for a series of each method and code.
fn roomy(instrument: &Instrument) -> Option<Stream> {
    let counted = instrument.name() == calls::COUNTED;
    let stream = counted.then(|| Stream::builder().with_cardinality_limit(MAX_SERIES).build());
    stream.and_then(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_an_address_of_its_own() {
        for there in [
            "http://127.0.0.1:4317",
            "https://collector.monitoring:4317/",
            "https://[::1]:4317",
        ] {
            assert!(is_endpoint(there), "{there}");
        }
        for nowhere in [
            "",
            "collector",
            "collector:4317",
            "/v1/traces",
            "grpc://collector:4317",
            "http://collector:4318/v1/traces",
        ] {
            assert!(!is_endpoint(nowhere), "{nowhere}");
            let config = TelemetryConfig {
                otlp_endpoint: Some(nowhere.to_owned()),
                ..TelemetryConfig::default()
            };
            let refused = config.check().unwrap_err().to_string();
            assert!(
                refused.starts_with("telemetry.otlp_endpoint: "),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_names_its_key() {
        let config = TelemetryConfig {
            otlp_endpoint: Some("https://collector:4317".to_owned()),
            otlp_tls: ClientTlsConfig {
                ca: Some("nowhere.pem".into()),
                ..ClientTlsConfig::default()
            },
            ..TelemetryConfig::default()
        };
        let refused = config.check().unwrap_err().to_string();
        assert!(refused.starts_with("telemetry.otlp_tls.ca: "), "{refused}");
    }
}
