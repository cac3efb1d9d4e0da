//! How long what there is lasts, and what needs attention.

use chrono::{Days, NaiveDate};

use super::item::{Heads, Item};
use super::ledger::Holding;

/// A lot that expires within as many days needs attention.
const EXPIRING: Days = Days::new(30);

/// What needs attention; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Less than the minimum can be used.
    BelowMinimum = 1,
    /// A lot expires soon.
    Expiring = 2,
    /// An expired lot is still there.
    Expired = 3,
}

/// What there is of one item on a civil day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// All that is there.
    pub quantity: u64,
    /// What may be used.
    pub usable: u64,
    /// What a day takes; 0 for what is not used up.
    pub daily: u64,
    /// The least that has to be there.
    pub minimum: u64,
    /// What needs attention.
    pub alerts: Vec<Alert>,
}

impl Level {
    /// Of an item at a campus that has to last for `days`.
    pub fn of(item: &Item, holding: &Holding, heads: Heads, days: u32, today: NaiveDate) -> Self {
        let (usable, minimum) = (holding.usable(today), item.minimum(heads, days));
        let soon = today + EXPIRING;
        let expired = holding.lots().any(|(lot, _)| lot.expires < today);
        let mut expiring = holding.lots().filter(|(lot, _)| lot.expires >= today);
        let expiring =
            expiring.any(|(lot, _)| lot.expires <= soon && lot.expires != NaiveDate::MAX);
        let alerts = [
            (usable < minimum, Alert::BelowMinimum),
            (expiring, Alert::Expiring),
            (expired, Alert::Expired),
        ];
        let alerts = alerts.into_iter().filter(|(needed, _)| *needed);
        Self {
            quantity: holding.quantity(),
            usable,
            daily: item.daily(heads),
            minimum,
            alerts: alerts.map(|(_, alert)| alert).collect(),
        }
    }

    /// Whole days that the usable stock lasts; none for what is not used up.
    pub fn cover(&self) -> Option<u32> {
        let days = self.usable.checked_div(self.daily)?;
        Some(u32::try_from(days).unwrap_or(u32::MAX))
    }

    /// What may be given away.
    pub fn spare(&self) -> u64 {
        self.usable.saturating_sub(self.minimum)
    }

    /// What lacks to the minimum.
    pub fn missing(&self) -> u64 {
        self.minimum.saturating_sub(self.usable)
    }
}

/// Whole days on which the scarcest item that is used up lasts (rule 4.5): none when one of them was
/// never recorded, or nobody is there to use it, so that nothing is known.
pub fn cover<'a>(
    stocks: impl IntoIterator<Item = (&'a Item, Option<&'a Holding>)>,
    heads: Heads,
    today: NaiveDate,
) -> Option<u32> {
    let used_up = stocks.into_iter();
    let used_up = used_up.filter(|(item, _)| item.daily_use.is_some());
    let days = used_up.map(|(item, holding)| Level::of(item, holding?, heads, 0, today).cover());
    let days: Option<Vec<u32>> = days.collect();
    days?.into_iter().min()
}

/// The first day on which an item needs attention if nothing is entered any more: it falls below
/// `minimum`, or a lot expires soon. The end of time when it never does.
pub fn attention(holding: &Holding, minimum: u64, today: NaiveDate) -> NaiveDate {
    if holding.usable(today) < minimum {
        return today;
    }
    // The first lot to expire asks for attention before its end can leave too little.
    let mut ends = holding.lots().map(|(lot, _)| lot.expires);
    let first = ends.next().filter(|day| *day != NaiveDate::MAX);
    first
        .and_then(|day| day.checked_sub_days(EXPIRING))
        .unwrap_or(NaiveDate::MAX)
}
