//! An open loop over a part of the day: each act begins when it is due, whatever became of those before.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use indicatif::ProgressBar;
use kit::clock::ManualClock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::act::Act;
use super::kind::Kind;
use super::options::Window;
use super::plan::{BUSY, Due, Moment, SWABS};
use super::tally::{Outcome, Tallies, Tally};

/// How often the clock of the services is moved on.
const TICK: Duration = Duration::from_millis(5);
/// How often the bar is told.
const TOLD_EVERY: usize = 64;

/// What bounds the acts that are under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How many may be at once: those that find no room begin late, which counts.
    pub(super) at_once: u32,
    /// What has no answer by then has failed.
    pub(super) patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            at_once: 4096,
            patience: Duration::from_secs(30),
        }
    }
}

/// How much faster than in reality the time of the day passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speed {
    /// While the city comes to school.
    pub(super) busy: f64,
    /// While swabs are scanned.
    pub(super) swabs: f64,
    /// At all other hours.
    pub(super) quiet: f64,
}

impl Speed {
    /// The same at every hour.
    pub(super) fn even(speed: f64) -> Self {
        Self {
            busy: speed,
            swabs: speed,
            quiet: speed,
        }
    }
}

/// How the time of the day passes.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    pub(super) window: Window,
    pub(super) speed: Speed,
    /// When the window begins, by the clock of the services.
    pub(super) begin: DateTime<Utc>,
    pub(super) clock: ManualClock,
    pub(super) bounds: Bounds,
}

impl Pace {
    /// The stretches up to a moment, each as long as in reality and with its speed.
    fn stretches(&self, until: Moment) -> [(Duration, f64); 5] {
        let Speed { busy, swabs, quiet } = self.speed;
        let ends = [
            (BUSY.from, quiet),
            (BUSY.to, busy),
            (SWABS.from, quiet),
            (SWABS.to, swabs),
            (Moment::MAX, quiet),
        ];
        let mut begin = self.window.from;
        ends.map(|(end, speed)| {
            let span = end.min(until).saturating_sub(begin);
            begin = begin.max(end);
            (Duration::from_millis(span.into()), speed)
        })
    }

    /// How long after the beginning a moment comes.
    fn until(&self, moment: Moment) -> Duration {
        let stretches = self.stretches(moment).into_iter();
        stretches.map(|(span, speed)| span.div_f64(speed)).sum()
    }

    /// How much of the day is over when so much time has passed.
    fn reached(&self, mut passed: Duration) -> Duration {
        let mut reached = Duration::ZERO;
        for (span, speed) in self.stretches(Moment::MAX) {
            let done = passed.mul_f64(speed).min(span);
            reached += done;
            passed = passed.saturating_sub(done.div_f64(speed));
        }
        reached
    }

    /// Moves the clock of the services on for as long as it is polled.
    async fn tick(self, begun: Instant) {
        loop {
            let reached = self.reached(begun.elapsed());
            // In whole milliseconds, as instants are stored.
            let reached = i64::try_from(reached.as_millis()).unwrap_or_default();
            self.clock
                .set(self.begin + TimeDelta::milliseconds(reached));
            sleep(TICK).await;
        }
    }
}

/// What became of a part of the day.
#[derive(Clone, Debug)]
pub(super) struct Driven {
    pub(super) tallies: Vec<(Kind, Tally)>,
    /// How much faster than in reality the busy hours passed, as far as the last act ended in time.
    pub(super) factor: f64,
    /// Until the last act had ended.
    pub(super) wall: Duration,
}

/// Begins each act at its time and waits until all have ended. Each is timed from when it was due, so a
/// service or a client that stalls cannot hide it. `perform` runs at the beginning of each act.
///
/// # Errors
/// When an act came to no end at all.
pub(super) async fn drive<F, Fut>(
    dues: &[Due],
    pace: &Pace,
    bar: &ProgressBar,
    mut perform: F,
) -> anyhow::Result<Driven>
where
    F: FnMut(Act) -> Fut,
    Fut: Future<Output = anyhow::Result<Outcome>> + Send + 'static,
{
    let tallies = Arc::new(Tallies::default());
    let Bounds { at_once, patience } = pace.bounds;
    let room = Arc::new(Semaphore::new(at_once as usize));
    pace.clock.set(pace.begin);
    let begun = Instant::now();
    // It stops with this set.
    let mut clockwork = JoinSet::new();
    clockwork.spawn(pace.clone().tick(begun));
    for (number, due) in dues.iter().enumerate() {
        let intended = begun + pace.until(due.at);
        if intended > Instant::now() {
            sleep_until(intended).await;
        }
        let permit = room.clone().acquire_owned().await?;
        let kind = due.act.kind();
        tallies.begin(kind, intended.elapsed());
        let (act, tallies) = (perform(due.act), tallies.clone());
        tokio::spawn(async move {
            let answer = match timeout(patience, act).await {
                Ok(answer) => answer,
                Err(_) => Err(anyhow!("NO_ANSWER")),
            };
            tallies.end(kind, answer, intended.elapsed());
            drop(permit);
        });
        if number.is_multiple_of(TOLD_EVERY) {
            bar.set_position(number as u64);
        }
    }
    drop(room.acquire_many(at_once).await?);
    let span = pace.until(pace.window.to);
    sleep_until(begun + span).await;
    let wall = begun.elapsed();
    let tallies = tallies.told();
    for (kind, tally) in &tallies {
        ensure!(tally.lost() == 0, "{} of {kind:?} were lost", tally.lost());
    }
    let factor = span.as_secs_f64() * pace.speed.busy / wall.as_secs_f64();
    Ok(Driven {
        tallies,
        factor,
        wall,
    })
}

