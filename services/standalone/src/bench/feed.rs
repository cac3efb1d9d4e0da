//! How long it takes until somebody who watches the feed of sampling through the gateway, in a process of
//! their own, sees what was written, while a thousand events a second are announced.
//!
//! What is written are checks that each find somebody away: one event each. Both processes go by the
//! machine's clock, to the millisecond.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use proto::roster::check_policy::Slot;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{AbsenceReason, CheckAbsence};
use tonic::Code;

use super::BenchArgs;
use super::floor::Floor;
use super::harness::{Answer, Bound, Figure, Latencies, Rounds};
use super::load;
use super::reporters::{Reporters, Roll};
use super::stand::{Stand, city_path};
use super::watcher::Watcher;

/// The pace of the open loop: so many events a second.
const PACE: f64 = 1000.0;
/// How long it is kept at most in each round.
const SPAN: Duration = Duration::from_secs(10);
/// How many clients the floor has, and for how long.
const CLIENTS: usize = 64;
const FLOOR_SPAN: Duration = Duration::from_secs(1);
/// Smaller class groups are left out: nobody is away on two days in a row.
const LEAST: usize = 10;
/// How long the watcher's token is valid: longer than a measurement's days.
const TERM: Duration = Duration::from_secs(120 * 24 * 3600);

/// A check that finds one pupil away.
#[derive(Clone)]
struct Write {
    group: usize,
    when: (NaiveDate, Slot),
    person: String,
    acknowledged: Arc<OnceLock<DateTime<Utc>>>,
}

/// What all rounds took.
#[derive(Default)]
struct Taken {
    floor: Rounds,
    written: Rounds,
    seen: Rounds,
    behind: Rounds,
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let stand = Stand::open(args).await?;
    let reporters = Reporters::of(&stand)?;
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let house = &stand.house;
    let token = house.token("bench-watcher", Role::PartnerSystem, &city_path()?, TERM);
    let mut watcher = Watcher::start(&house.gateway(), &token).await?;
    let mut taken = Taken::default();
    for round in 0..args.rounds as usize {
        taken.floor.add(floor.commits(CLIENTS, FLOOR_SPAN).await?);
        stand.next_school_day();
        stand.settled().await?;
        let writes = writes(&reporters, stand.clock.today(), round);
        measure(&reporters, writes, &mut watcher, &mut taken).await?;
    }
    drop(watcher);
    stand.house.close().await?;
    Ok(figures(&taken))
}

/// Morning and noon of each class group, of whom each finds somebody else away.
fn writes(reporters: &Reporters, day: NaiveDate, round: usize) -> Vec<Write> {
    let most = (PACE * SPAN.as_secs_f64()) as usize;
    let groups = |slot, place| {
        let known = (0..reporters.count()).filter(move |group| reporters.size(*group) >= LEAST);
        known.map(move |group| Write {
            group,
            when: (day, slot),
            person: reporters.person(group, place),
            acknowledged: Arc::default(),
        })
    };
    let morning = groups(Slot::Morning, 2 * round);
    let noon = groups(Slot::Noon, 2 * round + 1);
    morning.chain(noon).take(most).collect()
}

/// Writes at the pace, and waits until all of it was seen.
async fn measure(
    reporters: &Reporters,
    writes: Vec<Write>,
    watcher: &mut Watcher,
    taken: &mut Taken,
) -> anyhow::Result<()> {
    let begun = SystemClock.now();
    let submit = |write| submit(reporters.clone(), write);
    let written = load::open(PACE, writes.iter().cloned(), submit).await?;
    let done = |(place, write): (usize, &Write)| Some((place, *write.acknowledged.get()?));
    let acknowledged: BTreeMap<usize, _> = writes.iter().enumerate().filter_map(done).collect();
    ensure!(!acknowledged.is_empty(), "nothing was written");
    let people = acknowledged.keys().filter_map(|place| {
        let write = writes.get(*place)?;
        Some((&*write.person, *place))
    });
    let seen = watcher.saw(people.collect()).await?;
    let wall = since(begun, SystemClock.now());
    let late = seen.iter().map(|(place, at)| {
        let due = Duration::from_secs_f64(*place as f64 / PACE);
        since(begun, *at).saturating_sub(due)
    });
    taken.seen.add(Latencies::new(late.collect(), wall));
    let behind = seen.iter().filter_map(|(place, at)| {
        let acknowledged = acknowledged.get(place)?;
        Some(since(*acknowledged, *at))
    });
    taken.behind.add(Latencies::new(behind.collect(), wall));
    taken.written.add(written);
    Ok(())
}

