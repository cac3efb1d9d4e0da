//! What reaches the homes of a day, as data: a message to every family, and who reads it.

use rand_chacha::ChaCha8Rng;

use super::act::Act;
use super::options::Window;
use super::plan::{self, Day, Moment, bell, between, chance, moment};

/// When the city tells every family something.
pub(super) const NOTICE: Moment = moment(16, 0);
/// When inboxes are read.
pub(super) const READING: Window = between((17, 0), (21, 0));

/// How many of a thousand families read theirs.
const READERS: u32 = 50;

/// The first of the random streams that the families of schools have.
const FIRST_STREAM: u64 = 2 << 32;

/// The random stream of the families of a school.
pub(super) fn stream(seed: u64, school: u32) -> ChaCha8Rng {
    plan::stream(seed, FIRST_STREAM + u64::from(school))
}

impl Day {
    /// Which families of a class group read their inbox.
    pub(super) fn readers(&mut self, pupils: u32, group: u32, rng: &mut ChaCha8Rng) {
        for pupil in 0..pupils {
            if chance(rng, READERS) {
                self.push(bell(rng, READING), Act::ReadInbox { group, pupil });
            }
        }
    }
}
