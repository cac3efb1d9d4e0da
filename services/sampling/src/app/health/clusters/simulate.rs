//! Replays a past period under other rules.

use std::sync::Arc;

use chrono::DateTime;
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;

use super::{around, rule_sets};
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::cluster::{RuleSet, longest};
use crate::domain::health::cluster_rule::ClusterRule;
use crate::domain::health::illness::episodes;
use crate::domain::health::replay::{Compared, Said, compare, replay};
use crate::domain::health::sign::Sign;
use crate::error::Error;
use crate::store::health::signs;

/// As much may have been said in a period that is replayed at once, by all its schools together.
const MOST_SIGNS: u64 = 100_000;

/// A replay looks at everything that was said on each of its days: that often at most.
const MOST_LOOKS: u64 = 3_000_000;

/// Days before the period that may still be part of an illness in it.
const BEFORE: u16 = 31;

/// What is replayed.
#[derive(Clone, Debug)]
pub(crate) struct Simulated<'a> {
    /// The organisation's identifier.
    pub(crate) organization: &'a str,
    /// The first and the last day.
    pub(crate) days: (Day, Day),
    /// The rules that are tried; none for those in force.
    pub(crate) rules: Vec<ClusterRule>,
}

/// What would have fired at one school.
#[derive(Clone, Debug)]
pub(crate) struct Replayed {
    /// The school's place.
    pub(crate) school: String,
    /// What fires under the rules in force and under those tried.
    pub(crate) compared: Compared,
}

impl App {
    /// What would have fired in a period, school by school.
    pub(crate) async fn simulate_clusters(
        &self,
        caller: &Caller,
        simulated: Simulated<'_>,
    ) -> Result<Vec<Replayed>, Error> {
        let place = self
            .place(caller, Permission::ClusterSimulate, simulated.organization)
            .await?;
        let facts = self.facts.get(self.db.read()).await?;
        let (from, until) = simulated.days;
        let tried = (!simulated.rules.is_empty()).then(|| RuleSet {
            first: Day::NEVER,
            last: Day::from_number(u16::MAX),
            version: String::new(),
            rules: Arc::new(simulated.rules),
        });
        let windows = facts
            .policies
            .iter()
            .flat_map(|one| one.health.clusters.iter());
        let window = windows.map(ClusterRule::window_days).max().unwrap_or(1);
        let window = window.max(longest(tried.as_slice()));
        let back = from.number().saturating_sub(window.saturating_add(BEFORE));
        let days = (Day::from_number(back), until);
        let schools = signs::schools_below(self.db.read(), place.as_str(), days).await?;
        let signs: u64 = schools.iter().map(|(_, count)| count.unsigned_abs()).sum();
        let most = most_signs(from, until);
        if signs > most {
            return Err(Error::SimulationTooLarge { signs, most });
        }
        let mut found = Vec::new();
        for (school, _) in schools {
            let (first, last) = days;
            let heard = signs::heard_of_school(self.db.read(), &school, first, last).await?;
            let signs: Vec<Sign> = heard.iter().map(|(sign, _)| sign.clone()).collect();
            let present = rule_sets(&facts, &school);
            let mut cases = Vec::new();
            for episode in episodes(&signs) {
                if let Some(policy) = facts.policy(&school, episode.first) {
                    cases.extend(episode.cases(&policy.health));
                }
            }
            let all: Vec<RuleSet> = present.iter().chain(&tried).cloned().collect();
            let around = around(self.db.read(), &school, &all, &cases).await?;
            let (facts, tried, at) = (facts.clone(), tried.clone(), school.clone());
            let replayed = tokio::task::spawn_blocking(move || {
                let said: Said = heard
                    .into_iter()
                    .map(|(sign, time)| (known(time, sign.day), sign))
                    .collect();
                let definitions = |day| facts.policy(&at, day).map(|policy| &policy.health);
                let days = (from, until);
                let now = replay(&said, days, &present, &around, definitions);
                let then = match &tried {
                    Some(tried) => replay(
                        &said,
                        days,
                        std::slice::from_ref(tried),
                        &around,
                        definitions,
                    ),
                    None => now.clone(),
                };
                compare(now, then)
            });
            let compared = replayed
                .await
                .map_err(|_| sea_orm::DbErr::Custom("a replay broke off".to_owned()))?;
            found.extend(compared.into_iter().map(|compared| Replayed {
                school: school.clone(),
                compared,
            }));
        }
        found.sort_by_key(|one| one.compared.fired());
        Ok(found)
    }
}

/// The day by whose end something was known that was heard at this instant.
fn known(time: i64, day: Day) -> Day {
    let heard = DateTime::from_timestamp_millis(time).filter(|_| time != 0);
    heard.map_or(day, |heard| civil_date(heard).into()).max(day)
}

/// As much may have been said to replay the days from `from` to `until`.
fn most_signs(from: Day, until: Day) -> u64 {
    let days = until.number().saturating_sub(from.number());
    MOST_SIGNS.min(MOST_LOOKS / (u64::from(days) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_period_replays_less_at_once() {
        let most = |days: u16| most_signs(Day::from_number(100), Day::from_number(100 + days - 1));
        assert_eq!((most(1), most(30)), (MOST_SIGNS, MOST_SIGNS));
        assert!(most(92) * 92 <= MOST_LOOKS && most(92) > 30_000);
    }
}
