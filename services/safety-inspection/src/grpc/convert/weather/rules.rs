//! What the weather asks of an organisation, as callers see it.

use kit::field::to_date;
use proto::safety as pb;

use crate::app::weather::WeatherRules;
use crate::domain::organization::Organization;
use crate::domain::weather::catalogue::{ActionRule, Catalogue};

/// The actions that bind an organisation at some level of the policy in force, and the list of the
/// sweep.
pub(in crate::grpc) fn rules(
    organization: &Organization,
    catalogue: &Catalogue,
    rules: Option<&WeatherRules>,
) -> pb::WeatherRules {
    let levels = |rule: &ActionRule| -> Vec<i32> {
        let table = rules.map(|rules| &rules.policy.actions);
        let asked = table.into_iter().flatten();
        asked
            .filter(|(_, actions)| actions.contains(&rule.action))
            .map(|(level, _)| *level as i32)
            .collect()
    };
    let bound = catalogue
        .actions
        .iter()
        .filter(|rule| rule.kinds.contains(&organization.kind));
    let actions = bound.map(|rule| pb::weather_rules::Action {
        action: rule.action as i32,
        description: rule.description.clone(),
        due_minutes: rule.due_minutes,
        levels: levels(rule),
        source: rule.source.clone(),
        effective_date: Some(to_date(rule.effective)),
    });
    let items = catalogue.checks.iter();
    pb::WeatherRules {
        name: format!("organizations/{}/weatherRules", organization.id),
        actions: actions.collect(),
        check_items: items
            .map(|item| pb::weather_rules::CheckItem {
                item: item.code.clone(),
                description: item.description.clone(),
                category: item.category as i32,
                blocking: item.blocking,
                source: item.source.clone(),
                effective_date: Some(to_date(item.effective)),
            })
            .collect(),
    }
}
