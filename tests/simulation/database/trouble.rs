//! What befalls a database and those who use it: when, how often and to whom follows from the seed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chance::Chance;

/// How rough it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Of one statement, how often it fails.
    pub(crate) fails: f64,
    /// Of one statement that writes, how often the process that asks for it dies of it.
    pub(crate) dies: f64,
    /// The longest way of a statement to the database, and of its answer back, in milliseconds.
    pub(crate) way: u64,
}

/// What becomes of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing befalls it.
    Done,
    /// It never reaches the database.
    Lost,
    /// It is carried out and the answer never comes back.
    Unheard,
    /// The process dies before it is sent.
    DiesBefore,
    /// The process dies before it has the answer.
    DiesAfter,
}

impl Fate {
    /// As a report says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Lost => "a statement is lost",
            Self::Unheard => "an answer is lost",
            Self::DiesBefore => "a process dies before a statement",
            Self::DiesAfter => "a process dies after a statement",
        }
    }
}

/// The trouble of one run.
#[derive(Debug)]
pub(crate) struct Trouble {
    chance: Chance,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    weather: Weather,
    /// Hosts that are about to die.
    dying: Vec<&'static str>,
    /// Until when no answer reaches a host.
    silent: BTreeMap<&'static str, i64>,
    /// What befell, and how often.
    tally: BTreeMap<(&'static str, &'static str), u64>,
    /// What must never happen.
    wrong: Vec<String>,
    /// How many statements each host has sent that write.
    sent: BTreeMap<&'static str, u64>,
    /// The one of this number of this host has this fate.
    planned: Option<(&'static str, u64, Fate)>,
}

impl Trouble {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let known = Known {
            weather,
            ..Known::default()
        };
        Self {
            chance: Chance::of(seed, "trouble"),
            known: Mutex::new(known),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is so rough.
    pub(crate) fn turn(&self, weather: Weather) {
        let mut known = self.known();
        known.weather = weather;
        known.silent.clear();
        known.planned = None;
    }

    /// The statement of this number among those of `host` that write has this fate.
    pub(crate) fn plan(&self, host: &'static str, number: u64, fate: Fate) {
        self.known().planned = Some((host, number, fate));
    }

    /// What becomes of a statement of `host`.
    pub(crate) fn fate(&self, host: &'static str, writes: bool) -> Fate {
        let weather = self.known().weather;
        let mut fate = Fate::Done;
        if weather.fails > 0.0 && self.chance.hits(weather.fails) {
            let reads = [Fate::Lost];
            let either = [Fate::Lost, Fate::Unheard];
            fate = self
                .chance
                .one(if writes { &either[..] } else { &reads[..] });
        } else if writes && weather.dies > 0.0 && self.chance.hits(weather.dies) {
            fate = self.chance.one(&[Fate::DiesBefore, Fate::DiesAfter]);
        }
        let mut known = self.known();
        if writes {
            let sent = known.sent.entry(host).or_default();
            *sent += 1;
            let sent = *sent;
            let planned = known
                .planned
                .filter(|(of, at, _)| (*of, *at) == (host, sent));
            fate = planned.map_or(fate, |(.., planned)| planned);
        }
        if fate != Fate::Done {
            *known.tally.entry((fate.name(), host)).or_default() += 1;
        }
        if matches!(fate, Fate::DiesBefore | Fate::DiesAfter) {
            known.dying.push(host);
        }
        fate
    }

    /// How long one way takes, in milliseconds.
    pub(crate) fn way(&self) -> u64 {
        let longest = self.known().weather.way;
        if longest == 0 {
            0
        } else {
            self.chance.between(0, longest)
        }
    }

    /// No answer reaches `host` before this.
    pub(crate) fn silence(&self, host: &'static str, until: i64) {
        let mut known = self.known();
        known.silent.insert(host, until);
        *known.tally.entry(("no answers", host)).or_default() += 1;
    }

    /// Until when no answer reaches `host`.
    pub(crate) fn silent_until(&self, host: &'static str) -> i64 {
        self.known().silent.get(host).copied().unwrap_or_default()
    }

    /// Something else befell.
    pub(crate) fn befell(&self, what: &'static str, whom: &'static str) {
        *self.known().tally.entry((what, whom)).or_default() += 1;
    }

    /// The hosts that are to die now.
    pub(crate) fn dying(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.known().dying)
    }

    /// Something happened that never must.
    pub(crate) fn wrong(&self, what: String) {
        self.known().wrong.push(what);
    }

    /// What happened that never must.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.known().wrong.clone()
    }

    /// What befell whom, and how often.
    pub(crate) fn tally(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.known().tally.clone()
    }
}
