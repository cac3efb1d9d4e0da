//! How far a directive has come (rule 5.39).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use uuid::Uuid;

use super::directives::{Directives, directive_name};
use crate::domain::chain::Level;
use crate::domain::policy;
use crate::domain::recipient::Below;
use crate::error::Error;
use crate::store::Store;
use crate::store::progress::{Count, Signed};

/// How far a directive has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// By level, from the top.
    pub(crate) levels: Vec<LevelProgress>,
    /// By place.
    pub(crate) districts: Vec<DistrictProgress>,
    /// Every district is done, and whoever else the orderer reaches is accepted.
    pub(crate) done: bool,
    /// The share in force at the orderer, in percent.
    pub(crate) done_percent: i32,
}

/// The recipients of one level.
#[derive(Clone, Debug)]
pub(crate) struct LevelProgress {
    /// Summed over all districts.
    pub(crate) count: Count,
    /// Minutes from the order until the first, half, nine of ten and all had signed; none where fewer have.
    pub(crate) minutes: [Option<i64>; 4],
}

/// One bureau that passes a directive on, and the schools below it.
#[derive(Clone, Debug)]
pub(crate) struct DistrictProgress {
    /// The organisation id.
    pub(crate) organization: String,
    /// The schools.
    pub(crate) schools: Count,
    /// How many of them must be accepted.
    pub(crate) required: i32,
}

impl DistrictProgress {
    /// Enough of its schools are accepted.
    pub(crate) fn is_done(&self) -> bool {
        self.schools.accepted >= self.required
    }
}

impl Directives {
    /// How far a directive of an organisation has come, for those who may read there.
    pub(crate) async fn progress(
        &self,
        caller: &Caller,
        organization: &str,
        id: Uuid,
    ) -> Result<Progress, Error> {
        let permission = Permission::DirectiveRead;
        let orderer = self.organization(caller, permission, organization).await?;
        let (store, now) = (&self.base.store, self.base.clock.now());
        let db = store.database().read();
        let found = store.directive(db, organization, id).await?;
        let directive = found.ok_or_else(|| Error::NotFound(directive_name(organization, id)))?;
        let counts = Store::progress(db, id, now).await?;
        let levels = by_level(&counts);
        let levels: Vec<Count> = levels.into_values().collect();
        let signed = Store::signed(db, id, &levels).await?;
        let places = Store::districts(db, id).await?;
        let policies = Store::policies(db).await?;
        let percent_at =
            |place: &str| policy::in_force(&policies, place, civil_date(now)).done_percent;
        let districts: Vec<_> = places
            .into_iter()
            .map(|(district, place)| district_progress(district, percent_at(&place), &counts))
            .collect();
        let levels = levels.into_iter().map(|count| LevelProgress {
            minutes: minutes(
                directive.issued,
                signed.iter().find(|one| one.level == count.level),
            ),
            count,
        });
        Ok(Progress {
            levels: levels.collect(),
            done: is_done(&districts, &counts),
            districts,
            done_percent: percent_at(orderer.path.as_str()),
        })
    }
}

/// The counts summed over all districts.
fn by_level(counts: &[Count]) -> BTreeMap<Level, Count> {
    let mut levels = BTreeMap::new();
    for count in counts {
        levels
            .entry(count.level)
            .and_modify(|sum: &mut Count| sum.add(count))
            .or_insert_with(|| Count {
                district: String::new(),
                ..count.clone()
            });
    }
    levels
}

fn district_progress(organization: String, percent: i32, counts: &[Count]) -> DistrictProgress {
    let mut schools = counts.iter();
    let schools = schools.find(|one| one.level == Level::School && one.district == organization);
    let none = || Count::none(Level::School, organization.clone());
    let schools = schools.cloned().unwrap_or_else(none);
    let below = Below {
        all: schools.recipients,
        accepted: schools.accepted,
        percent,
    };
    DistrictProgress {
        required: below.required(),
        organization,
        schools,
    }
}

/// Something was issued, every district is done, and whoever else the orderer reaches is accepted.
fn is_done(districts: &[DistrictProgress], counts: &[Count]) -> bool {
    let direct = |one: &&Count| one.district.is_empty() && one.level != Level::ClassGroup;
    let mut direct = counts.iter().filter(direct);
    !counts.is_empty()
        && districts.iter().all(DistrictProgress::is_done)
        && direct.all(|one| one.accepted == one.recipients)
}

fn minutes(issued: Option<DateTime<Utc>>, signed: Option<&Signed>) -> [Option<i64>; 4] {
    let (Some(issued), Some(signed)) = (issued, signed) else {
        return [None; 4];
    };
    [signed.first, signed.median, signed.p90, signed.last]
        .map(|at| at.map(|at| (at - issued).num_minutes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(level: Level, district: &str, recipients: i32, accepted: i32) -> Count {
        Count {
            recipients,
            accepted,
            ..Count::none(level, district.to_owned())
        }
    }

    fn done(percent: i32, counts: &[Count]) -> bool {
        let of = |district: &str| district_progress(district.to_owned(), percent, counts);
        is_done(&[of("b1"), of("b2")], counts)
    }

    #[test]
    fn a_district_is_done_when_its_schools_are() {
        let with = |first, second, municipal| {
            [
                count(Level::District, "b1", 1, 0),
                count(Level::District, "b2", 1, 0),
                count(Level::School, "b1", 40, first),
                count(Level::School, "b2", 10, second),
                count(Level::School, "", 2, municipal),
                count(Level::ClassGroup, "b1", 400, 7),
            ]
        };
        assert!(done(100, &with(40, 10, 2)));
        assert!(!done(100, &with(39, 10, 2)));
        assert!(!done(100, &with(40, 10, 1)));
        assert!(done(95, &with(38, 10, 2)));
        assert!(!done(95, &with(38, 9, 2)), "nine and a half of ten are ten");
        assert!(!is_done(&[], &[]), "nothing was issued");
    }

    #[test]
    fn levels_are_summed_over_districts() {
        let counts = [
            count(Level::School, "b1", 40, 30),
            count(Level::District, "b1", 1, 0),
            count(Level::School, "", 2, 1),
        ];
        let levels: Vec<_> = by_level(&counts).into_values().collect();
        let told: Vec<_> = levels
            .iter()
            .map(|c| (c.level, c.recipients, c.accepted))
            .collect();
        assert_eq!(told, [(Level::District, 1, 0), (Level::School, 42, 31)]);
    }
}
