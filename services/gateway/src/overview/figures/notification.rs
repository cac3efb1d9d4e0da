//! Alerts, concerns and directives.

use prost_types::Timestamp;
use proto::gateway::Measure;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::Kind;
use proto::notification::alert::Severity;
use proto::notification::{AlertGroup, ConcernCategoryFigures, ConcernFigures, DirectiveFigures};
use proto::privacy::PrivateCount;

use super::{Draft, Sheet, Told};
use crate::overview::source::Source;

/// Alerts by the gravest severity of their group.
pub(crate) fn alerts<'a>(
    groups: impl IntoIterator<Item = &'a AlertGroup>,
    answered: Timestamp,
) -> Told {
    let mut sheet = Sheet::new(Source::AlertGroups, Kind::Alerts, Some(answered));
    let severities = [Severity::Critical, Severity::Warning, Severity::Notice];
    let mut by_severity = severities.map(|severity| (severity, 0_i64));
    let (mut all, mut unseen, mut escalated) = (0_i64, 0_i64, 0_i64);
    for group in groups {
        all += i64::from(group.alert_count);
        unseen += i64::from(group.open_count);
        escalated += i64::from(group.escalated_count);
        for (severity, count) in &mut by_severity {
            if *severity == group.severity() {
                *count += i64::from(group.alert_count);
            }
        }
    }
    sheet.count(Measure::AlertsUnresolved, all);
    for (severity, count) in by_severity {
        let part = Breakdown::Severity(severity.into());
        sheet.add(Draft::of(Measure::AlertsUnresolved, count).part(part));
    }
    sheet.count(Measure::AlertsUnseen, unseen);
    sheet.count(Measure::AlertsEscalated, escalated);
    Told {
        sections: vec![sheet.section],
        ..Told::default()
    }
}

/// Concerns by category. A sum is hidden when anything in it is.
pub(crate) fn concerns(told: ConcernFigures, answered: Timestamp) -> Told {
    let mut sheet = Sheet::new(Source::ConcernFigures, Kind::Concerns, Some(answered));
    type Count = fn(&ConcernCategoryFigures) -> Option<PrivateCount>;
    let counts: [(Measure, Count); 2] = [
        (Measure::ConcernsOpen, |one| one.open_count),
        (Measure::ConcernsLate, |one| one.late_count),
    ];
    for (measure, of) in counts {
        let counts = told.categories.iter().map(of);
        let hidden = counts.clone().flatten().any(|count| count.hidden);
        let all = counts.flatten().filter_map(|count| count.count);
        let all = all.map(i64::from).sum();
        sheet.add(Draft::perhaps(measure, Some(all), hidden));
        for one in &told.categories {
            let part = Breakdown::Category(one.category);
            sheet.add(Draft::private(measure, of(one)).part(part));
        }
    }
    Told {
        sections: vec![sheet.section],
        ..Told::default()
    }
}

/// Directives in force, and what is owed of them.
pub(crate) fn directives(told: DirectiveFigures, answered: Timestamp) -> Told {
    let time = told.data_time.or(Some(answered));
    let mut sheet = Sheet::new(Source::DirectiveFigures, Kind::Directives, time);
    let (reached, accepted) = (
        i64::from(told.reached_count),
        i64::from(told.accepted_count),
    );
    sheet.count(Measure::DirectivesInForce, told.in_force_count);
    let late = i64::from(told.late_count) + i64::from(told.overdue_count);
    sheet.add(
        Draft::of(Measure::DirectivesAccepted, accepted)
            .coverage(accepted, reached)
            .late(late),
    );
    sheet.count(Measure::DirectivesOutstanding, reached - accepted);
    sheet.add(Draft::of(Measure::DirectivesOwed, told.owed_count).late(told.owed_overdue_count));
    Told {
        org_path: told.org_path,
        display_name: String::new(),
        sections: vec![sheet.section],
    }
}
