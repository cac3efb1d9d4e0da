//! The part of a policy profile that incidents need.

use std::time::Duration;

use chrono::NaiveDate;
use kit::field::from_duration;
use kit::org::OrgPath;
use proto::roster::PolicyProfile;
use proto::roster::incident_policy::{Level, LevelTable};

use crate::domain::incident::harm::TableName;
use crate::domain::incident::terms::{Sla, Terms};
use crate::store::register::Rules;

/// The terms of a profile; the numbers of the rules stand in for what it lacks.
pub(super) fn terms(profile: &PolicyProfile) -> Terms {
    let mut terms = Terms {
        policy_version: profile.policy_version.clone(),
        ..Terms::default()
    };
    if let Some(policy) = &profile.incident {
        for told in &policy.slas {
            let level = match told.level() {
                Level::I => 0,
                Level::Ii => 1,
                Level::Iii => 2,
                Level::Iv => 3,
                Level::Unspecified => continue,
            };
            if let Some(written) = span(told.written) {
                terms.slas[level] = Sla {
                    phone: span(told.phone),
                    written,
                };
            }
        }
        terms.hop = span(policy.hop_sla).unwrap_or(terms.hop);
        terms.final_report = span(policy.final_sla).unwrap_or(terms.final_report);
        if policy.level_table() == LevelTable::Regulation {
            terms.table = TableName::Regulation;
        }
    }
    let follow_up = profile.report.as_ref().and_then(|of| span(of.follow_up));
    terms.follow_up = follow_up.unwrap_or(terms.follow_up);
    if let Some(privacy) = &profile.privacy {
        terms.privacy_k = u32::try_from(privacy.k).unwrap_or(terms.privacy_k);
    }
    terms
}

/// The greatest `privacy.k` in force on a day at a place or below it: what is hidden at one place depends on
/// what is at others, so one number judges all.
pub(super) fn privacy_k(rules: &Rules, place: &OrgPath, day: NaiveDate) -> u32 {
    let regions = rules.regions(day).into_iter();
    let below = regions.filter(|(region, _)| place.contains(region));
    let profiles = below
        .map(|(_, profile)| profile)
        .chain(rules.policy(place, day));
    let each = profiles.map(|profile| terms(profile).privacy_k);
    each.max().unwrap_or(Terms::default().privacy_k)
}

fn span(told: Option<prost_types::Duration>) -> Option<Duration> {
    let told = from_duration(told?)?;
    (!told.is_zero()).then_some(told)
}
