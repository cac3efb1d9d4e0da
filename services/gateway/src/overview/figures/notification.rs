//! Alerts and concerns.

use prost_types::Timestamp;
use proto::gateway::Measure;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::Kind;
use proto::notification::alert::Severity;
use proto::notification::{AlertGroup, ConcernFigures};

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
    let counts = |measure| {
        let of = move |category: &proto::notification::ConcernCategoryFigures| match measure {
            Measure::ConcernsOpen => category.open_count,
            _ => category.late_count,
        };
        told.categories
            .iter()
            .map(move |category| (category.category, of(category)))
            .collect::<Vec<_>>()
    };
    for measure in [Measure::ConcernsOpen, Measure::ConcernsLate] {
        let counts = counts(measure);
        let hidden = counts.iter().any(|(_, count)| *count < 0);
        let all = counts.iter().map(|(_, count)| i64::from(*count)).sum();
        sheet.add(Draft::perhaps(measure, Some(all), hidden));
        for (category, count) in counts {
            let count = Draft::perhaps(measure, Some(count.into()), count < 0);
            sheet.add(count.part(Breakdown::Category(category)));
        }
    }
    Told {
        sections: vec![sheet.section],
        ..Told::default()
    }
}
