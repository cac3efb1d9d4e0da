//! What operators are told of what time alone makes due: how long ago each of those who look for it has looked.

use kit::telemetry::figures::{Beat, Name};

use super::Base;

const AGE: Name = Name::seconds(
    "campus.safety.timer.age",
    "How long ago what looks for what time makes due has looked to its end, by what it looks after",
);

/// A timer of this replica, which beats at each look that came to its end.
pub(crate) fn timer(base: &Base, timer: &'static str) -> Beat {
    AGE.beats([
        ("service", base.store.database().service()),
        ("timer", timer),
    ])
}
