//! How far a projection is behind its feed: how late changes were stored, and how long ago it heard anything.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::clock::{Clock, SystemClock};
use crate::feed::Origin;
use crate::field::from_timestamp;
use crate::telemetry::figures::{Name, Spans};

const HEARD: Name = Name::seconds(
    "campus.projection.age",
    "How long ago the projection stored a change or a sign of life of its feed",
);
const LATE: Name = Name::seconds(
    "campus.projection.lag",
    "How long after their announcement changes were stored here",
);

/// What is known of one projection.
#[derive(Debug)]
pub(super) struct Lag {
    labels: [(&'static str, &'static str); 2],
    late: Spans,
    heard: Arc<Mutex<Instant>>,
}

impl Lag {
    /// Nothing was heard yet of what `service` follows as `projection`.
    pub(super) fn of(service: &'static str, projection: &'static str) -> Self {
        let heard = Arc::new(Mutex::new(Instant::now()));
        let labels = [("service", service), ("projection", projection)];
        let last = heard.clone();
        HEARD.read(labels, move || {
            let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
            Some(last.elapsed().as_secs_f64())
        });
        Self {
            labels,
            late: LATE.lateness(),
            heard,
        }
    }

    /// Changes from there, or a place without changes, were stored.
    pub(super) fn stored(&self, origin: &Origin) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if let Some(announced) = origin.announce_time.and_then(from_timestamp) {
            let late = SystemClock.now() - announced;
            self.late.note(late.as_seconds_f64(), self.labels);
        }
    }
}
