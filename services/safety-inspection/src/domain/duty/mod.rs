//! The duty watch: rosters without gaps, shifts that are taken and handed over, swaps, patrols
//! (rules 5.13, 5.30, 5.31).

mod patrol;
mod phone;
mod roster;
mod shift;
mod shift_state;
mod swap;
mod template;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use patrol::{Day, Passing, PatrolStanding, Route, missed, patrols, rounds, unmade};
pub use phone::{covered, is_phone};
pub use roster::{Demands, Hole, Planned, Roster, RosterState, RosterStep, hole, holes_around};
pub use shift::{Arrival, Handover, Note, Shift};
pub use shift_state::{ShiftState, ShiftStep, Standing};
pub use swap::{Swap, SwapState, SwapStep};
pub use template::{Season, Team, Template, city_instant, generate};

/// Why a roster, shift or swap refuses; it stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The step does not start from this state.
    #[error("it is {0}")]
    State(&'static str),
    /// Nobody is on duty meanwhile.
    #[error("nobody is on duty from {} to {}", .0.start, .0.end)]
    Gap(Span),
    /// A shift has too few people beside its leader.
    #[error("the shift of {start} has {count} people, not {required}")]
    TooFew {
        /// When it begins.
        start: DateTime<Utc>,
        /// How many it has.
        count: usize,
        /// How many it should have.
        required: usize,
    },
    /// Somebody would be on another shift when this one begins.
    #[error("somebody would be on two shifts at {0}")]
    Overlap(DateTime<Utc>),
    /// Nobody is at a key post.
    #[error("the shift of {start} has nobody as {post}")]
    KeyPost {
        /// The post.
        post: String,
        /// When the shift begins.
        start: DateTime<Utc>,
    },
    /// It is too early or too late; this would be the time.
    #[error("only from {} to {}", .0.start, .0.end)]
    Time(Span),
    /// It is not for this person.
    #[error("not for this person")]
    Person,
    /// There is no written handover, or no shift follows.
    #[error("there is no written handover, or no shift follows")]
    Handover,
    /// A swap is asked for a day ahead, by then.
    #[error("a swap is asked for by {0}")]
    SwapTooLate(DateTime<Utc>),
}

/// A time: the start is in it, the end is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// From.
    pub start: DateTime<Utc>,
    /// Until.
    pub end: DateTime<Utc>,
}

impl Span {
    /// Whether an instant is in it.
    pub fn contains(self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether the two have an instant in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` is wholly in it.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// How long it is.
    pub fn length(self) -> TimeDelta {
        self.end - self.start
    }
}

/// Somebody at a key post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The post, such as `GUARD`.
    pub post: String,
    /// `staff/{staff_member}`.
    pub staff_member: String,
}

/// Those who are on duty together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    /// `staff/{staff_member}`: the leader.
    pub leader: String,
    /// `staff/{staff_member}`: the others.
    pub staff: Vec<String>,
    /// Who is at which key post.
    pub posts: Vec<Post>,
    /// The telephone of the watch, which answers meanwhile; empty where none was named.
    #[serde(default)]
    pub phone: String,
}

impl Crew {
    /// Everybody of it; somebody with two tasks comes twice.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        let posts = self.posts.iter().map(|post| &*post.staff_member);
        let staff = self.staff.iter().map(String::as_str);
        std::iter::once(&*self.leader).chain(staff).chain(posts)
    }

    /// Whether somebody is of it.
    pub fn has(&self, person: &str) -> bool {
        self.members().any(|member| member == person)
    }

    /// The same with one person in place of another.
    fn with(mut self, person: &str, substitute: &str) -> Self {
        let posts = self.posts.iter_mut().map(|post| &mut post.staff_member);
        let everybody = std::iter::once(&mut self.leader)
            .chain(&mut self.staff)
            .chain(posts);
        for member in everybody.filter(|member| **member == person) {
            substitute.clone_into(member);
        }
        self
    }
}
