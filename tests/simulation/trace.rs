//! What happened in a run, line by line: two runs are the same when their lines are.

use std::fmt;
use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The lines of one run. Clones write to the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    /// When the first and the last of them was written.
    span: Option<(i64, i64)>,
}

impl Trace {
    fn locked(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened at this virtual time, in milliseconds since 1970.
    pub(crate) fn note(&self, at: i64, what: fmt::Arguments<'_>) {
        let mut known = self.locked();
        let (first, _) = known.span.unwrap_or((at, at));
        known.span = Some((first, at));
        known.lines.push(format!("{:>6} {what}", at - first));
    }

    /// All lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.locked().lines.clone()
    }

    /// From the first to the last line, in milliseconds of virtual time.
    pub(crate) fn lasted(&self) -> i64 {
        self.locked().span.map_or(0, |(first, last)| last - first)
    }

    /// The hash of all lines so far.
    pub(crate) fn hash(&self) -> u64 {
        let mut hash = Fnv::default();
        for line in &self.locked().lines {
            hash.write(line.as_bytes());
            hash.write(b"\n");
        }
        hash.finish()
    }
}

/// FNV-1a: the same on every machine and in every process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
