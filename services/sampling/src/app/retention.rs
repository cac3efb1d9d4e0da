//! Removes what was kept for as long as the policy of its place says (rules 6.3, 6.13), unless an emergency or what is
//! not over keeps it. One replica does so at a time, a few rows in each transaction, and goes on where it stopped.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use kit::clock::civil_date;
use kit::destruction::Heard;
use kit::drain::Drain;
use kit::feed::announce;
use kit::lease::{self, Lease};
use kit::telemetry::figures::{Count, Name};
use uuid::Uuid;

use super::App;
use super::destruction::gone;
use crate::domain::day::Day;
use crate::domain::retention::{Before, Period, Region, regions};
use crate::error::Error;
use crate::store::destruction::Span;
use crate::store::policy::Facts;
use crate::store::retention::parts::{CHECKS, PARTS};
use crate::store::retention::readings::{self, Cleared, Place, TABLES, Table};
use crate::store::retention::{Aged, Old};
use crate::store::rolls;

const REMOVED: Name = Name::count(
    "campus.retention.removed",
    "Rows that were kept long enough, by what they were and, of deliveries, by state",
);
/// As what a check that lost its normal temperatures is counted.
const TEMPERATURES: &str = "temperatures";
/// The name of the lease.
const LEASE: &str = "retention";
/// Renewed with each transaction.
const TTL: Duration = Duration::from_secs(30);
/// How often to look at the clock; what is old is looked for once in each of its hours.
const PERIOD: Duration = Duration::from_secs(1);
/// How many rows of a table one transaction removes.
const BATCH: u64 = 500;
/// How many checks one transaction writes anew at most.
const TOGETHER: usize = 500;
/// How many transactions one sweep makes for each table and region at most; the rest waits for the next one.
const STEPS: usize = 1_000;
/// How many days of checks it does.
const DAYS: usize = 100;

/// Removes what is too old.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    app: App,
    drain: Drain,
    holder: String,
    /// How many rows were removed, by what they were.
    removed: Count,
}

/// Whether a sweep goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    GoesOn,
    /// Another replica is at it, or this one stops.
    Ends,
}

/// What emergencies say of one category.
#[derive(Debug, Default)]
struct Kept {
    /// The times of those that are open, or were until after a time.
    waiting: Vec<Span>,
    /// The times of those of which the category is kept.
    ordered: Vec<Span>,
}

impl Kept {
    /// Emergencies of which a category is looked at; what was gathered for one is as old as its end.
    fn of(heard: &[Heard], category: &str, before: Before) -> Self {
        let mut kept = Self::default();
        for one in heard {
            if one.kept.contains(category) {
                kept.ordered.push(span(one));
            } else if one.end.is_none_or(|end| end >= before.instant) {
                kept.waiting.push(span(one));
            }
        }
        kept
    }
}

fn span(heard: &Heard) -> Span {
    let day = |millis: i64| -> Day {
        let at = DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default();
        civil_date(at).into()
    };
    let last = Day::from_number(u16::MAX);
    Span {
        start: heard.start,
        end: heard.end.unwrap_or(i64::MAX),
        first_day: day(heard.start),
        last_day: heard.end.map_or(last, day),
    }
}

impl Retention {
    fn new(app: App, drain: Drain) -> Self {
        Self {
            app,
            drain,
            holder: Uuid::new_v4().to_string(),
            removed: REMOVED.counted(),
        }
    }

    /// Looks once an hour until the drain.
    pub(crate) fn start(app: App, drain: Drain) {
        tokio::spawn(Self::new(app, drain).watch());
    }

