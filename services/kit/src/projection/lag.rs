//! How far a projection is behind its feed: how late changes were stored, and how long ago it heard anything.

use crate::db::Database;
use crate::feed::Origin;
use crate::field::from_timestamp;
use crate::telemetry::figures::{Beat, Name, Spans};

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
    /// Where it is stored.
    db: Database,
    labels: [(&'static str, &'static str); 2],
    late: Spans,
    heard: Beat,
}

impl Lag {
    /// Nothing was heard yet of what is stored there as `projection`.
    pub(super) fn of(db: Database, projection: &'static str) -> Self {
        let labels = [("service", db.service()), ("projection", projection)];
        Self {
            db,
            labels,
            late: LATE.lateness(),
            heard: HEARD.beats(labels),
        }
    }

    /// Changes from there, or a place without changes, were stored.
    pub(super) fn stored(&self, origin: &Origin) {
        self.heard.now();
        if let Some(announced) = origin.announce_time.and_then(from_timestamp) {
            let late = self.db.now() - announced;
            self.late.note(late.as_seconds_f64(), self.labels);
        }
    }
}
