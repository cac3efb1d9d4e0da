//! The ledger of one item at one campus: what each entry changes. Stock never falls below nothing,
//! and the changes add up to it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::numbered::numbered;

/// The most that a campus keeps of one item.
pub const MOST: u64 = 1_000_000_000_000;

numbered! {
    /// What happened; the numbers are those of the contract.
    Kind {
        /// Bought or donated.
        Receipt = 1,
        /// Handed out.
        Issue = 2,
        /// Counted.
        Count = 3,
        /// Expired or damaged, and removed.
        WriteOff = 4,
        /// Sent to another campus.
        TransferOut = 5,
        /// Received from another campus.
        TransferIn = 6,
        /// Sent to another campus and taken back.
        TransferBack = 7,
    }
}

/// A lot. Those that expire first come first, those that never do last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lot {
    /// The last day on which it may be used; the end of time when it never expires.
    pub expires: NaiveDate,
    /// The number of the maker; may be empty.
    pub number: String,
}

/// What of what there is an entry takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// So much of a lot came.
    In(Lot, u64),
    /// So much goes, of what may be used, first to expire first.
    Out(u64),
    /// So much of one lot goes, which may be used.
    OutOf(Lot, u64),
    /// So much of one lot is removed, whether it may be used or not.
    Removed(Lot, u64),
    /// There is so much of a lot.
    Counted(Lot, u64),
}

/// By how much a lot grew or shrank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The lot.
    pub lot: Lot,
    /// Positive when it grew.
    pub by: i64,
}

/// Why an entry is refused; nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is not as much to take.
    #[error("only {0} are there")]
    Insufficient(u64),
    /// There would be more than a campus keeps.
    #[error("more than {MOST}")]
    TooMuch,
}

/// What there is of each lot, none of them empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding(BTreeMap<Lot, u64>);

impl FromIterator<(Lot, u64)> for Holding {
    fn from_iter<I: IntoIterator<Item = (Lot, u64)>>(lots: I) -> Self {
        Self(lots.into_iter().filter(|(_, there)| *there > 0).collect())
    }
}

impl Holding {
    /// Every lot, first to expire first.
    pub fn lots(&self) -> impl Iterator<Item = (&Lot, u64)> {
        self.0.iter().map(|(lot, there)| (lot, *there))
    }

    /// All that is there.
    pub fn quantity(&self) -> u64 {
        self.0.values().sum()
    }

    /// What may be used on a civil day.
    pub fn usable(&self, today: NaiveDate) -> u64 {
        let good = self.lots().filter(|(lot, _)| lot.expires >= today);
        good.map(|(_, there)| there).sum()
    }

    /// What there is of one lot.
    pub fn of(&self, lot: &Lot) -> u64 {
        self.0.get(lot).copied().unwrap_or_default()
    }

    /// Makes an entry on a civil day, and tells what it changes.
    ///
    /// # Errors
    /// When there is not as much to take, or would be too much.
    pub fn enter(&mut self, entry: &Entry, today: NaiveDate) -> Result<Vec<Change>, Refusal> {
        match entry {
            Entry::In(lot, quantity) => {
                let after = self.of(lot).saturating_add(*quantity);
                self.set(lot, after).map(Vec::from_iter)
            }
            Entry::Out(quantity) => self.take(*quantity, today),
            Entry::OutOf(lot, _) if lot.expires < today => Err(Refusal::Insufficient(0)),
            Entry::OutOf(lot, quantity) | Entry::Removed(lot, quantity) => {
                let there = self.of(lot);
                let after = there.checked_sub(*quantity);
                let after = after.ok_or(Refusal::Insufficient(there))?;
                self.set(lot, after).map(Vec::from_iter)
            }
            Entry::Counted(lot, quantity) => self.set(lot, *quantity).map(Vec::from_iter),
        }
    }

    fn take(&mut self, quantity: u64, today: NaiveDate) -> Result<Vec<Change>, Refusal> {
        let usable = self.usable(today);
        if usable < quantity {
            return Err(Refusal::Insufficient(usable));
        }
        let good = self.lots().filter(|(lot, _)| lot.expires >= today);
        let good: Vec<(Lot, u64)> = good.map(|(lot, there)| (lot.clone(), there)).collect();
        let (mut left, mut changes) = (quantity, Vec::new());
        for (lot, there) in good {
            let part = left.min(there);
            left -= part;
            changes.extend(self.set(&lot, there - part)?);
        }
        Ok(changes)
    }

    fn set(&mut self, lot: &Lot, after: u64) -> Result<Option<Change>, Refusal> {
        let before = self.of(lot);
        let others = self.quantity() - before;
        if others.saturating_add(after) > MOST {
            return Err(Refusal::TooMuch);
        }
        if after == 0 {
            self.0.remove(lot);
        } else {
            self.0.insert(lot.clone(), after);
        }
        // Both are at most the most that is kept, so neither conversion loses anything.
        let by = after.cast_signed() - before.cast_signed();
        Ok((by != 0).then(|| Change {
            lot: lot.clone(),
            by,
        }))
    }
}
