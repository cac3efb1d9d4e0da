//! Figures that stand for how much there is of something now: read when somebody asks for them, or kept by
//! whoever looks from time to time and told while they are fresh.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, Value, global};

use super::METER;
use crate::drain::Drain;

/// How often what must be looked for is looked for in this process, in milliseconds.
static PERIOD: AtomicU64 = AtomicU64::new(10_000);
/// For how long a figure is told after it was kept: some looks may be missed.
const FRESH: Duration = Duration::from_secs(120);
/// Where promises about calls lie: at 0.3 s for gates, at 1 s for everything else.
pub(super) const QUICK: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0, 60.0,
];
/// Where promises about how late something arrives lie: at 5 s for feeds, at 60 s for directives.
const LATE: [f64; 14] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0,
];

/// What a figure is called, and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// Such as `campus.db.connections`; with a unit, Prometheus has it behind the name.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Such as `s`; empty for a number of things.
    pub unit: &'static str,
}

impl Name {
    /// A number of things.
    pub const fn count(name: &'static str, help: &'static str) -> Self {
        let unit = "";
        Self { name, help, unit }
    }

    /// A span of time.
    pub const fn seconds(name: &'static str, help: &'static str) -> Self {
        let unit = "s";
        Self { name, help, unit }
    }

    /// Has `read` called whenever somebody asks; it must be quick. Nothing is told where it tells nothing.
    pub fn read<L, V, R>(self, labels: L, read: R)
    where
        L: IntoIterator<Item = (&'static str, V)>,
        V: Into<Value>,
        R: Fn() -> Option<f64> + Send + Sync + 'static,
    {
        let labels = labels.into_iter();
        let labels: Vec<_> = labels
            .map(|(name, value)| KeyValue::new(name, value))
            .collect();
        global::meter(METER)
            .f64_observable_gauge(self.name)
            .with_description(self.help)
            .with_unit(self.unit)
            .with_callback(move |observer| {
                if let Some(value) = read() {
                    observer.observe(value, &labels);
                }
            })
            .build();
    }

    /// A figure of this name that somebody keeps.
    pub fn kept<L, V>(self, labels: L) -> Figure
    where
        L: IntoIterator<Item = (&'static str, V)>,
        V: Into<Value>,
    {
        let figure = Figure::default();
        let told = figure.clone();
        self.read(labels, move || told.fresh(Instant::now()));
        figure
    }

    /// How long ago something was done last that is done again and again, which is now for the first time.
    pub fn beats<L, V>(self, labels: L) -> Beat
    where
        L: IntoIterator<Item = (&'static str, V)>,
        V: Into<Value>,
    {
        let beat = Beat(Arc::new(Mutex::new(Instant::now())));
        let told = beat.clone();
        self.read(labels, move || Some(told.age().as_secs_f64()));
        beat
    }

    /// Counts what happens.
    pub fn counted(self) -> Count {
        let counter = global::meter(METER)
            .u64_counter(self.name)
            .with_description(self.help)
            .build();
        Count(counter)
    }

    /// How long calls took.
    pub fn durations(self) -> Spans {
        self.spans(&QUICK)
    }

    /// How late things were.
    pub fn lateness(self) -> Spans {
        self.spans(&LATE)
    }

    fn spans(self, boundaries: &[f64]) -> Spans {
        let histogram = global::meter(METER)
            .f64_histogram(self.name)
            .with_description(self.help)
            .with_unit(self.unit)
            .with_boundaries(boundaries.to_vec())
            .build();
        Spans(histogram)
    }
}

/// Counts what happens. Clones count together.
#[derive(Clone, Debug)]
pub struct Count(Counter<u64>);

impl Count {
    /// It happened so many times more.
    pub fn add<V: Into<Value>, const N: usize>(&self, times: u64, labels: [(&'static str, V); N]) {
        let labels = labels.map(|(name, value)| KeyValue::new(name, value));
        self.0.add(times, &labels);
    }
}

/// Spans of time, each of which is told. Clones count together.
#[derive(Clone, Debug)]
pub struct Spans(Histogram<f64>);

impl Spans {
    /// One was so many seconds long.
    pub fn note<V: Into<Value>, const N: usize>(
        &self,
        seconds: f64,
        labels: [(&'static str, V); N],
    ) {
        let labels = labels.map(|(name, value)| KeyValue::new(name, value));
        self.0.record(seconds.max(0.0), &labels);
    }
}

/// A figure that somebody keeps. Clones are the same figure.
#[derive(Clone, Debug, Default)]
pub struct Figure(Arc<Mutex<Option<(f64, Instant)>>>);

impl Figure {
    /// It is so much now.
    pub fn set(&self, value: f64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((value, Instant::now()));
    }

    fn fresh(&self, now: Instant) -> Option<f64> {
        let kept = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, since) = kept?;
        (now.saturating_duration_since(since) <= FRESH).then_some(value)
    }
}

/// Something that is done again and again. Its age grows while nobody does it, also when whoever did has ended.
/// Clones are the same.
#[derive(Clone, Debug)]
pub struct Beat(Arc<Mutex<Instant>>);

impl Beat {
    /// It was done now.
    pub fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long ago it was done last.
    pub fn age(&self) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.elapsed()
    }
}

/// Has figures looked for so often in this process, from the next look of each on: for tests, which have no ten
/// seconds to wait.
pub fn look_every(period: Duration) {
    let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
    PERIOD.store(millis, Ordering::Relaxed);
}

/// Has `look` keep its figures until the drain. A look that fails keeps none, and the next one comes.
pub async fn keep<F, Fut, E>(drain: Drain, mut look: F)
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<(), E>> + Send,
    E: std::fmt::Display,
{
    loop {
        if let Err(err) = look().await {
            tracing::warn!(error = %err, "cannot look for figures, trying again");
        }
        let period = Duration::from_millis(PERIOD.load(Ordering::Relaxed));
        if !drain.sleep(period).await {
            return;
        }
    }
}

/// Says which version runs.
pub(super) fn tell_version(service: &'static str) {
    let labels = [("service", service), ("version", env!("CARGO_PKG_VERSION"))];
    Name::count("campus.build.info", "Which version runs").read(labels, || Some(1.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_nobody_keeps_any_more_is_not_told() {
        let (figure, now) = (Figure::default(), Instant::now());
        assert_eq!(figure.fresh(now), None);
        figure.set(7.0);
        assert_eq!(figure.fresh(now + FRESH), Some(7.0));
        assert_eq!(figure.fresh(now + FRESH * 2), None);
    }
}
