//! The golden numbers of guards, what lapses by itself, and every move from every state.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::declaration::{Bus, Certificates, Declaration, Guards, Statement};
use super::device::{DeviceKind, Devices};
use super::figures::Figure;
use super::finding::{Code, PartKind};
use super::guards::{GuardRules, People};
use super::judgement::{Judgement, Rules, Verdict, first_lapse, judge};
use super::version::{Refusal, State, Verb, step};

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, month, day).unwrap()
}

fn of(pupils: u32) -> People {
    People {
        pupils,
        ..People::default()
    }
}

/// Golden test T17.
#[test]
fn guards_follow_the_formula_of_the_day() {
    let rules = Rules::default().guards;
    let numbers = [99, 999, 1000, 1499, 1500];
    let on = |day| numbers.map(|people| rules.requirement(of(people), day).required);
    assert_eq!(on(day(5, 31)), [1, 2, 2, 2, 3]);
    assert_eq!(on(day(6, 1)), [1, 2, 3, 3, 4]);
}

#[test]
fn the_rule_of_2015_counts_staff_and_that_of_2022_boarders() {
    let rules = Rules::default().guards;
    let people = People {
        pupils: 960,
        boarders: 650,
        staff: 540,
        guards: 0,
    };
    assert_eq!(rules.requirement(people, day(5, 31)).required, 3);
    assert_eq!(rules.requirement(people, day(6, 1)).required, 2 + 2);
    let none = GuardRules {
        boarders_per_guard: 0,
        ..rules
    };
    assert_eq!(none.requirement(people, day(6, 1)).required, 2);
}

fn part(judged: &Judgement, kind: PartKind) -> (Verdict, Vec<Code>) {
    let part = judged.parts.iter().find(|part| part.kind == kind).unwrap();
    let codes = part.findings.iter().map(|finding| finding.code);
    (part.verdict, codes.collect())
}

#[test]
fn nothing_declared_is_neither_yes_nor_no() {
    let judged = judge(
        &Declaration::default(),
        of(500),
        &Rules::default(),
        day(4, 6),
    );
    for part in &judged.parts {
        assert_eq!(part.verdict, Verdict::NotDeclared, "{:?}", part.kind);
        let found: Vec<Code> = part.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(found, [Code::NotDeclared], "{:?}", part.kind);
    }
    assert_eq!((judged.due(), judged.parts.len()), (None, 10));
}

#[test]
fn who_serves_no_food_and_runs_no_bus_is_asked_for_nothing() {
    let declaration = Declaration {
        buses: Some(Vec::new()),
        no_food: true,
        ..Declaration::default()
    };
    let judged = judge(&declaration, of(500), &Rules::default(), day(4, 6));
    for kind in [PartKind::SchoolBuses, PartKind::Food] {
        assert_eq!(part(&judged, kind), (Verdict::Met, vec![]));
    }
}

#[test]
fn nobody_who_has_buses_declares_that_there_is_none() {
    let none = Declaration {
        buses: Some(Vec::new()),
        ..Declaration::default()
    };
    let judged = |declaration: &Declaration, has| {
        let judged = judge(declaration, of(500), &Rules::default(), day(4, 6));
        part(&judged.with_buses(declaration, has), PartKind::SchoolBuses)
    };
    assert_eq!(judged(&none, false), (Verdict::Met, vec![]));
    let denied = (Verdict::NotMet, vec![Code::BusesUndeclared]);
    assert_eq!(judged(&none, true), denied);
    let nothing = (Verdict::NotDeclared, vec![Code::NotDeclared]);
    assert_eq!(judged(&Declaration::default(), true), nothing);
}

