//! Ids of decisions: those of one process sort as they were made, also within a millisecond, because what
//! happened to a person is read in that order.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Gives ids. Clones share the order.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids(Arc<Mutex<ContextV7>>);

impl Ids {
    /// The next id.
    pub(super) fn next(&self, now: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let nanos = now.timestamp_subsec_nanos();
        Uuid::new_v7(Timestamp::from_unix(&*self.0, seconds, nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_instant_sort_as_they_were_made() {
        let ids = Ids::default();
        let made: Vec<Uuid> = (0..1000).map(|_| ids.next(DateTime::UNIX_EPOCH)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
    }
}
