//! Whether the weather lets pupils come later, as it was read a moment ago: whoever comes late on one
//! morning does not cost a query each.

use std::time::Duration;

use chrono::NaiveDate;
use moka::sync::Cache;

use super::{Gatehouse, School};
use crate::app::weather::delayed;

/// How many days of schools are remembered: of a whole city, the present one and those that gates without
/// a network tell of.
const REMEMBERED: u64 = 20_000;

/// What was read. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Delays(Cache<(String, NaiveDate), bool>);

impl Delays {
    /// Remembers each reading for `moment`.
    pub(super) fn new(moment: Duration) -> Self {
        let cache = Cache::builder().max_capacity(REMEMBERED);
        Self(cache.time_to_live(moment).build())
    }
}

impl Gatehouse {
    /// Whether the weather lets pupils come later on a day (rules 5.25, 5.27). It is a note: where it
    /// cannot be read nobody is kept out.
    pub(super) async fn delayed(&self, school: &School, day: NaiveDate) -> bool {
        let key = (school.id.clone(), day);
        if let Some(known) = self.delays.0.get(&key) {
            return known;
        }
        let db = self.store.database().read();
        match Box::pin(delayed(db, &school.id, day, self.clock.today())).await {
            Ok(delayed) => {
                self.delays.0.insert(key, delayed);
                delayed
            }
            Err(err) => {
                tracing::warn!(error = %err, "cannot read whether the weather delays arrival");
                false
            }
        }
    }
}
