//! How far the rotation has come.

use std::collections::HashMap;

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;

use super::App;
use super::tube_figures::{Holds, Tubes};
use crate::domain::coverage::{Figures, Tally, Terms};
use crate::domain::day::Day;
use crate::domain::plan::PlanKind;
use crate::error::Error;
use crate::store::policy::Facts;
use crate::store::{coverage, draws, plans, rolls};

/// The coverage of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    /// The resource name of the place.
    pub(crate) scope: String,
    pub(crate) org_path: String,
    pub(crate) today: Day,
    pub(crate) school_day: bool,
    pub(crate) cycle_days: u32,
    pub(crate) figures: Figures,
    pub(crate) schools: u32,
    pub(crate) drawn_schools: u32,
    /// None where the caller may not read tubes, and of a class group.
    pub(crate) tubes: Option<Tubes>,
    /// None where the caller may not read holds, and of a class group.
    pub(crate) holds: Option<Holds>,
}

/// By what coverage is judged at a place: its plan where it has one, else the policy.
struct Yardstick {
    start: Day,
    cycle_days: u32,
    gap_alert_days: u32,
}

impl App {
    /// The coverage of one organisation with everything below it, or of one class group.
    pub(crate) async fn coverage(
        &self,
        caller: &Caller,
        organization: &str,
        group: Option<&str>,
    ) -> Result<Covered, Error> {
        let place = self
            .place(caller, Permission::DrawRead, organization)
            .await?;
        let Some(group) = group else {
            let mut all = self
                .coverage_at(caller, &place, &[place.to_string()])
                .await?;
            let mut covered = all.pop().unwrap_or_default();
            covered.scope = format!("organizations/{organization}");
            return Ok(covered);
        };
        let read = self.db.read();
        let name = rolls::group_name(organization, group);
        let row = rolls::group_named(read, organization, group).await?;
        let row = row.ok_or_else(|| Error::NotFound(name.clone()))?;
        let facts = self.facts.get(read).await?;
        let yardstick = self.yardstick(&facts, place.as_str()).await?;
        let drawn = draws::drawn_schools(read, place.as_str(), self.today()).await?;
        let figures = self.figures(&facts, &yardstick, &coverage::of_group(&row)?);
        Ok(Covered {
            scope: name,
            org_path: row.path,
            today: self.today(),
            school_day: facts.calendar.is_school_day(self.today()),
            cycle_days: yardstick.cycle_days,
            figures,
            schools: 1,
            drawn_schools: u32::from(drawn.contains(place.as_str())),
            tubes: None,
            holds: None,
        })
    }

    /// The coverage of the places right below an organisation, after the path `after`, and the
    /// last path when there are more.
    pub(crate) async fn list_coverage(
        &self,
        caller: &Caller,
        organization: &str,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Covered>, Option<String>), Error> {
        let place = self
            .place(caller, Permission::DrawRead, organization)
            .await?;
        let below = rolls::organizations_below(self.db.read(), place.as_str()).await?;
        let depth = place.ids().count() + 1;
        let mut children: Vec<String> = below
            .into_iter()
            .filter(|path| path.split('/').count() == depth && path.as_str() > after)
            .collect();
        if !children.is_empty() {
            let more = children.len() > limit;
            children.truncate(limit);
            let next = if more { children.last().cloned() } else { None };
            return Ok((self.coverage_at(caller, &place, &children).await?, next));
        }
        let read = self.db.read();
        let mut groups = rolls::groups_below(read, place.as_str()).await?;
        groups.retain(|group| {
            group.path.as_str() > after
                && group.kind == crate::domain::roll::GroupKind::Students
                && group.school_path() == place.as_str()
        });
        let more = groups.len() > limit;
        groups.truncate(limit);
        let next = if more {
            groups.last().map(|group| group.path.clone())
        } else {
            None
        };
        let facts = self.facts.get(read).await?;
        let yardstick = self.yardstick(&facts, place.as_str()).await?;
        let drawn = draws::drawn_schools(read, place.as_str(), self.today()).await?;
        let mut covered = Vec::with_capacity(groups.len());
        for group in groups {
            covered.push(Covered {
                scope: group.name(),
                figures: self.figures(&facts, &yardstick, &coverage::of_group(&group)?),
                org_path: group.path,
                today: self.today(),
                school_day: facts.calendar.is_school_day(self.today()),
                cycle_days: yardstick.cycle_days,
                schools: 1,
                drawn_schools: u32::from(drawn.contains(place.as_str())),
                tubes: None,
                holds: None,
            });
        }
        Ok((covered, next))
    }

    /// Adds up the schools at or below each of `places`, which lie at or below `root`, in one pass.
    async fn coverage_at(
        &self,
        caller: &Caller,
        root: &OrgPath,
        places: &[String],
    ) -> Result<Vec<Covered>, Error> {
        let read = self.db.read();
        let facts = self.facts.get(read).await?;
        let today = self.today();
        let yardstick = self.yardstick(&facts, root.as_str()).await?;
        let drawn = draws::drawn_schools(read, root.as_str(), today).await?;
        let mut covered: Vec<Covered> = places
            .iter()
            .map(|path| Covered {
                scope: format!(
                    "organizations/{}",
                    path.rsplit('/').next().unwrap_or_default()
                ),
                org_path: path.clone(),
                today,
                school_day: facts.calendar.is_school_day(today),
                cycle_days: yardstick.cycle_days,
                ..Covered::default()
            })
            .collect();
        let index: HashMap<String, usize> = (0..)
            .zip(places)
            .map(|(place, path)| (path.clone(), place))
            .collect();
        for (school, tally) in coverage::below(read, root.as_str()).await? {
            if tally.groups == 0 {
                continue;
            }
            let figures = self.figures(&facts, &yardstick, &tally);
            let ends = school
                .match_indices('/')
                .map(|(end, _)| end)
                .chain([school.len()]);
            for place in ends.filter_map(|end| index.get(&school[..end])) {
                let covered = &mut covered[*place];
                covered.figures.add(&figures);
                covered.schools += 1;
                covered.drawn_schools += u32::from(drawn.contains(&school));
            }
        }
        self.add_tubes(caller, root, &index, &mut covered).await?;
        Ok(covered)
    }

    fn figures(&self, facts: &Facts, yardstick: &Yardstick, tally: &Tally) -> Figures {
        let Yardstick {
            start,
            cycle_days,
            gap_alert_days,
        } = *yardstick;
        let today = self.today();
        let calendar = &facts.calendar;
        tally.figures(&Terms {
            calendar,
            today,
            start,
            cycle_days,
            gap_alert_days,
        })
    }

    async fn yardstick(&self, facts: &Facts, path: &str) -> Result<Yardstick, Error> {
        let today = self.today();
        let place: OrgPath = path.parse().unwrap_or_default();
        let plans = plans::all(self.db.read()).await?;
        let plan = plans
            .iter()
            .map(|row| &row.plan)
            .filter(|plan| plan.kind == PlanKind::StudentRotation && plan.is_active(today))
            .filter(|plan| {
                plan.org_path
                    .parse()
                    .is_ok_and(|scope: OrgPath| scope.contains(&place))
            })
            .max_by_key(|plan| plan.org_path.len());
        let policy = facts.policy(path, today);
        Ok(Yardstick {
            start: plan.map_or(today, |plan| plan.start),
            cycle_days: plan
                .map(|plan| u32::from(plan.cycle_days))
                .or_else(|| policy.map(|policy| u32::from(policy.cycle_days)))
                .unwrap_or(5),
            gap_alert_days: policy.map_or(7, |policy| policy.gap_alert_days),
        })
    }
}
