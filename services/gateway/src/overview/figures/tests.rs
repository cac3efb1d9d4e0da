use proto::gateway::figure::Breakdown;
use proto::gateway::section::Kind;
use proto::gateway::{Figure, FigureCoverage, Measure, Section};
use proto::notification::alert::Severity;
use proto::notification::{AlertGroup, ConcernCategoryFigures, ConcernFigures};
use proto::roster::check_policy::Slot;
use proto::safety::SafetyFigures;
use proto::safety::resumption_figures::Figure as Readiness;
use proto::safety::safety_figures::{Demand, Hazards};
use proto::sampling::{
    AbsenceCoverage, CheckCoverage, Coverage, HealthCoverage, OpenHealthMatters, PrivateCount,
};

use super::{Told, notification, safety, sampling};

fn at(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

fn section(told: &Told, kind: Kind) -> &Section {
    let mut of_kind = told.sections.iter().filter(|one| one.kind() == kind);
    let found = of_kind.next().expect("the source fills the section");
    assert_eq!(of_kind.next(), None, "once");
    found
}

fn figure(told: &Told, kind: Kind, measure: Measure, part: Option<Breakdown>) -> Figure {
    let figures = &section(told, kind).figures;
    let found = figures
        .iter()
        .find(|one| one.measure() == measure && one.breakdown == part);
    found
        .cloned()
        .unwrap_or_else(|| panic!("{measure:?} of {part:?} is there"))
}

fn covers(known_count: i64, expected_count: i64) -> Option<FigureCoverage> {
    Some(FigureCoverage {
        known_count,
        expected_count,
    })
}

fn shown(count: i32) -> Option<PrivateCount> {
    Some(PrivateCount {
        count: Some(count),
        hidden: false,
    })
}

fn hidden() -> Option<PrivateCount> {
    Some(PrivateCount {
        count: None,
        hidden: true,
    })
}

fn morning(answered: i32, expected: i32, overdue: i32) -> CheckCoverage {
    CheckCoverage {
        slot: Slot::Morning.into(),
        expected_count: expected,
        answered_count: answered,
        submitted_count: answered,
        missing_count: expected - answered,
        overdue_count: overdue,
        ill_absent_count: shown(0),
        ..CheckCoverage::default()
    }
}

#[test]
fn every_figure_names_its_source_and_its_time() {
    let told = sampling::coverage(Coverage::default(), at(7));
    for section in &told.sections {
        assert_eq!(
            section.source,
            "campus.sampling.v1.CoverageService/GetCoverage"
        );
        assert!(!section.figures.is_empty());
        for figure in &section.figures {
            assert_eq!(
                (&figure.source, figure.data_time),
                (&section.source, Some(at(7)))
            );
        }
    }
    let read = SafetyFigures {
        data_time: Some(at(5)),
        ..SafetyFigures::default()
    };
    let told = safety::figures(read, at(7));
    assert_eq!(
        section(&told, Kind::Safety).data_time,
        Some(at(5)),
        "the service's own time"
    );
}

#[test]
fn a_check_that_nobody_submitted_says_nothing_of_absences() {
    let told = HealthCoverage {
        checks: vec![morning(0, 12, 12)],
        ill_count: shown(0),
        ..HealthCoverage::default()
    };
    let told = sampling::health(told, at(7));
    let part = Some(Breakdown::Slot(Slot::Morning.into()));
    let missing = figure(&told, Kind::Checks, Measure::ChecksMissing, part);
    assert_eq!((missing.value, missing.late_count), (Some(12), Some(12)));
    let submitted = figure(&told, Kind::Checks, Measure::ChecksSubmitted, part);
    assert_eq!(
        (submitted.value, submitted.coverage),
        (Some(0), covers(0, 12))
    );
    for measure in [
        Measure::PeopleAbsent,
        Measure::PeopleIllAbsent,
        Measure::ChecksZero,
    ] {
        let silent = figure(&told, Kind::Checks, measure, part);
        assert_eq!((silent.value, silent.hidden), (None, false), "{measure:?}");
        assert_eq!(silent.coverage, covers(0, 12));
    }
    assert_eq!(
        figure(&told, Kind::Health, Measure::PeopleIll, None).value,
        None
    );
}

#[test]
fn a_zero_that_somebody_said_is_a_zero() {
    let told = HealthCoverage {
        checks: vec![morning(3, 12, 0)],
        ill_count: shown(0),
        ..HealthCoverage::default()
    };
    let told = sampling::health(told, at(7));
    let ill = figure(&told, Kind::Health, Measure::PeopleIll, None);
    // Nine checks are missing, none of them is over.
    assert_eq!((ill.value, ill.coverage), (Some(0), covers(3, 3)));
}

#[test]
fn a_count_that_the_service_hides_stays_hidden() {
    let told = HealthCoverage {
        checks: vec![morning(12, 12, 0)],
        ill_count: hidden(),
        open_matters: Some(OpenHealthMatters {
            absences: vec![AbsenceCoverage {
                reason: 1,
                untraced_count: hidden(),
                ..AbsenceCoverage::default()
            }],
            cluster_count: shown(2),
            ..OpenHealthMatters::default()
        }),
        hidden_below: 3,
        ..HealthCoverage::default()
    };
    let told = sampling::health(told, at(7));
    let reason = Some(Breakdown::AbsenceReason(1));
    let health = |measure, part| {
        let figure = figure(&told, Kind::Health, measure, part);
        (figure.value, figure.hidden)
    };
    assert_eq!(health(Measure::PeopleIll, None), (None, true));
    assert_eq!(health(Measure::AbsencesUntraced, reason), (None, true));
    assert_eq!(
        health(Measure::AbsencesTraced, reason),
        (None, false),
        "not told"
    );
    assert_eq!(health(Measure::ClustersOpen, None), (Some(2), false));
    assert_eq!(section(&told, Kind::Health).hidden_below, 3);
}

#[test]
fn open_matters_that_are_not_told_are_left_out() {
    let told = sampling::health(HealthCoverage::default(), at(7));
    let figures = &section(&told, Kind::Health).figures;
    let of = |measure| figures.iter().any(|one| one.measure() == measure);
    assert!(of(Measure::PeopleIll) && !of(Measure::ClustersOpen) && !of(Measure::CasesOpen));
}

#[test]
fn no_hazard_at_silent_campuses_is_no_zero() {
    let of = |silent_campus_count| {
        let told = SafetyFigures {
            campus_count: 4,
            silent_campus_count,
            demands: vec![Demand {
                kind: 1,
                not_declared_count: 4,
                met_basis_points: Some(0),
                ..Demand::default()
            }],
            hazards: Some(Hazards::default()),
            ..SafetyFigures::default()
        };
        safety::figures(told, at(7))
    };
    let major = |told| figure(&told, Kind::Safety, Measure::HazardsMajor, None);
    assert_eq!(
        (major(of(4)).value, major(of(4)).coverage),
        (None, covers(0, 4))
    );
    assert_eq!(
        (major(of(1)).value, major(of(1)).coverage),
        (Some(0), covers(3, 4))
    );
    let share = Measure::ProtectionMetBasisPoints;
    let share = figure(&of(1), Kind::Safety, share, Some(Breakdown::Demand(1)));
    assert_eq!(share.value, None, "nobody declared anything");
}

#[test]
fn readiness_is_as_old_as_the_oldest_look_and_without_schools_has_no_score() {
    let told = Readiness {
        resumption_count: 3,
        silent_count: 1,
        score: 40,
        oldest_check_time: Some(at(2)),
        ..Readiness::default()
    };
    let told = safety::readiness(Some(told), at(7));
    let score = figure(&told, Kind::Resumption, Measure::ResumptionScore, None);
    assert_eq!((score.value, score.data_time), (Some(40), Some(at(2))));
    let all = figure(&told, Kind::Resumption, Measure::Resumptions, None);
    assert_eq!((all.data_time, all.coverage), (Some(at(7)), covers(2, 3)));
    let none = safety::readiness(None, at(7));
    let mut figures = section(&none, Kind::Resumption).figures.iter();
    assert!(figures.all(|one| one.measure() != Measure::ResumptionScore));
}

#[test]
fn alerts_are_added_up_by_the_gravest_of_their_group() {
    let group = |severity: Severity, alert_count, open_count| AlertGroup {
        severity: severity.into(),
        alert_count,
        open_count,
        ..AlertGroup::default()
    };
    let groups = [
        group(Severity::Critical, 2, 1),
        group(Severity::Notice, 5, 5),
        group(Severity::Critical, 1, 0),
    ];
    let told = notification::alerts(&groups, at(7));
    let count = |measure, part| figure(&told, Kind::Alerts, measure, part).value;
    let of = |severity: Severity| Some(Breakdown::Severity(severity.into()));
    assert_eq!(count(Measure::AlertsUnresolved, None), Some(8));
    assert_eq!(
        count(Measure::AlertsUnresolved, of(Severity::Critical)),
        Some(3)
    );
    assert_eq!(
        count(Measure::AlertsUnresolved, of(Severity::Warning)),
        Some(0)
    );
    assert_eq!(count(Measure::AlertsUnseen, None), Some(6));
}

#[test]
fn a_sum_of_concerns_is_hidden_when_anything_in_it_is() {
    let told = ConcernFigures {
        categories: vec![
            ConcernCategoryFigures {
                category: 1,
                open_count: -1,
                late_count: 4,
                ..ConcernCategoryFigures::default()
            },
            ConcernCategoryFigures {
                category: 2,
                open_count: 9,
                late_count: 0,
                ..ConcernCategoryFigures::default()
            },
        ],
        ..ConcernFigures::default()
    };
    let told = notification::concerns(told, at(7));
    let of = |measure, category: Option<i32>| {
        let part = category.map(Breakdown::Category);
        let figure = figure(&told, Kind::Concerns, measure, part);
        (figure.value, figure.hidden)
    };
    assert_eq!(of(Measure::ConcernsOpen, None), (None, true));
    assert_eq!(of(Measure::ConcernsOpen, Some(1)), (None, true));
    assert_eq!(of(Measure::ConcernsOpen, Some(2)), (Some(9), false));
    assert_eq!(of(Measure::ConcernsLate, None), (Some(4), false));
}
