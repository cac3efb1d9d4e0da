//! Chance: all of it in a run follows from the seed of the run.

use std::hash::Hasher;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::trace::Fnv;

/// A stream of chance. Clones draw from the same one.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// The stream of `what` in the run with this seed: what one part of a run draws moves no other part.
    pub(crate) fn of(seed: u64, what: &str) -> Self {
        let mut hash = Fnv::default();
        hash.write_u64(seed);
        hash.write(what.as_bytes());
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(hash.finish()))))
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number from `from` to `to`, both among them.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        self.draw(|rng| rng.random_range(from..=to))
    }

    /// Whether something happens that happens so often of one time.
    pub(crate) fn hits(&self, often: f64) -> bool {
        self.draw(|rng| rng.random_bool(often))
    }

    /// One of several.
    pub(crate) fn one<T: Copy>(&self, of: &[T]) -> T {
        let at = self.draw(|rng| rng.random_range(0..of.len()));
        of[at]
    }

    /// A UUID.
    pub(crate) fn uuid(&self) -> uuid::Uuid {
        let bytes = self.draw(|rng| rng.random::<[u8; 16]>());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// From here on what the process asks the system for chance, it gets by `seed`: identifiers, jitter, in which
/// order maps are walked and branches of `select!` are looked at. Once in a process.
pub(crate) fn system_follows(seed: u64) {
    mad_turmoil::rand::set_rng(StdRng::seed_from_u64(seed));
}