#[cfg(test)]
mod tests {
    use kit::clock::Clock as _;

    use super::super::plan::MINUTE;
    use super::*;

    /// A minute of the day at so many times its speed.
    fn pace(speed: f64) -> Pace {
        let begin = "2022-04-06T23:00:00Z".parse().unwrap();
        Pace {
            window: Window {
                from: 420 * MINUTE,
                to: 421 * MINUTE,
            },
            speed: Speed::even(speed),
            begin,
            clock: ManualClock::at(begin),
            bounds: Bounds::default(),
        }
    }

    /// Acts that are equally far from each other.
    fn acts(count: u32) -> Vec<Due> {
        let sign = |school| Due {
            at: 420 * MINUTE + school * (MINUTE / count),
            act: Act::Sign { school },
        };
        (0..count).map(sign).collect()
    }

    fn signatures(driven: &Driven) -> &Tally {
        let (kind, tally) = &driven.tallies[Kind::Signature as usize];
        assert_eq!(*kind, Kind::Signature);
        tally
    }

    #[tokio::test]
    async fn acts_begin_at_their_time_whatever_became_of_those_before() {
        // Nobody is served until the last of fifty has come.
        let (gate, mut begins) = (Arc::new(Semaphore::new(0)), Vec::new());
        let (pace, begun) = (pace(600.0), Instant::now());
        let perform = |act| {
            begins.push((act, begun.elapsed()));
            if begins.len() == 50 {
                gate.add_permits(50);
            }
            let gate = gate.clone();
            async move {
                gate.acquire().await?.forget();
                Ok(Outcome::Done)
            }
        };
        let driven = drive(&acts(50), &pace, &ProgressBar::hidden(), perform)
            .await
            .unwrap();
        for (school, (act, begin)) in (0..).zip(begins) {
            assert_eq!(act, Act::Sign { school });
            assert!(
                begin >= Duration::from_millis(2) * school,
                "{school}: {begin:?}"
            );
        }
        let tally = signatures(&driven);
        assert_eq!((tally.begun, tally.taken.len()), (50, 50));
        let longest = tally.taken.iter().max().unwrap();
        assert!(*longest >= Duration::from_millis(98), "{longest:?}");
        assert!(driven.factor <= 600.0, "{}", driven.factor);
    }

    #[tokio::test]
    async fn the_clock_of_the_services_goes_as_fast_and_never_ahead() {
        let (pace, begun) = (pace(600.0), Instant::now());
        let mut seen = Vec::new();
        let perform = |_| {
            let passed = pace.clock.now() - pace.begin;
            seen.push((passed.to_std().unwrap(), begun.elapsed() * 600));
            std::future::ready(Ok(Outcome::Done))
        };
        drive(&acts(4), &pace, &ProgressBar::hidden(), perform)
            .await
            .unwrap();
        assert_eq!(seen.len(), 4);
        assert!(
            seen.iter().all(|(clock, passed)| clock <= passed),
            "{seen:?}"
        );
        assert!(pace.clock.now() > pace.begin);
    }

    #[test]
    fn quiet_hours_pass_faster_and_the_clock_and_the_acts_agree() {
        let day = Pace {
            window: Window {
                from: 390 * MINUTE,
                to: 1290 * MINUTE,
            },
            speed: Speed {
                busy: 4.0,
                swabs: 10.0,
                quiet: 60.0,
            },
            ..pace(1.0)
        };
        // 30 minutes before everybody comes, 110 minutes of that, 10 until swabs are scanned, 150 of those, 600
        // afterwards.
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!(day.until(390 * MINUTE), Duration::ZERO);
        assert_eq!(day.until(420 * MINUTE), seconds(30));
        assert_eq!(day.until(424 * MINUTE), seconds(90));
        assert_eq!(day.until(530 * MINUTE), seconds(30 + 1650));
        assert_eq!(day.until(540 * MINUTE), seconds(30 + 1650 + 10));
        assert_eq!(day.until(690 * MINUTE), seconds(30 + 1650 + 10 + 900));
        let all = seconds(30 + 1650 + 10 + 900 + 600);
        assert_eq!(day.until(1290 * MINUTE), all);
        for minute in [0, 7, 30, 31, 139, 140, 141, 150, 151, 299, 300, 899] {
            let passed = day.until((390 + minute) * MINUTE);
            let off = day
                .reached(passed)
                .abs_diff(seconds(60 * u64::from(minute)));
            assert!(off < Duration::from_millis(1), "{minute}: {off:?}");
        }
        let within = Pace {
            window: Window {
                from: 480 * MINUTE,
                to: 490 * MINUTE,
            },
            ..day
        };
        assert_eq!(within.until(490 * MINUTE), seconds(150));
    }

    #[tokio::test]
    async fn who_finds_no_room_begins_late_and_what_has_no_answer_has_failed() {
        let pace = Pace {
            bounds: Bounds {
                at_once: 1,
                patience: Duration::from_millis(150),
            },
            ..pace(6000.0)
        };
        let dues = [acts(1)[0]; 2];
        let driven = drive(&dues, &pace, &ProgressBar::hidden(), |_| {
            std::future::pending()
        })
        .await
        .unwrap();
        let tally = signatures(&driven);
        assert_eq!((tally.begun, tally.refusals()), (2, 2));
        assert_eq!(tally.refused["NO_ANSWER"], 2);
        assert!(tally.late >= 1, "the second waits for the first");
        assert!(driven.wall >= Duration::from_millis(300));
    }
}