    async fn watch(self) {
        let mut swept = None;
        loop {
            let now = self.app.clock.now();
            let hour = (now.date_naive(), now.hour());
            if swept != Some(hour) {
                match self.sweep(now).await {
                    Ok(()) => swept = Some(hour),
                    Err(err) => tracing::warn!(error = %err, "cannot remove what is too old yet"),
                }
            }
            if !self.drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    /// Removes what there is to remove, unless another replica is at it.
    async fn sweep(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let db = &self.app.db;
        let facts = self.app.facts.get(db.read()).await?;
        let heard = kit::destruction::emergencies(db.read()).await?;
        let today: Day = civil_date(now).into();
        for region in regions(&facts.policies, &self.places(&facts).await?, today) {
            let before = |period| {
                let days = region.periods.days(period);
                Before::days(days, now.timestamp_millis(), today)
            };
            for part in &PARTS {
                let before = before(part.period);
                let Kept { waiting, ordered } = Kept::of(&heard, part.category, before);
                let old = Old {
                    region: &region,
                    before,
                    kept: &[waiting, ordered].concat(),
                };
                if self.sweep_part(part, &old).await? == Sweep::Ends {
                    return Ok(());
                }
            }
            let before = before(Period::Temperature);
            if self.sweep_readings(&region, before, &heard).await? == Sweep::Ends {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Where the organisations of policies are.
    async fn places(&self, facts: &Facts) -> Result<BTreeMap<String, String>, Error> {
        let mut places = BTreeMap::new();
        for policy in &facts.policies {
            let Some(id) = &policy.organization else {
                continue;
            };
            if let Some(path) = rolls::organization_path(self.app.db.read(), id).await? {
                places.insert(id.clone(), path.to_string());
            }
        }
        Ok(places)
    }

    /// Removes old rows of one table, a part at a time.
    async fn sweep_part(&self, part: &Aged, old: &Old<'_>) -> Result<Sweep, Error> {
        if !part.any(self.app.db.read(), old).await? {
            return Ok(Sweep::GoesOn);
        }
        for _ in 0..STEPS {
            let Some(lease) = self.lease().await? else {
                return Ok(Sweep::Ends);
            };
            match self.step(&lease, part, old).await? {
                None => return Ok(Sweep::Ends),
                Some(count) if count < BATCH => break,
                Some(_) => {}
            }
        }
        Ok(Sweep::GoesOn)
    }

    /// The lease; none when another replica holds it, or this one stops.
    async fn lease(&self) -> Result<Option<Lease>, Error> {
        if self.drain.is_draining() {
            return Ok(None);
        }
        Ok(lease::take(&self.app.db, LEASE, &self.holder, TTL).await?)
    }

    /// Removes a few rows of a table, and tells the feed which entities left it; how many rows, none when the lease is
    /// lost.
    async fn step(&self, lease: &Lease, part: &Aged, old: &Old<'_>) -> Result<Option<u64>, Error> {
        let tx = self.app.db.begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(None);
        }
        let removed = part.remove(&tx, old, BATCH).await?;
        announce(&tx, gone(removed.leaving)).await?;
        tx.commit().await?;
        self.count(part.kind, removed.count);
        Ok(Some(removed.count))
    }

    /// Takes normal temperatures out of the checks of a region, day by day. What is only waited for stops it, so that
    /// these days are done once the wait is over.
    async fn sweep_readings(
        &self,
        region: &Region,
        before: Before,
        heard: &[Heard],
    ) -> Result<Sweep, Error> {
        let Kept { waiting, ordered } = Kept::of(heard, CHECKS, before);
        let first = waiting.iter().map(|span| span.first_day).min();
        let end = first.map_or(before.day, |first| first.min(before.day));
        let old = Old {
            region,
            before,
            kept: &ordered,
        };
        for _ in 0..DAYS {
            let db = self.app.db.read();
            let Some(day) = readings::next_day(db, &region.place, end).await? else {
                break;
            };
            for table in TABLES {
                if self.clear(table, &old, day).await? == Sweep::Ends {
                    return Ok(Sweep::Ends);
                }
            }
            if self.finish(&region.place, day).await? == Sweep::Ends {
                return Ok(Sweep::Ends);
            }
        }
        Ok(Sweep::GoesOn)
    }

    /// Does a day of one of the tables of checks.
    async fn clear(&self, table: Table, old: &Old<'_>, day: Day) -> Result<Sweep, Error> {
        let mut after = Some(Place::default());
        while let Some(from) = after {
            let Some(lease) = self.lease().await? else {
                return Ok(Sweep::Ends);
            };
            let tx = self.app.db.begin().await?;
            if !lease.holds(&tx).await? {
                return Ok(Sweep::Ends);
            }
            let Cleared { count, next } = table.clear(&tx, old, (day, &from), TOGETHER).await?;
            tx.commit().await?;
            self.count(TEMPERATURES, count);
            after = next;
        }
        Ok(Sweep::GoesOn)
    }

    /// Remembers that a day is done.
    async fn finish(&self, region: &str, day: Day) -> Result<Sweep, Error> {
        let Some(lease) = self.lease().await? else {
            return Ok(Sweep::Ends);
        };
        let tx = self.app.db.begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(Sweep::Ends);
        }
        readings::done(&tx, region, day).await?;
        tx.commit().await?;
        Ok(Sweep::GoesOn)
    }

    fn count(&self, kind: &'static str, count: u64) {
        if count > 0 {
            let service = self.app.db.service();
            let labels = [("service", service), ("kind", kind), ("state", "")];
            self.removed.add(count, labels);
        }
    }
}
