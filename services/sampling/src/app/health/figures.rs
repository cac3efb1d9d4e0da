//! What operators are told of the duties of the day: checks that are missing after their deadline, and
//! deadlines that passed without anybody having acted. Sums of the city; no school, no class group.

use kit::drain::Drain;
use kit::telemetry::figures::{self, Figure, Name};

use super::super::App;
use crate::domain::health::rules::Slot;
use crate::domain::health::tally::DayTally;
use crate::error::Error;
use crate::store::health::{days, deadlines};

const EXPECTED: Name = Name::count(
    "campus.sampling.checks.expected",
    "Checks of today that were expected when their time was over",
);
const MISSING: Name = Name::count(
    "campus.sampling.checks.missing",
    "Of the checks of today that were expected, those that nobody has submitted yet",
);
const SUBMITTED: Name = Name::count(
    "campus.sampling.checks.submitted",
    "Checks of today that were submitted",
);
const LATE: Name = Name::count(
    "campus.sampling.checks.late",
    "Checks of today that were submitted after their time",
);
const DEADLINES: Name = Name::count(
    "campus.sampling.deadlines.due",
    "Deadlines that have passed and were not acted on yet, a thousand at most",
);
const OLDEST: Name = Name::seconds(
    "campus.sampling.deadlines.age",
    "How long ago the first of them passed",
);
/// More deadlines are not counted.
const MOST: u64 = 1000;

/// The figures of one check of the day.
struct Told {
    slot: Slot,
    expected: Figure,
    missing: Figure,
    submitted: Figure,
    late: Figure,
}

impl Told {
    fn of(service: &'static str, slot: Slot) -> Self {
        let name = match slot {
            Slot::Morning => "morning",
            Slot::Noon => "noon",
            Slot::Evening => "evening",
        };
        let labels = [("service", service), ("slot", name)];
        Self {
            slot,
            expected: EXPECTED.kept(labels),
            missing: MISSING.kept(labels),
            submitted: SUBMITTED.kept(labels),
            late: LATE.kept(labels),
        }
    }

    fn set(&self, city: &DayTally) {
        let tally = city.slot(self.slot);
        self.expected.set(f64::from(tally.expected));
        self.missing.set(f64::from(tally.missing()));
        self.submitted.set(f64::from(tally.submitted));
        self.late.set(f64::from(tally.late));
    }
}

/// Looks at the day until the drain.
pub(crate) async fn tell(app: App, drain: Drain) {
    let service = app.db.service();
    let slots = Slot::ALL.map(|slot| Told::of(service, slot));
    let due = DEADLINES.kept([("service", service)]);
    let oldest = OLDEST.kept([("service", service)]);
    figures::keep(drain, || look(&app, &slots, (&due, &oldest))).await;
}

async fn look(app: &App, slots: &[Told], (due, oldest): (&Figure, &Figure)) -> Result<(), Error> {
    let db = app.db.read();
    let mut city = DayTally::default();
    for (_, tally) in days::of_day(db, "", app.today()).await? {
        city.add(&tally);
    }
    for slot in slots {
        slot.set(&city);
    }
    let now = app.clock.now().timestamp_millis();
    let passed = deadlines::due(db, now, MOST).await?;
    due.set(passed.len() as f64);
    let since = passed.first().map_or(0, |first| now - first.due);
    oldest.set(since as f64 / 1000.0);
    Ok(())
}
