//! The table of cluster rules that follows from a policy.

use std::time::Duration;

use super::cluster_rule::{ClusterRule, Condition, Counted, Scope};
use super::cluster_words::cited;
use super::disease::{Disease, Severity};
use super::illness::Criterion;
use super::rules::{HealthRules, Level, Outbreak};

/// The week of rule 1.20.
const WEEK: u16 = 7;

/// Every rule of a policy, ordered by code: those that follow from its numbers, and those that stand as
/// rows. Rows that say the same of the same places are one rule with all their conditions and the
/// shorter deadline.
pub fn table(rules: &HealthRules) -> Vec<ClusterRule> {
    let mut all = similar(rules);
    for outbreak in &rules.outbreaks {
        all.extend(outbreak_rules(rules, outbreak));
    }
    all.extend(suspensions(rules));
    all.extend(rules.cluster_rows.iter().cloned());
    all.retain(|rule| !rule.conditions.is_empty());
    all.sort_by(|one, other| one.code.cmp(&other.code));
    let mut table: Vec<ClusterRule> = Vec::with_capacity(all.len());
    for rule in all {
        match table.last_mut() {
            Some(last) if last.code == rule.code => {
                last.conditions.extend(rule.conditions);
                last.report_sla = last.report_sla.min(rule.report_sla);
                last.at_once |= rule.at_once;
            }
            _ => table.push(rule),
        }
    }
    for rule in &mut table {
        rule.conditions.sort_unstable();
        rule.conditions.dedup();
        if rule.source.is_empty() {
            rule.source = cited(&rule.numbers, &rules.sources);
        }
    }
    table
}

/// Similar illnesses in a class group or dormitory room (rule 1.15); those in a class are told at once
/// (1.12).
fn similar(rules: &HealthRules) -> Vec<ClusterRule> {
    let mut found = Vec::new();
    for similar in &rules.similar {
        for scope in [Scope::ClassGroup, Scope::Dormitory] {
            let mut numbers = vec!["1.15".to_owned()];
            let mut conditions = vec![
                Condition::cases(1, rules.one_day_cases),
                Condition::cases(3, rules.three_day_cases),
            ];
            let at_once = scope == Scope::ClassGroup && rules.similar_cases != 0;
            if at_once {
                numbers.insert(0, "1.12".to_owned());
                conditions.push(Condition::cases(1, rules.similar_cases));
            }
            found.push(ClusterRule {
                code: format!("similar-{}-{}", similar.group, suffix(scope)),
                numbers,
                scope,
                criterion: Criterion::Similar(similar.group),
                conditions: asked(conditions),
                level: Level::ClusterAlert,
                report_sla: rules.report_sla,
                recipients: rules.similar_recipients.clone(),
                suspend_days: 0,
                at_once,
                source: String::new(),
            });
        }
    }
    found
}

/// One row of the outbreak table (rules 1.18, 1.19).
fn outbreak_rules(rules: &HealthRules, row: &Outbreak) -> Vec<ClusterRule> {
    let window = row.window_days;
    let grave = |severity, count| Condition {
        severity,
        ..Condition::cases(window, count)
    };
    let school = vec![
        Condition::cases(window, row.cases),
        grave(Severity::Hospitalised, row.hospitalised),
        grave(Severity::Dead, row.deaths),
    ];
    let group = vec![Condition::cases(window, row.group_cases)];
    let level = match row.level {
        Level::ClusterAlert => "alert",
        Level::EventReport => "event",
    };
    let class_a = rules.class_a.contains(&row.disease);
    let report_sla = if class_a {
        row.report_sla.min(rules.class_a_report_sla)
    } else {
        row.report_sla
    };
    let mut numbers = vec!["1.19".to_owned()];
    if class_a {
        numbers.insert(0, "1.18".to_owned());
    }
    let recipients = rules.notices.iter().find(|(at, _)| *at == row.level);
    let scoped = [
        (Scope::School, school),
        (Scope::ClassGroup, group.clone()),
        (Scope::Dormitory, group),
    ];
    scoped
        .map(|(scope, conditions)| ClusterRule {
            code: format!("disease-{}-{level}-{}", row.disease.0, suffix(scope)),
            numbers: numbers.clone(),
            scope,
            criterion: Criterion::Disease(row.disease),
            conditions: asked(conditions),
            level: row.level,
            report_sla,
            recipients: recipients.map_or_else(Vec::new, |(_, who)| who.clone()),
            suspend_days: 0,
            at_once: false,
            source: String::new(),
        })
        .into()
}

/// When suspension is proposed (rules 1.20, 1.21).
fn suspensions(rules: &HealthRules) -> Vec<ClusterRule> {
    let flu = rules.influenza;
    let share = Condition {
        counted: Counted::Share,
        ..Condition::cases(1, flu.ill_ratio)
    };
    let severe = Condition {
        severity: Severity::Hospitalised,
        confirmed: true,
        ..Condition::cases(WEEK, flu.severe_cases)
    };
    let hfmd = rules.hfmd;
    let grave = Condition {
        severity: Severity::Hospitalised,
        ..Condition::cases(hfmd.window_days, u32::from(hfmd.class_cases != 0))
    };
    let classes = Condition {
        counted: Counted::ClassGroups,
        group_cases: hfmd.class_cases,
        ..Condition::cases(hfmd.window_days, hfmd.school_classes)
    };
    let rows = [
        (
            Disease::INFLUENZA,
            Scope::ClassGroup,
            vec![Condition::cases(1, flu.new_cases), share, severe],
            flu.suspend_days,
        ),
        (
            Disease::HFMD,
            Scope::ClassGroup,
            vec![Condition::cases(hfmd.window_days, hfmd.class_cases), grave],
            hfmd.suspend_days,
        ),
        (
            Disease::HFMD,
            Scope::School,
            vec![
                Condition::cases(hfmd.window_days, hfmd.school_cases),
                classes,
            ],
            hfmd.suspend_days,
        ),
    ];
    let rule = |(disease, scope, conditions, days): (Disease, Scope, Vec<Condition>, u16)| {
        let number = if disease == Disease::HFMD {
            "1.21"
        } else {
            "1.20"
        };
        ClusterRule {
            code: format!("suspend-{}-{}", disease.0, suffix(scope)),
            numbers: vec![number.to_owned(), "1.22".to_owned()],
            scope,
            criterion: Criterion::Disease(disease),
            conditions: if days == 0 {
                Vec::new()
            } else {
                asked(conditions)
            },
            level: Level::ClusterAlert,
            report_sla: nonzero(rules.report_sla),
            recipients: rules.similar_recipients.clone(),
            suspend_days: days,
            at_once: false,
            source: String::new(),
        }
    };
    rows.into_iter().map(rule).collect()
}

/// The conditions whose count the policy gives.
fn asked(conditions: Vec<Condition>) -> Vec<Condition> {
    let given = |one: &Condition| {
        let groups = one.counted != Counted::ClassGroups || one.group_cases != 0;
        one.count != 0 && one.window_days != 0 && groups
    };
    conditions.into_iter().filter(given).collect()
}

fn nonzero(sla: Duration) -> Duration {
    if sla.is_zero() {
        Duration::from_secs(86_400)
    } else {
        sla
    }
}

fn suffix(scope: Scope) -> &'static str {
    match scope {
        Scope::ClassGroup => "class",
        Scope::Dormitory => "dormitory",
        Scope::School => "school",
        Scope::Meal => "meal",
        Scope::Water => "water",
    }
}
