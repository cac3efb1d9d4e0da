//! Checks that were submitted, and those that are missing.

use kit::auth::{Caller, Permission};

use super::super::App;
use super::overdue::due_time;
use super::units::{Scope, UnitName, place_of};
use crate::domain::day::Day;
use crate::domain::health::check::Unit;
use crate::domain::health::rules::Slot;
use crate::error::Error;
use crate::store::health::checks::{self, CheckRow, SubmissionRow};
use crate::store::health::units::{self, Missing};
use crate::store::rolls::organization_path;

/// Most submissions shown with a check.
const SHOWN: usize = 100;
/// At least as many rows are read at once, since some of them may be of regions with other checks.
const PART: usize = 200;

/// A check that is missing, and when it is due in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) missing: Missing,
    pub(crate) due: i64,
}

impl App {
    /// What stands of one check, and the submissions that it stands in place of.
    pub(crate) async fn get_check(
        &self,
        caller: &Caller,
        unit: &UnitName,
        (day, slot): (Day, Slot),
    ) -> Result<(CheckRow, Vec<SubmissionRow>), Error> {
        let read = self.db.read();
        let school = organization_path(read, &unit.organization).await?;
        let school = school.map(|school| school.to_string());
        let place = place_of(caller, Permission::CheckRead, unit, school.as_ref())?;
        let name = || {
            format!(
                "{}/checks/{}",
                unit.name(),
                super::units::check_id(day, slot)
            )
        };
        let key = (day, slot, place);
        let found = checks::standing(read, std::iter::once(&key)).await?.pop();
        let row = found.ok_or_else(|| Error::NotFound(name()))?;
        if (row.unit()? == Unit::Room) != unit.is_room {
            return Err(Error::NotFound(name()));
        }
        let mut superseded = if row.submission_count > 1 {
            checks::superseded(read, std::iter::once(&key)).await?
        } else {
            Vec::new()
        };
        superseded.sort_by(|one, other| {
            let order = |row: &SubmissionRow| (row.submit_time, row.client.clone());
            order(one).cmp(&order(other))
        });
        superseded.truncate(SHOWN);
        Ok((row, superseded))
    }

    /// The checks of a slot, ordered by place after `after`.
    pub(crate) async fn list_checks(
        &self,
        caller: &Caller,
        scope: &Scope,
        (day, slot): (Day, Slot),
        after: &str,
        limit: u64,
    ) -> Result<Vec<CheckRow>, Error> {
        let range = self
            .range(caller, Permission::CheckRead, scope, after)
            .await?;
        Ok(checks::list(self.db.read(), (day, slot), &range, limit).await?)
    }

    /// Who is expected and has not submitted, ordered by place after `after`: at most `limit`.
    pub(crate) async fn list_missing(
        &self,
        caller: &Caller,
        scope: &Scope,
        (day, slot): (Day, Slot),
        after: &str,
        limit: usize,
    ) -> Result<Vec<Due>, Error> {
        let permission = Permission::CheckRead;
        let mut range = self.range(caller, permission, scope, after).await?;
        let read = self.db.read();
        let facts = self.facts.get(read).await?;
        let mut found = Vec::new();
        if !facts.calendar.is_school_day(day) {
            return Ok(found);
        }
        let part = limit.max(PART);
        let most = u64::try_from(part).unwrap_or(u64::MAX);
        let rules = || {
            facts
                .policies
                .iter()
                .filter_map(|one| one.health.slot(slot))
        };
        let wanted = [Unit::ClassGroup, Unit::Staff, Unit::Room]
            .into_iter()
            .filter(|unit| rules().any(|rule| unit.is_checked(rule)));
        let wanted: Vec<Unit> = wanted.collect();
        loop {
            let groups = units::missing_groups(read, (day, slot), &wanted, &range, most).await?;
            let rooms = if wanted.contains(&Unit::Room) {
                units::missing_rooms(read, (day, slot), &range, most).await?
            } else {
                Vec::new()
            };
            // What comes after the end of a part that was cut is read with the next one.
            let cuts = [&groups, &rooms].into_iter().filter_map(|read| {
                let cut = read.len() == part;
                read.last().filter(|_| cut).map(|last| last.place.clone())
            });
            let end = cuts.min();
            let mut both: Vec<Missing> = groups.into_iter().chain(rooms).collect();
            both.sort_by(|one, other| one.place.cmp(&other.place));
            let whole = |one: &Missing| end.as_ref().is_none_or(|end| one.place <= *end);
            for missing in both.into_iter().filter(whole) {
                let policy = facts.policy(&missing.place, day);
                let rule = policy.and_then(|policy| policy.health.slot(slot));
                let rule = rule.filter(|rule| missing.unit.is_checked(rule));
                if let Some(rule) = rule {
                    let due = due_time(day, rule.deadline_minute);
                    found.push(Due { missing, due });
                }
            }
            let Some(end) = end else { break };
            if found.len() >= limit {
                break;
            }
            range = range.after(&end);
        }
        found.truncate(limit);
        Ok(found)
    }
}
