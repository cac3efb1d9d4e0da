//! Which organisation of a list is the worst.

use proto::gateway::figure::Breakdown;
use proto::gateway::{Figure, Measure, Overview};
use proto::notification::alert::Severity;
use serde::{Deserialize, Serialize};

/// The worst sorts first: the greatest share of checks overdue, then of silent campuses, then most
/// critical alerts, then by place. What is not known ranks nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Rank {
    /// Hundredths of a per cent, negative, so that the greatest comes first; as below.
    overdue: i64,
    silent: i64,
    critical: i64,
    place: (String, String),
}

impl Rank {
    /// The rank of an overview among those beside it.
    pub(crate) fn of(overview: &Overview) -> Self {
        let figures = || {
            let sections = overview.sections.iter();
            sections.flat_map(|section| &section.figures)
        };
        let of = |measure| figures().filter(move |figure| figure.measure() == measure);
        let overdue = of(Measure::ChecksMissing).filter_map(|figure| figure.late_count);
        let overdue: i64 = overdue.fold(0, i64::saturating_add);
        let answered = of(Measure::ChecksSubmitted).filter_map(|figure| figure.value);
        let answered: i64 = answered.fold(0, i64::saturating_add);
        let silent = of(Measure::CampusesSilent).filter_map(|figure| {
            let expected = figure.coverage.as_ref()?.expected_count;
            Some(share(figure.value?, expected))
        });
        let critical = of(Measure::AlertsUnresolved).filter(|figure| is_critical(figure));
        let critical: i64 = critical
            .filter_map(|figure| figure.value)
            .fold(0, i64::saturating_add);
        Self {
            overdue: share(overdue, overdue.saturating_add(answered)).saturating_neg(),
            silent: silent.max().unwrap_or_default().saturating_neg(),
            critical: critical.saturating_neg(),
            place: (overview.org_path.clone(), overview.name.clone()),
        }
    }
}

fn is_critical(figure: &Figure) -> bool {
    figure.breakdown == Some(Breakdown::Severity(Severity::Critical.into()))
}

/// Hundredths of a per cent; 0 of nothing.
fn share(part: i64, whole: i64) -> i64 {
    part.saturating_mul(10_000)
        .checked_div(whole)
        .unwrap_or_default()
}
