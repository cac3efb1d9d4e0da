//! The administrative divisions of GB/T 2260: which code was in force when, and what took its
//! place (rule 7.1).

mod table;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;

use self::table::DIVISIONS;
use super::import;

/// An administrative division under one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// Six digits.
    pub code: &'static str,
    /// Shown to people.
    pub name: &'static str,
    /// The code of the division above; none for the topmost known.
    pub parent: Option<&'static str>,
    /// The first civil day of the code; none when before the table begins.
    pub valid_from: Option<NaiveDate>,
    /// The last civil day of the code; none while in use.
    pub valid_to: Option<NaiveDate>,
    /// The code that took its place.
    pub replaced_by: Option<&'static str>,
}

impl Division {
    /// Whether the code is in force on `day`.
    pub fn in_force(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// The division as it stands in the table.
pub fn get(code: &str) -> Option<&'static Division> {
    DIVISIONS.iter().find(|division| division.code == code)
}

/// Every division, ordered by code; with those retired when asked for.
pub fn all(show_retired: bool) -> impl Iterator<Item = &'static Division> {
    DIVISIONS
        .iter()
        .filter(move |division| show_retired || division.valid_to.is_none())
}

/// The division that `code` means on `day`: a retired code leads to its replacement. None when the
/// code is unknown, or neither it nor what replaced it is in force that day.
pub fn resolve(code: &str, day: NaiveDate) -> Option<&'static Division> {
    let mut division = get(code)?;
    while division.valid_to.is_some_and(|last| last < day) {
        division = get(division.replaced_by?)?;
    }
    division.in_force(day).then_some(division)
}

/// What an import is told of a code; fits [`import::Context`].
pub fn for_import(code: &str, day: NaiveDate) -> import::Division {
    match resolve(code, day) {
        Some(division) if division.code == code => import::Division::Current,
        Some(division) => import::Division::Retired(division.code),
        None => import::Division::Unknown,
    }
}
