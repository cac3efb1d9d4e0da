//! For each bucket of how long calls took, the last call in it of which a trace is collected: whoever sees that
//! calls are slow has the trace of one at hand.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, TraceId};

use super::figures::QUICK;
use crate::clock::{Clock, SystemClock};

/// The metric whose buckets have exemplars, as Prometheus writes it.
pub(super) const METRIC: &str = "campus_rpc_duration_seconds";
/// The labels that tell its series apart.
pub(super) const LABELS: [&str; 5] = ["service", "contract", "method", "kind", "outcome"];
/// How many buckets a series has, the one without an end among them.
pub(super) const BUCKETS: usize = QUICK.len() + 1;
/// How many series have any. Those that come later have none.
const MAX_SERIES: usize = 4096;

/// The exemplars of this process.
pub(super) static KEPT: LazyLock<Exemplars> = LazyLock::new(|| Exemplars::new(MAX_SERIES));

/// The values of [`LABELS`].
type Series<'a> = [&'a str; LABELS.len()];
/// The exemplars of one series, bucket by bucket.
pub(super) type Row = [Option<Exemplar>; BUCKETS];

/// The trace of a call that somebody collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Collected(TraceId);

impl Collected {
    /// The trace of `context`; none where nobody collects it.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        let span = context.span();
        let place = span.span_context();
        place.is_sampled().then(|| Self(place.trace_id()))
    }

    /// It is one of those that took so many seconds.
    pub(super) fn exemplar(self, seconds: f64) -> Exemplar {
        Exemplar {
            trace: self.0,
            seconds,
            time: SystemClock.now().timestamp_millis(),
        }
    }
}

/// One that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exemplar {
    /// Where it can be looked up.
    pub(super) trace: TraceId,
    /// How long it took.
    pub(super) seconds: f64,
    /// When, in milliseconds since 1970.
    pub(super) time: i64,
}

/// The last exemplar of each bucket of so many series.
#[derive(Debug)]
pub(super) struct Exemplars {
    most: usize,
    rows: Mutex<HashMap<Series<'static>, Box<Row>>>,
}

impl Exemplars {
    pub(super) fn new(most: usize) -> Self {
        let rows = Mutex::default();
        Self { most, rows }
    }

    /// Keeps `exemplar` in place of the one before it in its bucket.
    pub(super) fn keep(&self, series: Series<'static>, exemplar: Exemplar) {
        let bucket = QUICK.partition_point(|bound| *bound < exemplar.seconds);
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= self.most && !rows.contains_key(&series) {
            return;
        }
        let row = rows
            .entry(series)
            .or_insert_with(|| Box::new([None; BUCKETS]));
        if let Some(place) = row.get_mut(bucket) {
            *place = Some(exemplar);
        }
    }

    /// What is kept of a series.
    pub(super) fn of(&self, series: Series<'_>) -> Option<Row> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows: &HashMap<Series<'_>, Box<Row>> = &rows;
        rows.get(&series).map(|row| **row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: Series<'static> = ["kit", "Feed", "Watch", "stream", "ok"];

    fn taking(seconds: f64, trace: u128) -> Exemplar {
        Exemplar {
            trace: TraceId::from(trace),
            seconds,
            time: 7,
        }
    }

    #[test]
    fn each_bucket_keeps_the_last_that_fell_into_it() {
        let kept = Exemplars::new(8);
        for (seconds, trace) in [(0.3, 1), (0.3, 2), (0.301, 3), (61.0, 4), (0.0, 5)] {
            kept.keep(SERIES, taking(seconds, trace));
        }
        let series = SERIES.map(str::to_owned);
        let row = kept.of(series.each_ref().map(|label| &**label)).unwrap();
        let traces: Vec<_> = row.iter().flatten().map(|one| one.trace).collect();
        assert_eq!(traces, [5_u128, 2, 3, 4].map(TraceId::from));
        let within = QUICK.iter().position(|bound| *bound == 0.3).unwrap();
        assert_eq!(row[within], Some(taking(0.3, 2)), "a bound belongs to it");
        assert_eq!(row[BUCKETS - 1], Some(taking(61.0, 4)), "beyond all bounds");
    }

    #[test]
    fn there_are_not_more_series_than_so_many() {
        let kept = Exemplars::new(1);
        let other = ["kit", "Feed", "Snapshot", "stream", "ok"];
        kept.keep(SERIES, taking(1.0, 1));
        kept.keep(other, taking(1.0, 2));
        assert_eq!(kept.of(other), None);
        kept.keep(SERIES, taking(1.0, 3));
        let row = kept.of(SERIES).unwrap();
        assert!(
            row.contains(&Some(taking(1.0, 3))),
            "those that are known go on"
        );
    }
}
