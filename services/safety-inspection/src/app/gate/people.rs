//! Who works somewhere, as the gates know it: whoever is named on a shift or for a hazard does.

use chrono::{DateTime, NaiveDate, Utc};

use super::Gatehouse;
use super::facts::Facts;
use crate::domain::person::{PersonKind, PersonName};
use crate::domain::resumption::late::LateReturn;
use crate::error::Error;

/// The people of the register. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct People(Facts);

impl Gatehouse {
    /// The people that its facts are of.
    pub(crate) fn people(&self) -> People {
        People(self.facts.clone())
    }
}

impl People {
    /// Whether the register knows `staff/{staff_member}` at work anywhere.
    pub(in crate::app) fn works(&self, name: &str) -> bool {
        let staff = name
            .parse()
            .ok()
            .filter(|person: &PersonName| person.kind == PersonKind::Staff);
        staff.is_some_and(|person| {
            self.0
                .with(|index| index.org_paths(person).next().is_some())
        })
    }

    /// Who at and below `place` must not return on `today`, and when the facts were last confirmed.
    pub(in crate::app) fn late_returns(
        &self,
        place: &str,
        today: NaiveDate,
    ) -> (Vec<LateReturn>, Option<DateTime<Utc>>) {
        let late = self.0.with(|index| index.late_returns(place, today));
        (late, self.0.time())
    }

    /// Reads what is stored and not yet in memory.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::app) async fn refresh(&self) -> Result<(), Error> {
        self.0.catch_up().await?;
        Ok(())
    }

    /// Refuses when somebody of `names` works nowhere. Before that it reads what is stored and not yet
    /// in memory.
    ///
    /// # Errors
    /// [`Error::StaffMemberUnknown`] of the first of them, or when the database fails.
    pub(in crate::app) async fn require<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let mut unknown = names.into_iter().filter(|name| !self.works(name));
        let Some(first) = unknown.next() else {
            return Ok(());
        };
        self.refresh().await?;
        match std::iter::once(first)
            .chain(unknown)
            .find(|name| !self.works(name))
        {
            None => Ok(()),
            Some(name) => Err(Error::StaffMemberUnknown(name.to_owned())),
        }
    }
}
