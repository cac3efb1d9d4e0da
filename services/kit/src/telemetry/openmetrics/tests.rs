use http::HeaderValue;
use opentelemetry::trace::TraceId;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram};

use super::*;

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn counter(labels: Vec<LabelPair>, value: f64) -> Metric {
    let (mut metric, mut counter) = (Metric::default(), Counter::default());
    counter.set_value(value);
    metric.set_label(labels);
    metric.set_counter(counter);
    metric
}

fn gauge(labels: Vec<LabelPair>, value: f64) -> Metric {
    let (mut metric, mut gauge) = (Metric::default(), Gauge::default());
    gauge.set_value(value);
    metric.set_label(labels);
    metric.set_gauge(gauge);
    metric
}

/// A histogram of so many within each bound, and of all.
fn histogram(labels: Vec<LabelPair>, within: &[(f64, u64)], all: u64, sum: f64) -> Metric {
    let bucket = |(bound, count): &(f64, u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*count);
        bucket
    };
    let (mut metric, mut histogram) = (Metric::default(), Histogram::default());
    histogram.set_bucket(within.iter().map(bucket).collect());
    histogram.set_sample_count(all);
    histogram.set_sample_sum(sum);
    metric.set_label(labels);
    metric.set_histogram(histogram);
    metric
}

fn written(families: &[MetricFamily]) -> String {
    write(families, &Exemplars::new(0)).unwrap()
}

#[test]
fn nothing_is_a_page_with_its_end() {
    assert_eq!(written(&[]), "# EOF\n");
}

#[test]
fn a_counter_has_its_end_in_the_sample_and_not_in_the_family() {
    let calls = vec![
        counter(vec![pair("code", "OK")], 1027.0),
        counter(vec![pair("code", "NOT_FOUND")], 3.0),
    ];
    let calls = family(
        "campus_rpc_calls_total",
        "Calls",
        MetricType::COUNTER,
        calls,
    );
    let expected = "# TYPE campus_rpc_calls counter\n\
        # HELP campus_rpc_calls Calls\n\
        campus_rpc_calls_total{code=\"OK\"} 1027\n\
        campus_rpc_calls_total{code=\"NOT_FOUND\"} 3\n\
        # EOF\n";
    assert_eq!(written(&[calls]), expected);
}

#[test]
fn a_gauge_has_any_number_and_perhaps_no_labels_and_no_words() {
    let values = [0.25, -3.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let gauges = values.map(|value| {
        let metrics = vec![gauge(Vec::new(), value)];
        written(&[family("campus_ready", "", MetricType::GAUGE, metrics)])
    });
    let expected = ["0.25", "-3", "+Inf", "-Inf", "NaN"];
    let expected =
        expected.map(|value| format!("# TYPE campus_ready gauge\ncampus_ready {value}\n# EOF\n"));
    assert_eq!(gauges, expected);
}

#[test]
fn what_would_end_a_text_is_escaped() {
    let odd = "a \\ and a \" and\na line";
    let metrics = vec![gauge(vec![pair("odd", odd)], 1.0)];
    let text = written(&[family("campus_odd", odd, MetricType::GAUGE, metrics)]);
    let safe = r#"a \\ and a \" and\na line"#;
    let expected = format!(
        "# TYPE campus_odd gauge\n# HELP campus_odd {safe}\ncampus_odd{{odd=\"{safe}\"}} 1\n# EOF\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn a_histogram_has_every_bucket_its_sum_and_its_count() {
    let within = [(0.3, 4), (1.0, 5), (10.0, 5)];
    let metrics = vec![histogram(vec![pair("service", "kit")], &within, 6, 12.5)];
    let lag = family("campus_lag_seconds", "Lag", MetricType::HISTOGRAM, metrics);
    let expected = "# TYPE campus_lag_seconds histogram\n\
        # HELP campus_lag_seconds Lag\n\
        campus_lag_seconds_bucket{service=\"kit\",le=\"0.3\"} 4\n\
        campus_lag_seconds_bucket{service=\"kit\",le=\"1.0\"} 5\n\
        campus_lag_seconds_bucket{service=\"kit\",le=\"10.0\"} 5\n\
        campus_lag_seconds_bucket{service=\"kit\",le=\"+Inf\"} 6\n\
        campus_lag_seconds_sum{service=\"kit\"} 12.5\n\
        campus_lag_seconds_count{service=\"kit\"} 6\n\
        # EOF\n";
    assert_eq!(written(&[lag]), expected);
}

#[test]
fn a_bucket_leads_to_the_trace_of_the_last_call_in_it() {
    let series = ["kit", "Feed", "Watch", "stream", "ok"];
    let exemplars = Exemplars::new(1);
    for (seconds, trace) in [(0.0005, 0xab_u128), (99.0, 0xcd)] {
        let exemplar = Exemplar {
            trace: TraceId::from(trace),
            seconds,
            time: 1_650_000_000_007,
        };
        exemplars.keep(series, exemplar);
    }
    let labels = || {
        // As the exporter has them: by name.
        let labels = ["contract", "kind", "method", "outcome", "service"];
        let values = ["Feed", "stream", "Watch", "ok", "kit"];
        let labels = labels.into_iter().zip(values);
        labels.map(|(name, value)| pair(name, value)).collect()
    };
    let bounds = crate::telemetry::figures::QUICK.map(|bound| (bound, 1));
    let metrics = vec![histogram(labels(), &bounds, 2, 99.0)];
    let family = family(METRIC, "", MetricType::HISTOGRAM, metrics);
    let text = write(&[family], &exemplars).unwrap();
    let of_trace = |end: &str| {
        let lines = text.lines().filter(|line| line.contains(end));
        lines.collect::<Vec<_>>()
    };
    let id = format!("{:032x}", 0xab);
    let first = format!(
        "{METRIC}_bucket{{contract=\"Feed\",kind=\"stream\",method=\"Watch\",outcome=\"ok\",\
         service=\"kit\",le=\"0.001\"}} 1 # {{trace_id=\"{id}\"}} 0.0005 1650000000.007"
    );
    assert_eq!(of_trace(&id), [first]);
    let [last] = of_trace(&format!("{:032x}", 0xcd))[..] else {
        panic!("one line: {text}");
    };
    assert!(last.contains("le=\"+Inf\"} 2 # {"), "{last}");
    assert_eq!(text.matches(" # {").count(), 2);
}

#[test]
fn it_is_for_those_who_would_have_it() {
    let wanted = |accept: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        is_wanted(&headers)
    };
    let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
        application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    assert!(wanted(&[prometheus]));
    assert!(wanted(&["text/plain", "Application/OpenMetrics-Text"]));
    for other in [
        &[][..],
        &["*/*"],
        &["text/plain"],
        &["application/openmetrics-text;q=0"],
        &["application/openmetrics-text;q=much"],
        &["text/plain;version=0.0.4;q=0.6, application/openmetrics-text;version=1.0.0;q=0.5"],
    ] {
        assert!(!wanted(other), "{other:?}");
    }
}