/// How long after `begun` it was; nothing where it was before.
fn since(begun: DateTime<Utc>, at: DateTime<Utc>) -> Duration {
    (at - begun).to_std().unwrap_or_default()
}

/// Submits a check, which must be stored unless the services are overloaded.
async fn submit(reporters: Reporters, write: Write) -> anyhow::Result<Answer> {
    let absence = CheckAbsence {
        person: write.person,
        // Nobody is called for it, so that it is one event and no more.
        reason: AbsenceReason::WeatherDelay.into(),
    };
    let roll = Roll {
        absences: vec![absence],
        ..Roll::default()
    };
    let verdict = match reporters.report(write.group, write.when, roll).await {
        Err(status) if status.code() == Code::ResourceExhausted => return Ok(Answer::Overloaded),
        verdict => verdict?,
    };
    ensure!(verdict == Verdict::Stored, "a check was {verdict:?}");
    write.acknowledged.get_or_init(|| SystemClock.now());
    Ok(Answer::Done)
}

fn figures(taken: &Taken) -> Vec<Figure> {
    let Taken {
        floor,
        written,
        seen,
        behind,
    } = taken;
    let within =
        |name, share, most| Figure::alone(name, "ms", seen.ms(share), (Bound::AtMost, most));
    let told = |name, of: &Rounds, share| Figure::told(name, "ms", of.ms(share));
    vec![
        Figure::alone(
            "1,000 events/s begun on time, written",
            "/s",
            written.rate(),
            (Bound::AtLeast, 0.95 * PACE),
        ),
        within("begun → seen in another process, p50", 0.5, 20.0),
        within("begun → seen in another process, p99", 0.99, 100.0),
        told("begun → acknowledged, p50", written, 0.5),
        told("begun → acknowledged, p99", written, 0.99),
        told("acknowledged → seen, p50", behind, 0.5),
        told("acknowledged → seen, p99", behind, 0.99),
        Figure::alone(
            "turned away",
            "",
            written.overloaded() as f64,
            (Bound::AtMost, 0.0),
        ),
        Figure::ratio(
            "begun → seen ÷ a single-row commit, 64 clients, p50",
            "ms",
            floor.ms(0.5),
            seen.ms(0.5),
            (Bound::AtLeast, 0.0),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn rounds(milliseconds: u64) -> Rounds {
        let mut rounds = Rounds::default();
        let taken = vec![Duration::from_millis(milliseconds); 1000];
        rounds.add(Latencies::new(taken, Duration::from_secs(1)));
        rounds
    }

    #[test]
    fn what_is_seen_late_misses_its_target_whenever_it_was_acknowledged() {
        let taken = Taken {
            floor: rounds(1),
            written: rounds(5),
            seen: rounds(21),
            behind: rounds(16),
        };
        let figures = figures(&taken);
        let missed = figures.iter().filter(|figure| !figure.met);
        let missed: Vec<_> = missed.map(|figure| figure.name).collect();
        assert_eq!(missed, ["begun → seen in another process, p50"]);
    }

    #[test]
    fn what_is_seen_before_it_is_due_took_no_time() {
        let begun = DateTime::from_timestamp_millis(1_000).unwrap();
        let at = |millis| begun + TimeDelta::milliseconds(millis);
        assert_eq!(since(begun, at(7)), Duration::from_millis(7));
        assert_eq!(since(begun, at(-7)), Duration::ZERO);
    }
}
