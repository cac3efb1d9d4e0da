//! The three figures of rule 5.10 over many campuses.

use std::ops::AddAssign;

/// How many campuses meet one demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// All open schools and kindergartens: the denominator.
    pub campuses: u64,
    /// Said yes, and the evidence is good.
    pub met: u64,
    /// Said no.
    pub not_met: u64,
    /// Said yes, but the evidence has expired.
    pub lapsed: u64,
    /// Of those that meet it, confirmed by somebody else.
    pub confirmed: u64,
}

impl Figure {
    /// Campuses that said nothing, or whose version was returned; that is not a no.
    pub fn not_declared(&self) -> u64 {
        self.campuses
            .saturating_sub(self.met)
            .saturating_sub(self.not_met)
            .saturating_sub(self.lapsed)
    }

    /// Hundredths of a per cent of all campuses that meet it, rounded down; none without a campus.
    pub fn basis_points(&self) -> Option<u32> {
        self.share(self.met)
    }

    /// The same of those that meet it and were confirmed.
    pub fn confirmed_basis_points(&self) -> Option<u32> {
        self.share(self.confirmed)
    }

    fn share(&self, part: u64) -> Option<u32> {
        let points = part.saturating_mul(10_000).checked_div(self.campuses)?;
        u32::try_from(points).ok()
    }
}

impl AddAssign for Figure {
    fn add_assign(&mut self, other: Self) {
        self.campuses += other.campuses;
        self.met += other.met;
        self.not_met += other.not_met;
        self.lapsed += other.lapsed;
        self.confirmed += other.confirmed;
    }
}
