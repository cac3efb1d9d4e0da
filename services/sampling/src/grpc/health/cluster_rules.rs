//! Reads the rules that a caller wants to try.

use std::time::Duration;

use kit::field::Fields;
use proto::roster::alert_policy::SymptomGroup;
use proto::roster::{Disease as Known, cluster_policy, outbreak_policy};
use proto::sampling::{ClusterRule, cluster_rule};

use crate::domain::health::cluster_rule::{self as rules, Condition, Counted, Scope};
use crate::domain::health::disease::{Disease, Severity};
use crate::domain::health::illness::Criterion;
use crate::domain::health::rules::Level;
use crate::domain::plan::is_id;

/// Rules in one request.
const MOST_RULES: usize = 200;
/// Conditions of one rule.
const MOST_CONDITIONS: usize = 8;
/// Civil days in one window.
const MOST_DAYS: i32 = 31;
/// How long a report may take.
const LONGEST_SLA: Duration = Duration::from_secs(30 * 86_400);

/// The rules of a request; what is wrong with them is noted.
pub(super) fn read(fields: &mut Fields, told: &[ClusterRule]) -> Vec<rules::ClusterRule> {
    if told.len() > MOST_RULES {
        fields.violation("rules", "不能超过 200 条", "at most 200");
        return Vec::new();
    }
    let mut read: Vec<rules::ClusterRule> = Vec::with_capacity(told.len());
    for (place, rule) in told.iter().enumerate() {
        let field = format!("rules[{place}]");
        let Some(rule) = rule_of(fields, &field, rule) else {
            continue;
        };
        if read.iter().any(|known| known.code == rule.code) {
            fields.violation(format!("{field}.code"), "规则代码重复", "given twice");
        }
        read.push(rule);
    }
    read
}

fn rule_of(fields: &mut Fields, field: &str, rule: &ClusterRule) -> Option<rules::ClusterRule> {
    let named = rule.code.len() <= 64 && rule.code.split('-').all(is_id);
    if !named {
        let (zh, en) = ("应为小写字母、数字和连字符", "must be of a-z 0-9 -");
        fields.violation(format!("{field}.code"), zh, en);
    }
    if rule.numbers.len() > 8 || rule.numbers.iter().any(|one| one.chars().count() > 8) {
        fields.violation(
            format!("{field}.numbers"),
            "过多或过长",
            "too many or too long",
        );
    }
    let at = format!("{field}.scope");
    let scope = fields
        .enumeration::<cluster_policy::Scope>(&at, rule.scope)
        .and_then(|scope| Scope::from_code(small(scope.into())));
    let criterion = criterion(fields, field, rule.criterion);
    if rule.conditions.is_empty() || rule.conditions.len() > MOST_CONDITIONS {
        fields.violation(
            format!("{field}.conditions"),
            "应为 1 到 8 项",
            "must be 1 to 8",
        );
        return None;
    }
    let mut conditions = Vec::with_capacity(rule.conditions.len());
    for (place, condition) in rule.conditions.iter().enumerate() {
        let at = format!("{field}.conditions[{place}]");
        conditions.extend(condition_of(fields, &at, condition));
    }
    let level = match rule.level {
        0 => Some(Level::ClusterAlert),
        level => fields
            .enumeration::<outbreak_policy::Level>(&format!("{field}.level"), level)
            .and_then(|level| Level::from_code(small(level.into()))),
    };
    let at = format!("{field}.report_sla");
    let sla = fields.span(&at, rule.report_sla.unwrap_or_default());
    if sla.is_some_and(|sla| sla > LONGEST_SLA) {
        fields.violation(at, "超出范围", "out of range");
    }
    let days = fields.within(&format!("{field}.suspend_days"), rule.suspend_days, 0..=30);
    Some(rules::ClusterRule {
        code: rule.code.clone(),
        numbers: rule.numbers.clone(),
        scope: scope?,
        criterion: criterion?,
        conditions,
        level: level?,
        report_sla: sla?,
        recipients: rule.recipients.iter().copied().map(small).collect(),
        suspend_days: u16::try_from(days).unwrap_or_default(),
        at_once: rule.alert_at_once,
        source: String::new(),
    })
}

fn criterion(
    fields: &mut Fields,
    field: &str,
    criterion: Option<cluster_rule::Criterion>,
) -> Option<Criterion> {
    match criterion {
        Some(cluster_rule::Criterion::SymptomGroup(group)) => {
            let at = format!("{field}.symptom_group");
            let known: Option<SymptomGroup> = fields.enumeration(&at, group);
            known.map(|group| Criterion::Similar(small(group.into())))
        }
        Some(cluster_rule::Criterion::Disease(disease)) => {
            let at = format!("{field}.disease");
            let known: Option<Known> = fields.enumeration(&at, disease);
            known.map(|disease| Criterion::Disease(Disease(small(disease.into()))))
        }
        None => {
            fields.violation(format!("{field}.criterion"), "必填", "required");
            None
        }
    }
}

fn condition_of(
    fields: &mut Fields,
    field: &str,
    condition: &cluster_rule::Condition,
) -> Option<Condition> {
    let at = |name: &str| format!("{field}.{name}");
    let counted = fields
        .enumeration::<cluster_rule::Counted>(&at("counted"), condition.counted)
        .and_then(|counted| Counted::from_code(small(counted.into())));
    let groups = counted == Some(Counted::ClassGroups);
    fields.within(&at("window_days"), condition.window_days, 1..=MOST_DAYS);
    fields.within(&at("count"), condition.count, 1..=10_000);
    let least = i32::from(groups);
    fields.within(&at("group_cases"), condition.group_cases, least..=1000);
    let severity = match condition.severity {
        0 => Some(Severity::Mild),
        severity => fields
            .enumeration::<cluster_rule::Severity>(&at("severity"), severity)
            .and_then(|severity| Severity::from_code(small(severity.into()))),
    };
    Some(Condition {
        counted: counted?,
        window_days: u16::try_from(condition.window_days).unwrap_or_default(),
        count: u32::try_from(condition.count).unwrap_or_default(),
        group_cases: u32::try_from(condition.group_cases).unwrap_or_default(),
        severity: severity?,
        confirmed: condition.confirmed,
    })
}

fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_time_beyond_any_edge_is_refused_by_its_field() {
        for (seconds, nanos) in [
            (i64::MIN, 0),
            (i64::MIN, i32::MIN),
            (i64::MAX, i32::MAX),
            (-1, 0),
            (0, -1),
            (30 * 86_400, 1),
        ] {
            let rule = ClusterRule {
                conditions: vec![cluster_rule::Condition::default()],
                report_sla: Some(prost_types::Duration { seconds, nanos }),
                ..ClusterRule::default()
            };
            let mut fields = Fields::new();
            read(&mut fields, &[rule]);
            let problem = fields.finish().unwrap_err();
            let mut named = problem.fields().map(|(field, _)| field);
            assert!(
                named.any(|field| field == "rules[0].report_sla"),
                "{seconds} s {nanos} ns"
            );
        }
    }
}