#[test]
fn a_certificate_and_a_bus_inspection_lapse_by_the_clock() {
    let declaration = Declaration {
        full_time_guards: Some(Statement {
            met: true,
            since: day(1, 1),
            evidence: "合同 12 号".to_owned(),
            expires: Some(day(4, 30)),
        }),
        guards: Some(Guards {
            over_age: 0,
            certificates: vec![Certificates {
                count: 2,
                expires: day(5, 10),
            }],
            gatehouse_all_day: true,
        }),
        buses: Some(vec![Bus {
            label: "1 号车".to_owned(),
            inspected: NaiveDate::from_ymd_opt(2021, 8, 31).unwrap(),
            licence_expires: day(12, 31),
            attendant: true,
        }]),
        ..Declaration::default()
    };
    let people = People {
        pupils: 500,
        guards: 2,
        ..People::default()
    };
    let on = |day| judge(&declaration, people, &Rules::default(), day);
    // Six months after 31 August is the last day of February.
    assert_eq!(first_lapse(&declaration), Some(day(2, 28)));
    assert_eq!(on(day(2, 28)).due(), Some(day(2, 28)));
    let met = (Verdict::Met, vec![]);
    assert_eq!(part(&on(day(2, 28)), PartKind::SchoolBuses), met);
    let overdue = (Verdict::NotMet, vec![Code::BusInspectionOverdue]);
    assert_eq!(part(&on(day(3, 1)), PartKind::SchoolBuses), overdue);
    assert_eq!(part(&on(day(4, 30)), PartKind::FullTimeGuards), met);
    let expired = (Verdict::NotMet, vec![Code::EvidenceExpired]);
    assert_eq!(part(&on(day(5, 1)), PartKind::FullTimeGuards), expired);
    assert_eq!(part(&on(day(5, 10)), PartKind::Guards), met);
    let lapsed = [Code::TooFewGuards, Code::GuardUncertified];
    let lapsed = (Verdict::NotMet, lapsed.to_vec());
    assert_eq!(part(&on(day(5, 11)), PartKind::Guards), lapsed);
}

#[test]
fn a_device_counts_against_the_part_that_rests_on_it() {
    let rules = Rules::default();
    let today = day(4, 6);
    let judged = |kind, online, reported| {
        let devices = [Devices {
            kind,
            online,
            reported,
            count: 2,
        }];
        judge(&Declaration::default(), of(500), &rules, today).with_devices(&devices, &rules, today)
    };
    let found = |judged: &Judgement| -> Vec<(PartKind, Code, u32)> {
        let parts = judged.parts.iter();
        let all = parts.flat_map(|part| {
            let found = part.findings.iter();
            found.map(move |finding| (part.kind, finding.code, finding.actual))
        });
        all.filter(|(_, code, _)| *code != Code::NotDeclared)
            .collect()
    };
    for (kind, part) in [
        (DeviceKind::Camera, PartKind::Video),
        (DeviceKind::Alarm, PartKind::OneKeyAlarm),
        (DeviceKind::IntrusionDetector, PartKind::KeyParts),
        (DeviceKind::AccessControl, PartKind::Entrance),
        (DeviceKind::Barrier, PartKind::Entrance),
        (DeviceKind::Recorder, PartKind::Video),
        (DeviceKind::PatrolReader, PartKind::Patrol),
    ] {
        let offline = found(&judged(kind, false, today));
        assert_eq!(offline, [(part, Code::DevicesOffline, 2)]);
        assert!(found(&judged(kind, true, day(4, 5))).is_empty());
        // Nobody has heard of it since the day before yesterday: that it was online then says nothing.
        let silent = found(&judged(kind, true, day(4, 4)));
        assert_eq!(silent, [(part, Code::DevicesSilent, 2)]);
    }
}

#[test]
fn each_move_from_each_state_is_what_the_table_says() {
    let states = [
        State::NotDeclared,
        State::Declared,
        State::Confirmed,
        State::Returned,
    ];
    for state in states {
        for verb in [Verb::Declare, Verb::Confirm, Verb::Return] {
            let expected = match (state, verb) {
                (_, Verb::Declare) => Ok(State::Declared),
                (State::Declared, Verb::Confirm) => Ok(State::Confirmed),
                (State::Declared, Verb::Return) => Ok(State::Returned),
                (state, _) => Err(Refusal::State(state)),
            };
            assert_eq!(step(state, verb, "a", "b"), expected, "{state:?} {verb:?}");
        }
    }
    for verb in [Verb::Confirm, Verb::Return] {
        let refused = step(State::Declared, verb, "a", "a");
        assert_eq!(refused, Err(Refusal::Oneself));
    }
}

proptest! {
    #[test]
    fn more_people_never_need_fewer_guards(people in 0u32..20_000, later in 0u64..400) {
        let rules = Rules::default().guards;
        let day = day(1, 1) + Days::new(later);
        let (fewer, more) = (of(people), of(people + 1));
        prop_assert!(rules.requirement(fewer, day).required <= rules.requirement(more, day).required);
    }

    #[test]
    fn what_is_not_declared_is_the_rest(met in 0u64..50, no in 0u64..50, lapsed in 0u64..50, rest in 0u64..50) {
        let figure = Figure { campuses: met + no + lapsed + rest, met, not_met: no, lapsed, confirmed: 0 };
        prop_assert_eq!(figure.not_declared(), rest);
        prop_assert_eq!(figure.confirmed_basis_points(), figure.basis_points().map(|_| 0));
        let points = figure.basis_points();
        prop_assert_eq!(points.is_none(), figure.campuses == 0);
        prop_assert!(points.is_none_or(|points| points <= 10_000));
    }
}
