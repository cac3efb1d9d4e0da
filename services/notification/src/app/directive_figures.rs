//! How the directives in force stand at an organisation, for bureaus that look at all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::clock::civil_date;

use super::Organization;
use super::directives::Directives;
use crate::domain::place::{leaf, places_above};
use crate::error::Error;
use crate::store::Store;
use crate::store::directive_sums::InForce;

/// The directives in force at one organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DirectiveFigures {
    /// The place of the organisation.
    pub(crate) org_path: String,
    /// Those that organisations at or below it ordered.
    pub(crate) in_force: i64,
    /// Bureaus and schools that these, and those that came down through it, have reached.
    pub(crate) reached: i64,
    /// Of them, those who signed.
    pub(crate) acknowledged: i64,
    /// Of them, those whose report is accepted.
    pub(crate) accepted: i64,
    /// Of those who signed, the late ones.
    pub(crate) late: i64,
    /// Of the others, those whose time to sign is over.
    pub(crate) overdue: i64,
    /// Directives that it owes itself.
    pub(crate) owed: i64,
    /// Of them, those of which something is overdue.
    pub(crate) owed_overdue: i64,
}

impl DirectiveFigures {
    fn at(org_path: &str) -> Self {
        Self {
            org_path: org_path.to_owned(),
            ..Self::default()
        }
    }

    fn add(&mut self, more: &InForce) {
        for (sum, more) in [
            (&mut self.reached, more.reached),
            (&mut self.acknowledged, more.acknowledged),
            (&mut self.accepted, more.accepted),
            (&mut self.late, more.late),
            (&mut self.overdue, more.overdue),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Adds up by organisation: what was ordered at or below it, which `ordered` names by its id, and what came
/// down through it as a district. What belongs to none of `figures` is left out.
fn add_up<'a>(
    figures: &mut BTreeMap<String, DirectiveFigures>,
    rows: &'a [InForce],
    ordered: impl Fn(&'a str) -> Option<&'a str>,
) {
    let mut known = BTreeSet::new();
    for row in rows {
        let own = ordered(&row.orderer);
        let id = own.unwrap_or(&row.district);
        let Some(sums) = figures.get_mut(id) else {
            continue;
        };
        sums.add(row);
        if own.is_some() && known.insert((id, row.directive)) {
            sums.in_force += 1;
        }
    }
}

impl Directives {
    /// The figures of an organisation, and when they were read.
    pub(crate) async fn figures(
        &self,
        organization: &Organization,
    ) -> Result<(DirectiveFigures, DateTime<Utc>), Error> {
        let path = organization.path.as_str();
        let id = organization.id.as_str();
        let mut figures = BTreeMap::from([(id.to_owned(), DirectiveFigures::at(path))]);
        let (rows, now) = self.in_force(path).await?;
        add_up(&mut figures, &rows, |orderer| {
            crate::domain::place::contains(path, orderer).then_some(id)
        });
        let figures = figures.remove(id).unwrap_or_default();
        let mut all = self.with_owed(vec![figures], now).await?;
        Ok((all.pop().unwrap_or_default(), now))
    }

    /// The figures of the organisations right below one, after a place, and when they were read.
    pub(crate) async fn figures_below(
        &self,
        organization: &Organization,
        after: &str,
        limit: u64,
    ) -> Result<(Vec<DirectiveFigures>, DateTime<Utc>), Error> {
        let path = organization.path.as_str();
        let db = self.base.store.database().read();
        let places = Store::places_right_below(db, path, after, limit).await?;
        let figures = places.iter().map(|place| {
            let id = leaf(place).to_owned();
            (id, DirectiveFigures::at(place))
        });
        let mut figures: BTreeMap<String, DirectiveFigures> = figures.collect();
        let (rows, now) = self.in_force(path).await?;
        add_up(&mut figures, &rows, |orderer| {
            let below = orderer.strip_prefix(path)?.strip_prefix('/')?;
            below.split('/').next()
        });
        let listed = places.iter();
        let listed = listed.filter_map(|place| figures.remove(leaf(place)));
        let listed = self.with_owed(listed.collect(), now).await?;
        Ok((listed, now))
    }

    async fn in_force(&self, path: &str) -> Result<(Vec<InForce>, DateTime<Utc>), Error> {
        let now = self.base.clock.now();
        let above: Vec<&str> = places_above(path).collect();
        let db = self.base.store.database().read();
        Ok((Store::in_force(db, path, &above, now).await?, now))
    }

    async fn with_owed(
        &self,
        mut figures: Vec<DirectiveFigures>,
        now: DateTime<Utc>,
    ) -> Result<Vec<DirectiveFigures>, Error> {
        let db = self.base.store.database().read();
        let places = figures.iter().map(|one| one.org_path.as_str());
        let places: Vec<&str> = places.collect();
        let owed = Store::owed_at(db, places, (now, civil_date(now))).await?;
        for one in &mut figures {
            (one.owed, one.owed_overdue) = owed.get(&one.org_path).copied().unwrap_or_default();
        }
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(directive: u128, orderer: &str, district: &str, reached: i64) -> InForce {
        InForce {
            directive: Uuid::from_u128(directive),
            orderer: orderer.to_owned(),
            district: district.to_owned(),
            reached,
            acknowledged: 0,
            accepted: 0,
            late: 0,
            overdue: 0,
        }
    }

    #[test]
    fn a_district_has_what_it_ordered_and_what_came_down_through_it() {
        let rows = [
            row(1, "fz", "350102", 10),
            row(1, "fz", "350103", 20),
            row(1, "fz", "", 1),
            row(2, "fz/350102", "", 5),
            row(3, "fz/350102/a", "", 0),
        ];
        let ids = ["350102", "350103", "350104"];
        let figures = ids.map(|id| (id.to_owned(), DirectiveFigures::default()));
        let mut figures = BTreeMap::from(figures);
        add_up(&mut figures, &rows, |orderer| {
            orderer.strip_prefix("fz/")?.split('/').next()
        });
        let found = ids.map(|id| (figures[id].in_force, figures[id].reached));
        assert_eq!(found, [(2, 15), (0, 20), (0, 0)]);
    }

    #[test]
    fn the_city_has_all_that_was_ordered_in_it_each_once() {
        let rows = [
            row(1, "fz", "350102", 10),
            row(1, "fz", "350103", 20),
            row(2, "fz/350102", "", 5),
        ];
        let mut figures = BTreeMap::from([("fz".to_owned(), DirectiveFigures::default())]);
        add_up(&mut figures, &rows, |_| Some("fz"));
        assert_eq!((figures["fz"].in_force, figures["fz"].reached), (2, 35));
    }
}
