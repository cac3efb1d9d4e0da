//! Who tells the figures: methods of services, and the sections that each fills.

use proto::gateway::section::Kind;

/// One method of one service that tells figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Source {
    /// How far the rotation of swabs has come.
    Coverage,
    /// What schools have said of people's health.
    HealthCoverage,
    /// How safe campuses are.
    SafetyFigures,
    /// How ready schools are to resume teaching.
    ResumptionFigures,
    /// Alerts that are not resolved.
    AlertGroups,
    /// Concerns by category.
    ConcernFigures,
    /// Directives in force.
    DirectiveFigures,
    /// How class groups are taught.
    TeachingSummary,
}

impl Source {
    /// Every source.
    pub(crate) const ALL: [Self; 8] = [
        Self::Coverage,
        Self::HealthCoverage,
        Self::SafetyFigures,
        Self::ResumptionFigures,
        Self::AlertGroups,
        Self::ConcernFigures,
        Self::DirectiveFigures,
        Self::TeachingSummary,
    ];

    /// Those that tell the figures of all organisations right below one in one answer.
    pub(crate) const LISTED: [Self; 7] = [
        Self::Coverage,
        Self::HealthCoverage,
        Self::SafetyFigures,
        Self::ResumptionFigures,
        Self::AlertGroups,
        Self::DirectiveFigures,
        Self::TeachingSummary,
    ];

    /// The method, as figures name it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Coverage => "campus.sampling.v1.CoverageService/GetCoverage",
            Self::HealthCoverage => "campus.sampling.v1.CoverageService/GetHealthCoverage",
            Self::SafetyFigures => "campus.safety.v1.SafetyFiguresService/GetSafetyFigures",
            Self::ResumptionFigures => "campus.safety.v1.ResumptionService/GetResumptionFigures",
            Self::AlertGroups => "campus.notification.v1.AlertService/ListAlertGroups",
            Self::ConcernFigures => "campus.notification.v1.ConcernService/GetConcernFigures",
            Self::DirectiveFigures => "campus.notification.v1.DirectiveService/GetDirectiveFigures",
            Self::TeachingSummary => "campus.roster.v1.ClassGroupService/GetTeachingSummary",
        }
    }

    /// The sections that it fills.
    pub(crate) fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Coverage => &[Kind::People, Kind::Sampling, Kind::Tubes],
            Self::HealthCoverage => &[Kind::Checks, Kind::Health],
            Self::SafetyFigures => &[Kind::Safety, Kind::Gates],
            Self::ResumptionFigures => &[Kind::Resumption],
            Self::AlertGroups => &[Kind::Alerts],
            Self::ConcernFigures => &[Kind::Concerns],
            Self::DirectiveFigures => &[Kind::Directives],
            Self::TeachingSummary => &[Kind::Teaching],
        }
    }

    /// Whether it keeps the figures of days that are over.
    pub(crate) fn keeps_days(self) -> bool {
        self == Self::HealthCoverage
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_section_is_filled_by_one_source() {
        let kinds: Vec<i32> = Source::ALL
            .iter()
            .flat_map(|source| source.kinds())
            .map(|kind| *kind as i32)
            .collect();
        let once: BTreeSet<i32> = kinds.iter().copied().collect();
        assert_eq!(once.len(), kinds.len());
        let known = (1..).take_while(|number| Kind::try_from(*number).is_ok());
        assert_eq!(once, known.collect());
    }
}
