//! The register's policy as the domain's numbers, and as the table by which tasks are given out.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use kit::org::OrgPath;
use proto::roster as pb;

use crate::domain::weather::action::Action;
use crate::domain::weather::catalogue::Catalogue;
use crate::domain::weather::level::Level;
use crate::domain::weather::policy::WeatherPolicy;
use crate::store::register::Rules;
use crate::store::weather::PlanRow;

/// The hours of the check where a profile was stored without them.
const POST_CHECK_HOURS: i64 = 24;

/// What a profile says of the weather, and which one it is.
#[derive(Clone, Debug)]
pub(crate) struct WeatherRules {
    pub(crate) policy: WeatherPolicy,
    pub(crate) version: String,
}

/// What the policy in force at a place on a civil day says of the weather.
pub(super) fn at(rules: &Rules, path: &OrgPath, day: NaiveDate) -> Option<WeatherRules> {
    let profile = rules.policy(path, day)?;
    Some(WeatherRules {
        policy: weather(profile.weather.as_ref()?),
        version: profile.policy_version.clone(),
    })
}

/// The action tables of all regions on a civil day, as lines for each kind of organisation.
pub(super) fn plan(rules: &Rules, catalogue: &Catalogue, day: NaiveDate) -> Vec<PlanRow> {
    let mut plan = Vec::new();
    for (region, profile) in rules.regions(day) {
        let Some(policy) = profile.weather.as_ref().map(weather) else {
            continue;
        };
        for (level, actions) in &policy.actions {
            let asked = catalogue
                .actions
                .iter()
                .filter(|rule| actions.contains(&rule.action));
            for rule in asked {
                plan.extend(rule.kinds.iter().map(|kind| PlanRow {
                    region: region.as_str().to_owned(),
                    level: *level as i16,
                    action: rule.action as i16,
                    kind: *kind as i16,
                    minutes: rule.due_minutes,
                    word: rule.action.word().to_owned(),
                }));
            }
        }
    }
    plan
}

fn weather(told: &pb::WeatherPolicy) -> WeatherPolicy {
    let count = |number: i32| usize::try_from(number).unwrap_or_default();
    let day = |number: i32| {
        let number = u32::try_from(number).unwrap_or_default();
        (number / 100, number % 100)
    };
    let mut actions: BTreeMap<Level, Vec<Action>> = BTreeMap::new();
    for rule in &told.rules {
        let Some(level) = Level::from_number(rule.level) else {
            continue;
        };
        let known = rule
            .actions
            .iter()
            .filter_map(|one| Action::from_number(*one));
        actions.entry(level).or_default().extend(known);
    }
    let post_check = told.post_check.as_ref().map(|span| span.seconds);
    let post_check = post_check.filter(|seconds| (1..=7 * 86_400).contains(seconds));
    WeatherPolicy {
        actions,
        mutual_aid: count(told.mutual_aid_min)..=count(told.mutual_aid_max),
        flood_season: (day(told.flood_season_start), day(told.flood_season_end)),
        post_check: post_check.map_or(TimeDelta::hours(POST_CHECK_HOURS), TimeDelta::seconds),
    }
}
