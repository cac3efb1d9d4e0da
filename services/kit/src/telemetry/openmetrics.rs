//! Metrics as OpenMetrics 1.0 writes them. It says what the older text says, and leads from a bucket to a trace.

use std::fmt::{self, Write};

use http::HeaderMap;
use http::header::ACCEPT;
use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::exemplars::{Exemplar, Exemplars, LABELS, METRIC, Row};

/// What it calls itself.
pub(super) const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The same without its version, and the older text.
const OURS: &str = "application/openmetrics-text";
const OLDER: &str = "text/plain";

/// Whether whoever asks would have it rather than the older text, or as gladly.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let (mut ours, mut older) = (0.0_f64, 0.0_f64);
    let accepted = headers.get_all(ACCEPT).iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    for range in accepted.flat_map(|text| text.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        let quality = quality.map_or(1.0, |quality| quality.parse::<f64>().unwrap_or(0.0));
        if kind.eq_ignore_ascii_case(OURS) {
            ours = ours.max(quality);
        } else if kind.eq_ignore_ascii_case(OLDER) {
            older = older.max(quality);
        }
    }
    ours > 0.0 && ours >= older
}

/// Writes families, each of a name of its own, with the exemplars of their series.
pub(super) fn write(
    families: &[MetricFamily],
    exemplars: &Exemplars,
) -> Result<String, fmt::Error> {
    let mut text = String::with_capacity(64 << 10);
    for family in families {
        write_family(&mut text, family, exemplars)?;
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn write_family(text: &mut String, family: &MetricFamily, exemplars: &Exemplars) -> fmt::Result {
    let name = family.name();
    let (kind, name) = match family.get_field_type() {
        // The end belongs to the sample, not to the family.
        MetricType::COUNTER => ("counter", name.strip_suffix("_total").unwrap_or(name)),
        MetricType::GAUGE => ("gauge", name),
        MetricType::HISTOGRAM => ("histogram", name),
        // Nothing of Campus is measured so.
        MetricType::SUMMARY | MetricType::UNTYPED => return Ok(()),
    };
    writeln!(text, "# TYPE {name} {kind}")?;
    if !family.help().is_empty() {
        writeln!(text, "# HELP {name} {}", escaped(family.help()))?;
    }
    for metric in family.get_metric() {
        let labels = labels(metric.get_label());
        match kind {
            "counter" => {
                let value = number(metric.get_counter().get_value());
                writeln!(text, "{name}_total{} {value}", braced(&labels))?;
            }
            "gauge" => {
                let value = number(metric.get_gauge().get_value());
                writeln!(text, "{name}{} {value}", braced(&labels))?;
            }
            _ => write_histogram(text, name, metric, &labels, exemplars)?,
        }
    }
    Ok(())
}

fn write_histogram(
    text: &mut String,
    name: &str,
    metric: &Metric,
    labels: &str,
    exemplars: &Exemplars,
) -> fmt::Result {
    let histogram = metric.get_histogram();
    let row = row(name, metric.get_label(), exemplars);
    let exemplar = |bucket: usize| row.and_then(|row| row.get(bucket).copied().flatten());
    let separator = if labels.is_empty() { "" } else { "," };
    let mut bucket = |bound: &str, count: u64, exemplar: Option<Exemplar>| -> fmt::Result {
        write!(
            text,
            "{name}_bucket{{{labels}{separator}le=\"{bound}\"}} {count}"
        )?;
        if let Some(exemplar) = exemplar {
            write_exemplar(text, exemplar)?;
        }
        text.write_char('\n')
    };
    let finite = histogram.get_bucket().iter();
    let finite: Vec<_> = finite.filter(|one| one.upper_bound().is_finite()).collect();
    for (place, one) in finite.iter().enumerate() {
        // A bound is written with its point: 1.0.
        let bound = format!("{:?}", one.upper_bound());
        bucket(&bound, one.cumulative_count(), exemplar(place))?;
    }
    let last = exemplar(finite.len());
    bucket("+Inf", histogram.get_sample_count(), last)?;
    let (sum, count) = (histogram.get_sample_sum(), histogram.get_sample_count());
    writeln!(text, "{name}_sum{} {}", braced(labels), number(sum))?;
    writeln!(text, "{name}_count{} {count}", braced(labels))
}

fn write_exemplar(text: &mut String, exemplar: Exemplar) -> fmt::Result {
    let Exemplar {
        trace,
        seconds,
        time,
    } = exemplar;
    let (whole, rest) = (time.div_euclid(1000), time.rem_euclid(1000));
    let seconds = number(seconds);
    write!(
        text,
        " # {{trace_id=\"{trace}\"}} {seconds} {whole}.{rest:03}"
    )
}

/// The exemplars of the series of a metric with these labels.
fn row(name: &str, labels: &[LabelPair], exemplars: &Exemplars) -> Option<Row> {
    if name != METRIC {
        return None;
    }
    let value = |name: &'static str| {
        let label = labels.iter().find(|label| label.name() == name);
        label.map_or("", |label| label.value())
    };
    exemplars.of(LABELS.map(value))
}

fn labels(pairs: &[LabelPair]) -> String {
    let pairs = pairs.iter();
    let pairs = pairs.map(|pair| format!("{}=\"{}\"", pair.name(), escaped(pair.value())));
    pairs.collect::<Vec<_>>().join(",")
}

fn braced(labels: &str) -> String {
    if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    text.replace('"', "\\\"").replace('\n', "\\n")
}

fn number(value: f64) -> String {
    if value.is_infinite() {
        let sign = if value > 0.0 { '+' } else { '-' };
        return format!("{sign}Inf");
    }
    format!("{value}")
}

#[cfg(test)]
mod tests;
