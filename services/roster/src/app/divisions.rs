//! The administrative divisions.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};

use super::App;
use crate::domain::division::{self, Division};
use crate::error::Error;

impl App {
    /// One division as it stands in the table.
    pub(crate) fn get_division(
        &self,
        caller: &Caller,
        code: &str,
    ) -> Result<&'static Division, Error> {
        caller.allowed(Permission::RosterRead)?;
        division::get(code).ok_or_else(|| unknown(code))
    }

    /// The divisions after the code `after`, with those retired when asked for.
    pub(crate) fn list_divisions(
        &self,
        caller: &Caller,
        show_retired: bool,
        after: &str,
    ) -> Result<impl Iterator<Item = &'static Division>, Error> {
        caller.allowed(Permission::RosterRead)?;
        let all = division::all(show_retired);
        Ok(all.skip_while(move |division| division.code <= after))
    }

    /// The division that a code means on a day (T22).
    pub(crate) fn resolve_division(
        &self,
        caller: &Caller,
        code: &str,
        day: NaiveDate,
    ) -> Result<&'static Division, Error> {
        caller.allowed(Permission::RosterRead)?;
        division::resolve(code, day).ok_or_else(|| unknown(code))
    }
}

fn unknown(code: &str) -> Error {
    Error::NotFound(format!("divisions/{code}"))
}
