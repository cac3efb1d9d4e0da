use proto::gateway::figure::Breakdown;
use proto::gateway::section::{Kind, State};
use proto::gateway::{Figure, FigureCoverage, Measure, Section};
use proto::notification::alert::Severity;
use proto::notification::{AlertGroup, ConcernCategoryFigures, ConcernFigures, DirectiveFigures};
use proto::privacy::PrivateCount;
use proto::roster::TeachingSummary;
use proto::roster::check_policy::Slot;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::teaching_summary::ModeCount;
use proto::safety::SafetyFigures;
use proto::safety::resumption_figures::Figure as Readiness;
use proto::safety::safety_figures::{Demand, Gates, Hazards};
use proto::sampling::{
    AbsenceCoverage, CheckCoverage, Coverage, HealthCoverage, HoldFigures, OpenHealthMatters,
    TubeFigures,
};

use super::{Told, notification, roster, safety, sampling};

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
    let read = Coverage {
        holds: Some(HoldFigures::default()),
        ..Coverage::default()
    };
    let told = sampling::coverage(read, at(7));
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
                open_count: hidden(),
                late_count: shown(4),
                ..ConcernCategoryFigures::default()
            },
            ConcernCategoryFigures {
                category: 2,
                open_count: shown(9),
                late_count: shown(0),
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

#[test]
fn what_was_corrected_stands_beside_what_was_counted_from_it() {
    let corrected = |slot: Slot, count, seconds| CheckCoverage {
        slot: slot.into(),
        corrected_count: count,
        last_correct_time: (count > 0).then(|| at(seconds)),
        ..morning(12, 12, 0)
    };
    let told = HealthCoverage {
        checks: vec![
            corrected(Slot::Morning, 2, 50),
            corrected(Slot::Noon, 1, 40),
            corrected(Slot::Evening, 0, 0),
        ],
        ill_count: shown(3),
        ..HealthCoverage::default()
    };
    let told = sampling::health(told, at(70));
    let beside = |measure, slot: Option<Slot>| {
        let part = slot.map(|slot| Breakdown::Slot(slot.into()));
        let kind = match part {
            Some(_) => Kind::Checks,
            None => Kind::Health,
        };
        let figure = figure(&told, kind, measure, part);
        (figure.corrected_count, figure.last_correct_time)
    };
    let submitted = Measure::ChecksSubmitted;
    assert_eq!(
        beside(submitted, Some(Slot::Morning)),
        (Some(2), Some(at(50)))
    );
    assert_eq!(beside(submitted, Some(Slot::Evening)), (Some(0), None));
    assert_eq!(
        beside(Measure::PeopleAbsent, Some(Slot::Noon)),
        (Some(1), Some(at(40)))
    );
    assert_eq!(
        beside(Measure::ChecksMissing, Some(Slot::Noon)),
        (None, None)
    );
    assert_eq!(beside(Measure::PeopleIll, None), (Some(3), Some(at(50))));
}

#[test]
fn tubes_that_nobody_tested_are_not_negative_and_unread_ones_are_not_told() {
    let tubes = |result_count, positive_count| TubeFigures {
        opened_count: 9,
        sealed_count: 8,
        received_count: 7,
        result_count,
        positive_count,
        corrected_count: 1,
        last_correct_time: Some(at(3)),
        late_result_count: 2,
        overdue_count: 4,
        ..TubeFigures::default()
    };
    let told = |tubes, holds| {
        let told = Coverage {
            tubes,
            holds,
            ..Coverage::default()
        };
        sampling::coverage(told, at(7))
    };
    let of = |told: &Told, measure| figure(told, Kind::Tubes, measure, None);
    let tested = told(Some(tubes(5, Some(1))), None);
    let results = of(&tested, Measure::Results);
    assert_eq!((results.value, results.coverage), (Some(5), covers(5, 8)));
    assert_eq!(results.late_count, Some(6));
    let positive = of(&tested, Measure::ResultsPositive);
    assert_eq!(
        (positive.value, positive.corrected_count),
        (Some(1), Some(1))
    );
    assert_eq!(positive.last_correct_time, Some(at(3)));
    let untested = told(Some(tubes(0, Some(0))), None);
    assert_eq!(of(&untested, Measure::ResultsPositive).value, None);
    let blind = told(Some(tubes(5, None)), None);
    let blind = &section(&blind, Kind::Tubes).figures;
    assert!(
        blind
            .iter()
            .all(|one| one.measure() != Measure::ResultsPositive)
    );
    let held = HoldFigures {
        hold_count: 2,
        overdue_count: 1,
    };
    let held = of(&told(None, Some(held)), Measure::HoldsActive);
    assert_eq!((held.value, held.late_count), (Some(2), Some(1)));
    let nothing = told(None, None);
    let nothing = section(&nothing, Kind::Tubes);
    assert_eq!(nothing.state(), State::NotPermitted);
    assert!(nothing.figures.is_empty() && nothing.data_time.is_none());
}

#[test]
fn gates_are_told_with_those_that_are_silent_and_with_what_was_overridden() {
    let told = |campus_count, stopped_count| SafetyFigures {
        campus_count: 4,
        hazards: Some(Hazards {
            ungraded_open_count: 1,
            major_open_count: 2,
            major_overdue_count: 1,
            moved_count: 2,
            last_move_time: Some(at(2)),
            ..Hazards::default()
        }),
        gates: Some(Gates {
            decision_count: 90,
            offline_count: 5,
            stopped_count,
            overridden_count: 1,
            last_override_time: Some(at(3)),
            campus_count,
        }),
        ..SafetyFigures::default()
    };
    let of = |told: SafetyFigures, kind, measure| {
        let told = safety::figures(told, at(7));
        figure(&told, kind, measure, None)
    };
    let all = of(told(3, Some(2)), Kind::Gates, Measure::GateDecisions);
    assert_eq!((all.value, all.coverage), (Some(90), covers(3, 4)));
    assert_eq!(all.late_count, Some(5));
    assert_eq!(
        (all.corrected_count, all.last_correct_time),
        (Some(1), Some(at(3)))
    );
    let stopped = |campuses| of(told(campuses, Some(0)), Kind::Gates, Measure::GateStopped);
    assert_eq!((stopped(3).value, stopped(0).value), (Some(0), None));
    let hazards = of(told(3, None), Kind::Safety, Measure::HazardsOpen);
    assert_eq!((hazards.value, hazards.late_count), (Some(3), Some(1)));
    assert_eq!(hazards.corrected_count, Some(2));
}

#[test]
fn directives_are_told_with_how_many_they_have_reached() {
    let told = DirectiveFigures {
        in_force_count: 2,
        reached_count: 10,
        accepted_count: 4,
        late_count: 1,
        overdue_count: 2,
        owed_count: 3,
        owed_overdue_count: 1,
        ..DirectiveFigures::default()
    };
    let told = notification::directives(told, at(7));
    let of = |measure| figure(&told, Kind::Directives, measure, None);
    let accepted = of(Measure::DirectivesAccepted);
    assert_eq!(
        (accepted.value, accepted.coverage, accepted.late_count),
        (Some(4), covers(4, 10), Some(3))
    );
    assert_eq!(of(Measure::DirectivesOutstanding).value, Some(6));
    let owed = of(Measure::DirectivesOwed);
    assert_eq!((owed.value, owed.late_count), (Some(3), Some(1)));
}

#[test]
fn class_groups_are_told_by_mode_and_schools_with_how_many_there_are() {
    let mode = |mode: TeachingMode, class_group_count| ModeCount {
        teaching_mode: mode.into(),
        class_group_count,
    };
    let told = TeachingSummary {
        org_path: "fz".to_owned(),
        class_group_count: 12,
        modes: vec![
            mode(TeachingMode::InPerson, 9),
            mode(TeachingMode::Online, 3),
            mode(TeachingMode::Suspended, 0),
        ],
        school_count: 4,
        in_person_school_count: 2,
        data_time: Some(at(5)),
        ..TeachingSummary::default()
    };
    let told = roster::teaching(told, at(7));
    assert_eq!((&*told.org_path, told.sections.len()), ("fz", 1));
    let of = |measure, mode: Option<TeachingMode>| {
        let part = mode.map(|mode| Breakdown::TeachingMode(mode.into()));
        figure(&told, Kind::Teaching, measure, part)
    };
    let groups = |mode| of(Measure::ClassGroupsActive, mode).value;
    let by_mode = [
        TeachingMode::InPerson,
        TeachingMode::Online,
        TeachingMode::Suspended,
    ];
    assert_eq!(groups(None), Some(12));
    assert_eq!(
        by_mode.map(|mode| groups(Some(mode))),
        [Some(9), Some(3), Some(0)],
        "a mode that nobody is taught in is a zero"
    );
    let schools = of(Measure::SchoolsInPerson, None);
    assert_eq!(
        (schools.value, schools.coverage, schools.data_time),
        (Some(2), covers(2, 4), Some(at(5)))
    );
}
