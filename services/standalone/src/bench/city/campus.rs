//! What happens at a school beside its pupils and tubes, as data: who visits it, which hazards are found,
//! and who is on duty.

use std::ops::{Range, RangeInclusive};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::hazards::MOVES;
use super::act::Act;
use super::options::Window;
use super::plan::{self, Day, MINUTE, Moment, bell, between};

/// When visitors come.
pub(super) const VISITS: Window = between((8, 30), (17, 0));

/// When hazards are found.
pub(super) const HAZARDS: Window = between((8, 0), (15, 0));

/// When whoever has duty signs in, in the morning and for the night.
pub(super) const SIGN_ON: Window = between((7, 15), (8, 0));
pub(super) const HAND_OVER: Window = between((19, 10), (20, 0));
/// When the guard of the day makes each round: five a day (rule 5.13).
pub(super) const ROUNDS: [Window; 5] = [
    between((9, 0), (11, 0)),
    between((11, 0), (13, 0)),
    between((13, 0), (15, 0)),
    between((15, 0), (17, 0)),
    between((17, 0), (19, 0)),
];

/// How many visitors a school has: six on average.
const VISITORS: RangeInclusive<u32> = 3..=9;
/// How long before it a visit is asked for, and how long each of the two takes who agree to it.
const ASKED_BEFORE: Range<Moment> = 60 * MINUTE..110 * MINUTE;
const AGREED: Range<Moment> = 5 * MINUTE..25 * MINUTE;
/// How long a visitor stays.
const STAY: Range<Moment> = 10 * MINUTE..90 * MINUTE;

/// One school in so many finds a hazard.
const HAZARD_EVERY: u64 = 10;
/// How long each act on a hazard comes after the one before, from its verification until it is closed.
const HANDLED: [Range<Moment>; MOVES.len()] = [
    5 * MINUTE..30 * MINUTE,
    5 * MINUTE..30 * MINUTE,
    5 * MINUTE..60 * MINUTE,
    20 * MINUTE..90 * MINUTE,
    5 * MINUTE..60 * MINUTE,
    2 * MINUTE..15 * MINUTE,
];

/// The first of the random streams that schools have for this.
const FIRST_STREAM: u64 = 1 << 32;

/// Somebody who visits a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) school: u32,
    /// When the visitor goes.
    pub(super) leave: Moment,
}

/// The random stream of a school, apart from that of its pupils.
pub(super) fn stream(seed: u64, school: u32) -> ChaCha8Rng {
    plan::stream(seed, FIRST_STREAM + u64::from(school))
}

/// Whether a school finds a hazard that day: others do the next day.
pub(super) fn has_hazard(school: u32, schools: usize, seed: u64) -> bool {
    let every = HAZARD_EVERY.min(schools as u64).max(1);
    u64::from(school) % HAZARD_EVERY == seed % every
}

impl Day {
    /// The visitors of a school: each asks for the visit, is agreed to, comes and goes.
    pub(super) fn visitors(&mut self, school: u32, rng: &mut ChaCha8Rng) {
        for _ in 0..rng.random_range(VISITORS) {
            let visit = self.visits.len() as u32;
            let arrive = bell(rng, VISITS);
            let ask = arrive - rng.random_range(ASKED_BEFORE);
            let confirm = ask + rng.random_range(AGREED);
            let approve = confirm + rng.random_range(AGREED);
            let leave = arrive + rng.random_range(STAY);
            self.push(ask, Act::AskVisit { visit });
            self.push(confirm, Act::ConfirmVisit { visit });
            self.push(approve, Act::ApproveVisit { visit });
            self.push(arrive, Act::Arrive { visit });
            self.push(leave, Act::Depart { visit });
            self.visits.push(Visit { school, leave });
        }
    }

    /// A hazard of a school: it is reported and acted on until it is closed.
    pub(super) fn hazard(&mut self, school: u32, rng: &mut ChaCha8Rng) {
        let hazard = self.hazards.len() as u32;
        let mut at = bell(rng, HAZARDS);
        self.push(at, Act::Report { hazard });
        for (step, after) in (0..).zip(HANDLED) {
            at += rng.random_range(after);
            self.push(at, Act::Handle { hazard, step });
        }
        self.hazards.push(school);
    }

    /// The duty of a school is signed in to in the morning and handed over in the evening, with rounds between.
    pub(super) fn duty(&mut self, school: u32, rng: &mut ChaCha8Rng) {
        self.push(bell(rng, SIGN_ON), Act::SignOn { school });
        self.push(bell(rng, HAND_OVER), Act::HandOver { school });
        for (round, window) in (0..).zip(ROUNDS) {
            self.push(bell(rng, window), Act::Patrol { school, round });
        }
    }
}
