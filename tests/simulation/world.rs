//! One run: its seed, its time, and what befalls its hosts until it has become calm again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kit::clock::Clock;
use turmoil::Sim;

use crate::chance::Chance;
use crate::database::{Trouble, Weather};
use crate::trace::Trace;

/// When every simulation begins, in milliseconds since 1970: the morning of a school day.
pub(crate) const EPOCH: i64 = 1_649_289_600_000;
/// How often it is thrown for what befalls a host, and looked whether everything is at rest.
const ROUND: Duration = Duration::from_millis(50);

/// Hosts that are dead, and until when.
type Dead = BTreeMap<&'static str, Duration>;
/// Hosts between which nothing passes, and until when.
type Held = Vec<(&'static str, &'static str, Duration)>;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) trace: Trace,
    pub(crate) trouble: Arc<Trouble>,
}

/// What befalls hosts besides their statements, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    /// Who may die, and live again.
    pub(crate) mortal: Vec<&'static str>,
    /// Who may be without answers of the database.
    pub(crate) silent: Vec<&'static str>,
    /// Between whom nothing may pass for a while.
    pub(crate) linked: Vec<&'static str>,
    /// Of the rounds of 50 ms, in how many each of the three befalls.
    pub(crate) often: f64,
    /// The longest silence, in milliseconds.
    pub(crate) silence: u64,
    /// When it becomes calm.
    pub(crate) rough: Duration,
    /// When everything must be at rest.
    pub(crate) longest: Duration,
}

/// The time of a simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VirtualClock;

impl Clock for VirtualClock {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(now()).expect("an instant of our time")
    }
}

/// The present instant in milliseconds since 1970, as a host sees it.
pub(crate) fn now() -> i64 {
    let elapsed = turmoil::sim_elapsed().unwrap_or_default().as_millis();
    EPOCH + i64::try_from(elapsed).unwrap_or_default()
}

impl World {
    /// The run with this seed; of some seeds nothing befalls anybody.
    pub(crate) fn new(seed: u64) -> Self {
        let chance = Chance::of(seed, "weather");
        let weather = if seed.is_multiple_of(8) {
            Weather {
                way: 4,
                ..Weather::default()
            }
        } else {
            Weather {
                fails: chance.one(&[0.0, 0.002, 0.01, 0.03]),
                dies: chance.one(&[0.0, 0.0005, 0.002, 0.005]),
                way: chance.one(&[0, 4, 20]),
            }
        };
        Self {
            seed,
            trace: Trace::default(),
            trouble: Arc::new(Trouble::new(seed, weather)),
        }
    }

    /// A simulation in which nothing runs yet and time passes in steps of `tick`.
    pub(crate) fn simulation<'a>(&self, tick: Duration) -> Sim<'a> {
        let chance = Chance::of(self.seed, "network");
        turmoil::Builder::new()
            .rng_seed(self.seed)
            .epoch(std::time::UNIX_EPOCH + Duration::from_millis(EPOCH.unsigned_abs()))
            .tick_duration(tick)
            .min_message_latency(Duration::from_millis(0))
            .max_message_latency(Duration::from_millis(chance.one(&[2, 10, 50])))
            .simulation_duration(Duration::from_secs(3600))
            .enable_random_order()
            .build()
    }

    /// Runs it through the storm and then until `rests`.
    ///
    /// # Errors
    /// When a host fails, or it does not come to rest.
    pub(crate) fn drive(
        &self,
        sim: &mut Sim<'_>,
        storm: &Storm,
        mut rests: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let chance = Chance::of(self.seed, "storm");
        let mut dead = Dead::new();
        let mut held = Held::new();
        let (mut next, mut calm) = (ROUND, false);
        loop {
            sim.step().map_err(|err| err.to_string())?;
            let now = sim.elapsed();
            let millis = EPOCH + i64::try_from(now.as_millis()).unwrap_or_default();
            for host in self.trouble.dying() {
                self.die(sim, &mut dead, (host, now, &chance));
            }
            let back: Vec<&'static str> = dead
                .iter()
                .filter(|(_, until)| **until <= now)
                .map(|(host, _)| *host)
                .collect();
            for host in back {
                dead.remove(host);
                self.trace.note(millis, format_args!("{host} lives again"));
                sim.bounce(host);
            }
            held.retain(|(one, other, until)| {
                let over = *until <= now || now >= storm.rough;
                if over {
                    sim.release(*one, *other);
                }
                !over
            });
            if now < next {
                continue;
            }
            next = now + ROUND;
            if now < storm.rough {
                self.befall(sim, storm, (&chance, now), (&mut dead, &mut held));
            } else if !calm {
                calm = true;
                self.trace.note(millis, format_args!("it becomes calm"));
                self.trouble.turn(Weather {
                    way: 2,
                    ..Weather::default()
                });
            } else if rests() {
                return Ok(());
            } else if now > storm.longest {
                return Err(format!("does not come to rest within {:?}", storm.longest));
            }
        }
    }

    fn die(
        &self,
        sim: &mut Sim<'_>,
        dead: &mut Dead,
        (host, now, chance): (&'static str, Duration, &Chance),
    ) {
        if dead.contains_key(host) {
            return;
        }
        let millis = EPOCH + i64::try_from(now.as_millis()).unwrap_or_default();
        self.trace.note(millis, format_args!("{host} dies"));
        sim.crash(host);
        let rest = Duration::from_millis(chance.between(10, 1500));
        dead.insert(host, now + rest);
    }

    /// One throw for each thing that may befall.
    fn befall(
        &self,
        sim: &mut Sim<'_>,
        storm: &Storm,
        (chance, now): (&Chance, Duration),
        (dead, held): (&mut Dead, &mut Held),
    ) {
        let millis = EPOCH + i64::try_from(now.as_millis()).unwrap_or_default();
        if self.seed.is_multiple_of(8) {
            return;
        }
        if !storm.mortal.is_empty() && chance.hits(storm.often) {
            let host = chance.one(&storm.mortal);
            self.trouble.befell("a process dies", host);
            self.die(sim, dead, (host, now, chance));
        }
        if !storm.silent.is_empty() && chance.hits(storm.often) {
            let host = chance.one(&storm.silent);
            let until =
                millis + i64::try_from(chance.between(20, storm.silence)).unwrap_or_default();
            self.trace
                .note(millis, format_args!("{host} hears nothing until {until}"));
            self.trouble.silence(host, until);
        }
        if storm.linked.len() > 1 && chance.hits(storm.often) {
            let (one, other) = (chance.one(&storm.linked), chance.one(&storm.linked));
            if one != other && held.iter().all(|(a, b, _)| (*a, *b) != (one, other)) {
                let until = now + Duration::from_millis(chance.between(20, 1000));
                self.trace
                    .note(millis, format_args!("nothing passes from {one} to {other}"));
                self.trouble.befell("nothing passes", one);
                sim.hold(one, other);
                held.push((one, other, until));
            }
        }
    }
}
