use proptest::prelude::*;
use proto::gateway::section::{Kind, State};
use proto::gateway::{Measure, Overview};
use proto::notification::DirectiveFigures;
use proto::roster::TeachingSummary;
use proto::safety::SafetyFigures;
use proto::sampling::{CheckCoverage, Coverage, HealthCoverage};

use super::assemble::{Part, Parts, Place, assemble, changed};
use super::figures::{Told, notification, roster, safety, sampling};
use super::rank::Rank;
use super::source::Source;

const DAY: proto::Date = proto::Date {
    year: 2022,
    month: 4,
    day: 7,
};

fn at(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

fn shown(parts: &Parts) -> Overview {
    assemble("fz", Place::default(), DAY, parts, at(9))
}

fn told(source: Source, count: i32, seconds: i64) -> Told {
    let campuses = SafetyFigures {
        campus_count: count,
        ..SafetyFigures::default()
    };
    let people = Coverage {
        org_path: "fz".to_owned(),
        school_count: count,
        ..Coverage::default()
    };
    let taught = TeachingSummary {
        class_group_count: count,
        ..TeachingSummary::default()
    };
    match source {
        Source::SafetyFigures => safety::figures(campuses, at(seconds)),
        Source::Coverage => sampling::coverage(people, at(seconds)),
        Source::HealthCoverage => sampling::health(HealthCoverage::default(), at(seconds)),
        Source::DirectiveFigures => {
            notification::directives(DirectiveFigures::default(), at(seconds))
        }
        Source::TeachingSummary => roster::teaching(taught, at(seconds)),
        _ => safety::readiness(None, at(seconds)),
    }
}

fn any_part() -> impl Strategy<Value = (Source, Part)> {
    let source = proptest::sample::select(Source::ALL.to_vec());
    (source, 0..6, 0..100_i32).prop_map(|(source, state, count)| {
        let told = || told(source, count, i64::from(count));
        let part = match state {
            0 => Part::Told(told()),
            1 => Part::NotPermitted,
            2 => Part::Unavailable(Some(told())),
            3 => Part::Unavailable(None),
            4 => Part::Unknown("POLICY_UNKNOWN".to_owned()),
            _ => Part::NotKept,
        };
        (source, part)
    })
}

proptest! {
    #[test]
    fn an_overview_does_not_depend_on_the_order_in_which_parts_arrive(
        (parts, other) in proptest::collection::btree_map(
            proptest::sample::select(Source::ALL.to_vec()), any_part(), 0..=8,
        ).prop_flat_map(|parts| {
            let parts: Vec<(Source, Part)> = parts
                .into_iter()
                .map(|(source, (_, part))| (source, part))
                .collect();
            (Just(parts.clone()), Just(parts).prop_shuffle())
        })
    ) {
        let one = shown(&parts.into_iter().collect());
        let other = shown(&other.into_iter().collect());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn every_section_is_there_once_in_its_order_and_only_what_was_told_has_figures(
        parts in proptest::collection::vec(any_part(), 0..20)
    ) {
        let mut all: Parts = Source::ALL
            .into_iter()
            .map(|source| (source, Part::Unavailable(None)))
            .collect();
        all.extend(parts);
        let overview = shown(&all);
        let kinds: Vec<i32> = overview.sections.iter().map(|section| section.kind).collect();
        prop_assert_eq!(kinds, (1..=12).collect::<Vec<_>>());
        for section in &overview.sections {
            let kept = matches!(section.state(), State::Current | State::Unavailable);
            prop_assert!(kept || section.figures.is_empty());
            prop_assert_eq!(section.figures.is_empty(), section.data_time.is_none());
            prop_assert!(section.state() != State::Unspecified);
        }
    }

    #[test]
    fn whoever_takes_in_what_changed_knows_the_present(
        before in proptest::collection::vec(any_part(), 0..10),
        after in proptest::collection::vec(any_part(), 0..10),
    ) {
        let whole = |parts: Vec<(Source, Part)>| {
            let mut all: Parts = Source::ALL
                .into_iter()
                .map(|source| (source, Part::NotPermitted))
                .collect();
            all.extend(parts);
            shown(&all)
        };
        let (mut known, after) = (whole(before), whole(after));
        for news in changed(&known, &after) {
            for section in &mut known.sections {
                if section.kind == news.kind {
                    *section = news.clone();
                }
            }
        }
        prop_assert!(changed(&known, &after).is_empty());
        let states = |overview: &Overview| {
            let states = overview.sections.iter().map(|section| section.state);
            states.collect::<Vec<_>>()
        };
        prop_assert_eq!(states(&known), states(&after));
    }
}

#[test]
fn counting_again_with_the_same_outcome_is_no_change() {
    let parts = |count, seconds| {
        let told = told(Source::SafetyFigures, count, seconds);
        Parts::from([(Source::SafetyFigures, Part::Told(told))])
    };
    let before = shown(&parts(3, 1));
    assert_eq!(changed(&before, &shown(&parts(3, 2))), Vec::new());
    let news = changed(&before, &shown(&parts(4, 2)));
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].kind(), Kind::Safety);
}

#[test]
fn what_was_known_last_is_shown_as_old_as_it_is() {
    let last = told(Source::SafetyFigures, 3, 1);
    let parts = Parts::from([(Source::SafetyFigures, Part::Unavailable(Some(last)))]);
    let overview = shown(&parts);
    let section = &overview.sections[0];
    assert_eq!(section.state(), State::Unavailable);
    assert_eq!(section.data_time, Some(at(1)));
    assert_eq!(section.figures[0].measure(), Measure::Campuses);
    assert_eq!(section.figures[0].value, Some(3));
}

fn school(id: &str, answered: i32, overdue: i32, silent: i32) -> Overview {
    let check = CheckCoverage {
        slot: 1,
        expected_count: answered + overdue,
        answered_count: answered,
        missing_count: overdue,
        overdue_count: overdue,
        ..CheckCoverage::default()
    };
    let health = HealthCoverage {
        checks: vec![check],
        ..HealthCoverage::default()
    };
    let safety = SafetyFigures {
        campus_count: 2,
        silent_campus_count: silent,
        ..SafetyFigures::default()
    };
    let health = Part::Told(sampling::health(health, at(1)));
    let parts = Parts::from([
        (Source::HealthCoverage, health),
        (
            Source::SafetyFigures,
            Part::Told(safety::figures(safety, at(1))),
        ),
    ]);
    assemble(id, Place::default(), DAY, &parts, at(2))
}

#[test]
fn the_most_silent_comes_first_whatever_its_size() {
    let mut ranked = [
        school("large", 90, 10, 2),
        school("small", 0, 1, 0),
        school("good", 10, 0, 0),
        school("unsafe", 10, 0, 1),
    ];
    ranked.sort_by_key(Rank::of);
    let names = ranked.map(|one| one.name.replace("/overview", ""));
    let expected = ["small", "large", "unsafe", "good"];
    assert_eq!(names, expected.map(|id| format!("organizations/{id}")));
}

#[test]
fn what_no_service_told_ranks_nobody() {
    let parts = |part: Part| Parts::from([(Source::HealthCoverage, part)]);
    let unknown = assemble(
        "a",
        Place::default(),
        DAY,
        &parts(Part::NotPermitted),
        at(1),
    );
    let overdue = school("b", 9, 1, 0);
    assert!(Rank::of(&overdue) < Rank::of(&unknown));
}
