//! Which counts of people by what is sensitive about them may be shown (rules 6.12, 6.14; `privacy.k` of the
//! policy): none of a few people, and none from which such a one can be computed. Pure.
//!
//! A count is judged among those with which it adds up: [`hidden`] judges the parts of one sum, [`see_at`]
//! those of a tree of places, where each place has the sum of what is below it. What is shown then gives
//! nothing away by addition and subtraction. It is not judged against counts that overlap, nor against those
//! of another time.

mod sums;
mod tree;

#[cfg(test)]
mod tests;

pub use sums::{Sum, hidden};
pub use tree::{is_hidden, see_at, sum_at};

/// A count as somebody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// How many.
    Shown(u32),
    /// Few, or many from whom few could be told: which of both is not said either.
    Hidden,
}

impl Seen {
    /// The count, hidden or not.
    pub fn new(count: u32, hidden: bool) -> Self {
        if hidden {
            Self::Hidden
        } else {
            Self::Shown(count)
        }
    }

    /// How many, where it is shown.
    pub fn count(self) -> Option<u32> {
        match self {
            Self::Shown(count) => Some(count),
            Self::Hidden => None,
        }
    }
}

/// A count of some among all. Those that add up are of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    part: u32,
    whole: u32,
    rest: bool,
}

impl Part {
    /// A count of all.
    pub fn all(count: u32) -> Self {
        Self {
            part: count,
            whole: count,
            rest: false,
        }
    }

    /// A count of some of `whole`. Those who are left over are as sensitive as those who are counted.
    pub fn of(part: u32, whole: u32) -> Self {
        Self {
            rest: true,
            ..Self::among(part, whole)
        }
    }

    /// A count of some of `whole`. Nothing is told of those who are left over.
    pub fn among(part: u32, whole: u32) -> Self {
        Self {
            part,
            whole: whole.max(part),
            rest: false,
        }
    }

    /// How many are counted.
    pub fn count(self) -> u32 {
        self.part
    }

    /// Of how many.
    pub fn whole(self) -> u32 {
        self.whole
    }
}

impl std::ops::AddAssign for Part {
    fn add_assign(&mut self, other: Self) {
        self.part = self.part.saturating_add(other.part);
        self.whole = self.whole.saturating_add(other.whole);
        self.rest = self.rest || other.rest;
    }
}

/// What is hidden from somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Veil {
    /// Counts below this are hidden; 0 hides nothing.
    below: u32,
    /// That there is nobody is hidden too.
    nobody: bool,
}

impl Veil {
    /// Everything is seen: by whoever may read whom a count counts.
    pub const NONE: Self = Self {
        below: 0,
        nobody: false,
    };

    /// Of a single record, such as one class group's check: whether anybody is counted is seen, how many
    /// are is not.
    pub const RECORD: Self = Self {
        below: u32::MAX,
        nobody: false,
    };

    /// Counts from 1 to below `k` are hidden. That nobody is counted is seen.
    pub fn below(k: u32) -> Self {
        Self {
            below: k,
            nobody: false,
        }
    }

    /// That nobody is counted is hidden like few: nobody learns whether there is anything at all.
    #[must_use]
    pub fn over_nobody(self) -> Self {
        Self {
            nobody: self.below > 0,
            ..self
        }
    }

    /// The count from which on one is not hidden for being small; 0 when nothing is hidden.
    pub fn limit(self) -> u32 {
        if self.nobody || self.below > 1 {
            self.below
        } else {
            0
        }
    }

    /// A count that adds up with no other.
    pub fn see(self, count: u32) -> Seen {
        Seen::new(count, self.covers(Part::all(count)))
    }

    /// Whether a count is hidden for what it is by itself: few are counted, or few of many are left over.
    pub fn covers(self, part: Part) -> bool {
        let few = part.part < self.below && (part.part > 0 || self.nobody);
        let left = part.whole - part.part;
        few || (part.rest && part.whole >= self.below && 0 < left && left < self.below)
    }
}
