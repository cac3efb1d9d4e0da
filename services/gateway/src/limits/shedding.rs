//! Who is let through to a service that has as much to do as it can, and who has to give way.
//!
//! How much a service can do at once is found out by asking for more until it says that it is too much:
//! one more for each time round without a complaint, a tenth less after one (additive increase,
//! multiplicative decrease). How long answers take says nothing here: some methods take a millisecond
//! and others a second. Each class of calls has a share of what can be done, the most urgent the largest,
//! so when the room shrinks the least urgent give way first.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::options::access::Priority;
use serde::Deserialize;
use tokio::time::Instant;

/// One complaint counts for this long: those who were let in together complain together.
const TOGETHER: Duration = Duration::from_millis(100);
/// What is left after a complaint.
const LEFT: f64 = 0.9;

/// How much a service is asked for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheddingConfig {
    /// Never fewer calls that wait for their answer than these.
    #[serde(default = "default_least")]
    pub least: usize,
    /// Never more than these.
    #[serde(default = "default_most")]
    pub most: usize,
    /// Never more streams at work than these, such as imports, snapshots and scans, each until its end.
    #[serde(default = "default_streams")]
    pub streams: usize,
    /// Never more streams than these that watch what happens.
    #[serde(default = "default_watches")]
    pub watches: usize,
}

fn default_least() -> usize {
    64
}

fn default_most() -> usize {
    2048
}

fn default_streams() -> usize {
    1024
}

fn default_watches() -> usize {
    2048
}

impl Default for SheddingConfig {
    fn default() -> Self {
        Self {
            least: default_least(),
            most: default_most(),
            streams: default_streams(),
            watches: default_watches(),
        }
    }
}

impl SheddingConfig {
    /// Checks the settings; the error names the key.
    ///
    /// # Errors
    /// When nothing would be let through.
    pub fn check(self) -> Result<(), String> {
        if self.least == 0 || self.most < self.least {
            return Err("shedding.least: at least 1, at most shedding.most".to_owned());
        }
        if self.streams == 0 {
            return Err("shedding.streams: at least 1".to_owned());
        }
        if self.watches == 0 {
            return Err("shedding.watches: at least 1".to_owned());
        }
        Ok(())
    }
}

/// A room of one service.
#[derive(Debug)]
pub(crate) struct Room {
    least: usize,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: f64,
    inside: usize,
    cut: Option<Instant>,
}

/// A call's place in the room until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Room>);

impl Room {
    /// It begins with `most` places and never has fewer than `least`.
    pub(super) fn new(least: usize, most: usize) -> Arc<Self> {
        let state = State {
            limit: most as f64,
            inside: 0,
            cut: None,
        };
        Arc::new(Self {
            least,
            most,
            state: Mutex::new(state),
        })
    }

    /// How many places it has, and how many are taken.
    pub(crate) fn size(&self) -> (f64, usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.limit, state.inside)
    }

    /// A place for a call of this urgency; none when it has to give way.
    pub(crate) fn enter(self: &Arc<Self>, priority: Priority) -> Option<Slot> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if (state.inside as f64) < state.limit * share(priority) {
            state.inside += 1;
            return Some(Slot(self.clone()));
        }
        None
    }
}

/// The part of the room that calls of this urgency fill together with all others.
fn share(priority: Priority) -> f64 {
    match priority {
        Priority::Emergency => 1.25,
        Priority::Gate => 1.0,
        Priority::Results => 0.9,
        Priority::Normal | Priority::Unspecified => 0.8,
        Priority::Bulk => 0.5,
    }
}

impl Slot {
    /// The service answered: whether it had too much to do.
    pub(crate) fn answered(&self, overloaded: bool, now: Instant) {
        let (least, most) = (self.0.least, self.0.most);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !overloaded {
            // A room that is half empty says nothing of its size.
            if state.inside as f64 * 2.0 >= state.limit {
                state.limit = (state.limit + 1.0 / state.limit).min(most as f64);
            }
        } else if state.cut.is_none_or(|cut| now - cut >= TOGETHER) {
            state.limit = (state.limit * LEFT).max(least as f64);
            state.cut = Some(now);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.inside = state.inside.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Priority; 5] = [
        Priority::Emergency,
        Priority::Gate,
        Priority::Results,
        Priority::Normal,
        Priority::Bulk,
    ];

    #[test]
    fn the_less_urgent_gives_way_first() {
        let room = Room::new(1, 100);
        let mut inside = Vec::new();
        let mut last = Vec::new();
        for priority in ALL.into_iter().rev() {
            while let Some(slot) = room.enter(priority) {
                inside.push(slot);
            }
            last.push(inside.len());
        }
        assert_eq!(last, [50, 80, 90, 100, 125]);
        inside.pop();
        assert!(room.enter(Priority::Gate).is_none());
        assert!(room.enter(Priority::Emergency).is_some());
    }

    #[test]
    fn complaints_of_one_moment_count_once_and_calm_makes_room_again() {
        let (room, now) = (Room::new(10, 100), Instant::now());
        let slots: Vec<Slot> = std::iter::from_fn(|| room.enter(Priority::Normal)).collect();
        for slot in &slots {
            slot.answered(true, now);
        }
        let limit = || room.state.lock().unwrap().limit;
        assert!((limit() - 90.0).abs() < 1e-9);
        for round in 1..100 {
            slots[0].answered(true, now + TOGETHER * round);
        }
        assert!((limit() - 10.0).abs() < 1e-9, "never below the least");
        for _ in 0..1_000 {
            slots[0].answered(false, now);
        }
        assert!(limit() > 40.0);
    }

    proptest! {
        #[test]
        fn whoever_is_more_urgent_is_never_refused_where_a_less_urgent_one_is_let_in(filled in 0_usize..200, complaints in 0_u32..30) {
            let (room, now) = (Room::new(5, 100), Instant::now());
            let inside: Vec<Slot> = (0..filled).filter_map(|_| room.enter(Priority::Emergency)).collect();
            for (slot, round) in inside.iter().cycle().zip(0..complaints) {
                slot.answered(true, now + TOGETHER * round);
            }
            let let_in = ALL.map(|priority| room.enter(priority).is_some());
            prop_assert!(let_in.is_sorted_by(|more, less| more >= less), "{let_in:?}");
        }

        #[test]
        fn the_room_is_left_as_it_was_found(entries in prop::collection::vec(0_usize..5, 0..300)) {
            let room = Room::new(5, 100);
            let inside: Vec<_> = entries.into_iter().map(|place| room.enter(ALL[place])).collect();
            drop(inside);
            prop_assert_eq!(room.state.lock().unwrap().inside, 0);
        }
    }
}
