use std::collections::BTreeSet;

use chrono::NaiveDate;
use kit::calendar::{Calendar, Year};
use proptest::prelude::*;
use uuid::Uuid;

use super::obligation::{Kind, Numbers, Period, Standing, owed};
use super::*;
use crate::domain::organization::Kind as OrganizationKind;
use crate::domain::person::{PersonKind, PersonName};

const CLASS: &str = "organizations/s/classGroups/c";
const STAFF: &str = "organizations/s/staffRoll";

fn now() -> DateTime<Utc> {
    "2022-04-06T01:00:00Z".parse().unwrap()
}

fn plan(kind: Type) -> Plan {
    Plan {
        kind,
        scenario: "三楼实验室起火".to_owned(),
        leader: "staff/leader".to_owned(),
        at: now() + TimeDelta::hours(1),
        storeys: 4,
        routes: String::new(),
        riders: Vec::new(),
    }
}

fn signal() -> Signal {
    Signal {
        at: now(),
        by: "staff/caller".to_owned(),
        target_seconds: Some(120),
        policy_version: "p@1".to_owned(),
    }
}

fn drill(state: State) -> Drill {
    let groups = vec![
        Group::expected(CLASS.to_owned(), 40),
        Group::expected(STAFF.to_owned(), 5),
    ];
    let drill = Drill::new(plan(Type::Fire), now()).unwrap();
    Drill {
        state,
        groups,
        signal: Some(signal()),
        ..drill
    }
}

fn person(kind: PersonKind, number: u128) -> PersonName {
    let id = Uuid::from_u128(number);
    PersonName { kind, id }
}

fn count(group: &str, present: u32, missing: &[PersonName]) -> Count {
    Count {
        group: group.to_owned(),
        present,
        missing: missing.to_vec(),
    }
}

/// Rule 5.20, written down a second time: step, from, to.
const TABLE: &str = "
    APPROVE PLANNED APPROVED
    APPROVE POSTPONED APPROVED
    ANNOUNCE APPROVED ANNOUNCED
    CONCEAL APPROVED UNANNOUNCED
    POSTPONE PLANNED POSTPONED
    POSTPONE APPROVED POSTPONED
    POSTPONE ANNOUNCED POSTPONED
    POSTPONE UNANNOUNCED POSTPONED
    START ANNOUNCED RUNNING
    START UNANNOUNCED RUNNING
    ALL_OUT RUNNING ALL_OUT
    HEADCOUNT ALL_OUT HEADCOUNTED
    FIND HEADCOUNTED HEADCOUNTED
    END HEADCOUNTED ENDED
    ABORT RUNNING ABORTED
    ABORT ALL_OUT ABORTED
    ABORT HEADCOUNTED ABORTED
    REVIEW ENDED REVIEWED
    ARCHIVE REVIEWED ARCHIVED
";

/// Does a step with arguments that fit, so that only the state can refuse.
fn go(drill: Drill, step: Step) -> Result<(Drill, Move), Refused> {
    let all = || vec![count(CLASS, 40, &[]), count(STAFF, 5, &[])];
    let groups = drill.groups.clone();
    match step {
        Step::Approve | Step::Announce | Step::Conceal | Step::Abort | Step::Archive => {
            drill.step(step)
        }
        Step::Postpone => drill.postpone(now() + TimeDelta::days(1), now()),
        Step::Start => drill.start(signal(), groups, now()),
        Step::AllOut => drill.all_out(now(), now()),
        Step::Headcount => drill.headcount(all()),
        Step::Find => {
            let mut missed = drill;
            missed.groups[0].missing = vec![Missing {
                person: "students/1".to_owned(),
                found: None,
            }];
            missed.found("students/1", now())
        }
        Step::End => drill.end(Ending::default()),
        Step::Review => drill.review(Review {
            reviewer: "staff/other".to_owned(),
            score: 90,
            summary: "有序".to_owned(),
            hazards: Vec::new(),
            at: now(),
        }),
    }
}

#[test]
fn every_step_from_every_state_is_in_the_rules_or_refused() {
    let allowed: BTreeSet<&str> = TABLE.lines().map(str::trim).collect();
    let mut moves = 0;
    for state in State::ALL {
        for step in Step::ALL {
            let start = format!("{} {} ", step.as_str(), state.as_str());
            let rule = allowed.iter().find_map(|line| line.strip_prefix(&*start));
            match go(drill(*state), *step) {
                Ok((after, moved)) => {
                    assert_eq!(Some(after.state.as_str()), rule, "{start}");
                    let told = (moved.from, moved.to, moved.step);
                    let expected = (state.as_str(), after.state.as_str(), step.as_str());
                    assert_eq!(told, expected);
                    moves += 1;
                }
                Err(refused) => {
                    assert_eq!(refused, Refused::State(*state), "{start}");
                    assert_eq!(rule, None, "{start}");
                }
            }
        }
    }
    assert_eq!(moves, allowed.len() - 1, "the empty line aside");
}

#[test]
fn a_headcount_covers_every_group_once_and_names_who_is_absent() {
    let counted = |counts: Vec<Count>| drill(State::AllOut).headcount(counts);
    let (one, two) = (
        person(PersonKind::Student, 1),
        person(PersonKind::Student, 2),
    );
    let colleague = person(PersonKind::Staff, 1);
    let all = vec![count(CLASS, 38, &[one, two]), count(STAFF, 4, &[colleague])];
    let (after, _) = counted(all.clone()).unwrap();
    assert_eq!(after.missing(), 3);

    let left_out = counted(all[..1].to_vec()).unwrap_err();
    assert_eq!(left_out, Refused::LeftOut(STAFF.to_owned()));
    let twice = counted([&all[..], &all[..1]].concat()).unwrap_err();
    assert_eq!(twice, Refused::LeftOut(CLASS.to_owned()));
    let stranger = count("organizations/s/classGroups/x", 1, &[]);
    let more = counted([&all[..], std::slice::from_ref(&stranger)].concat()).unwrap_err();
    assert_eq!(more, Refused::LeftOut(stranger.group));
    for class in [
        count(CLASS, 38, &[one]),
        count(CLASS, 38, &[one, one]),
        count(CLASS, 38, &[one, colleague]),
    ] {
        let told = counted(vec![class, all[1].clone()]).unwrap_err();
        assert_eq!(told, Refused::Numbers(CLASS.to_owned()));
    }
    // Somebody on leave came back, and somebody else is missing: nobody may be left unnamed.
    let (after, _) = counted(vec![count(CLASS, 40, &[one]), count(STAFF, 6, &[])]).unwrap();
    assert_eq!(after.missing(), 1);
}

#[test]
fn a_drill_ends_when_everybody_is_found() {
    let one = person(PersonKind::Student, 1);
    let counts = vec![count(CLASS, 39, &[one]), count(STAFF, 5, &[])];
    let (counted, _) = drill(State::AllOut).headcount(counts).unwrap();
    let early = counted.clone().end(Ending::default()).unwrap_err();
    assert_eq!(early, Refused::StillMissing(1));
    let stranger = counted.clone().found("students/9", now()).unwrap_err();
    assert_eq!(stranger, Refused::NotMissing);
    let (found, _) = counted.found(&one.to_string(), now()).unwrap();
    assert_eq!(found.groups[0].missing[0].found, Some(now()));
    let again = found.clone().found(&one.to_string(), now()).unwrap_err();
    assert_eq!(again, Refused::NotMissing);
    assert!(found.end(Ending::default()).is_ok());
}

#[test]
fn whoever_leads_or_signals_does_not_review() {
    let ended = drill(State::Ended);
    for concerned in ["staff/leader", "staff/caller"] {
        assert_eq!(ended.reviewable(concerned), Err(Refused::Leader));
    }
    assert_eq!(ended.reviewable("staff/other"), Ok(()));
}

#[test]
fn times_are_checked() {
    let late = Drill::new(plan(Type::Fire), now() + TimeDelta::hours(2)).unwrap_err();
    assert_eq!(late, Refused::Time("drill.plan_time"));
    let groups = vec![Group::expected(CLASS.to_owned(), 0)];
    let nobody = drill(State::Announced).start(signal(), groups.clone(), now());
    assert_eq!(nobody.unwrap_err(), Refused::Nobody);
    let groups = vec![Group::expected(CLASS.to_owned(), 1)];
    for (at, good) in [(-1, false), (0, true), (15, true), (16, false)] {
        let now = now() + TimeDelta::minutes(at);
        let started = drill(State::Announced).start(signal(), groups.clone(), now);
        assert_eq!(started.is_ok(), good, "{at}");
    }
    let (running, _) = drill(State::Announced)
        .start(signal(), groups, now())
        .unwrap();
    let later = now() + TimeDelta::minutes(5);
    let before = running
        .clone()
        .all_out(now() - TimeDelta::seconds(1), later);
    assert_eq!(before.unwrap_err(), Refused::Time("all_out_time"));
    let out = now() + TimeDelta::seconds(115);
    let (out, _) = running.all_out(out, later).unwrap();
    assert_eq!(out.evacuation(), Some(TimeDelta::seconds(115)));
    assert!(!out.is_slow());
    let late = Drill {
        all_out: Some(now() + TimeDelta::seconds(121)),
        ..out.clone()
    };
    assert!(late.is_slow());
}

fn organization(kind: OrganizationKind, stages: i32, boarding: bool) -> Organization {
    Organization {
        id: "s".to_owned(),
        org_path: "fz/d/s".to_owned(),
        kind,
        display_name: "学校".to_owned(),
        stages,
        division: String::new(),
        boarding,
        open: true,
    }
}

#[test]
fn the_time_to_leave_is_by_stage_and_storeys() {
    let times = Times {
        evacuation: TimeDelta::seconds(120),
        primary: TimeDelta::seconds(180),
        policy_version: String::new(),
    };
    let target = |kind, stages, storeys| {
        let school = organization(OrganizationKind::School, stages, false);
        let plan = Plan {
            storeys,
            ..plan(kind)
        };
        plan.target_seconds(&school, &times)
    };
    assert_eq!(target(Type::Fire, 1 << 3, 4), Some(120));
    assert_eq!(target(Type::Fire, 1 << 2 | 1 << 3, 4), Some(180));
    assert_eq!(target(Type::Earthquake, 1 << 1, 2), Some(180));
    assert_eq!(target(Type::Fire, 1 << 3, 5), None);
    assert_eq!(target(Type::Bus, 1 << 3, 1), None);
}

fn numbers() -> Numbers {
    Numbers {
        school_per_month: 1,
        kindergarten_per_quarter: 1,
        night_dorm_per_quarter: 1,
        bus_per_quarter: 1,
    }
}

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, month, day).unwrap()
}

#[test]
fn what_is_owed_follows_kind_dormitories_and_buses() {
    let calendar = Calendar::default();
    let by = (&numbers(), &calendar);
    let kinds = |kind, boarding, buses| -> Vec<(Kind, u32)> {
        let school = organization(kind, 0, boarding);
        let owed = owed(&school, buses, by, day(4, 6)).into_iter();
        owed.map(|one| (one.kind, one.period.first.format("%m").to_string()))
            .map(|(kind, month)| (kind, month.parse().unwrap()))
            .collect()
    };
    let school = kinds(OrganizationKind::School, false, false);
    assert_eq!(school, [(Kind::Evacuation, 4)]);
    let kindergarten = kinds(OrganizationKind::Kindergarten, false, true);
    assert_eq!(kindergarten, [(Kind::Evacuation, 4), (Kind::Bus, 4)]);
    let boarding = kinds(OrganizationKind::MunicipalSchool, true, true);
    let all = [(Kind::Evacuation, 4), (Kind::NightDorm, 4), (Kind::Bus, 4)];
    assert_eq!(boarding, all);
    assert_eq!(kinds(OrganizationKind::TrainingInstitution, true, true), []);
}

#[test]
fn none_asked_for_is_never_done() {
    let year = Year {
        terms: vec![(day(2, 14), day(7, 1))],
        ..Year::default()
    };
    let calendar = Calendar::new([(2022, year)].into());
    let school = organization(OrganizationKind::School, 0, false);
    let standing = |month, done, today| {
        let owed = owed(&school, false, (&numbers(), &calendar), day(month, 1));
        owed[0].standing(done, today)
    };
    assert_eq!(standing(4, 0, day(4, 30)), Standing::Due);
    assert_eq!(standing(4, 0, day(5, 1)), Standing::Missed);
    assert_eq!(standing(4, 1, day(5, 1)), Standing::Done);
    for month in [7, 8] {
        assert_eq!(standing(month, 0, day(9, 1)), Standing::NotRequired);
        assert_eq!(standing(month, 3, day(9, 1)), Standing::NotRequired);
    }
}

proptest! {
    #[test]
    fn a_day_is_in_its_month_and_its_quarter(offset in 0u64..4000) {
        let day = day(1, 1) + chrono::Days::new(offset);
        let (month, quarter) = (Period::month(day), Period::quarter(day));
        prop_assert!(month.first <= day && day <= month.last);
        prop_assert!(quarter.first <= month.first && month.last <= quarter.last);
        let length = (quarter.last - quarter.first).num_days() + 1;
        prop_assert!((90..=92).contains(&length));
        prop_assert_eq!(Period::month(month.last.succ_opt().unwrap()).first, month.last.succ_opt().unwrap());
    }

    #[test]
    fn who_is_counted_or_named_is_everybody(expected in 0u32..60, present in 0u32..60, named in 0u128..60) {
        let mut all = drill(State::AllOut);
        all.groups[0].expected = expected;
        let missing: Vec<_> = (0..named).map(|one| person(PersonKind::Student, one)).collect();
        let counts = vec![count(CLASS, present, &missing), count(STAFF, 5, &[])];
        let enough = u128::from(present) + named >= u128::from(expected);
        prop_assert_eq!(all.headcount(counts).is_ok(), enough);
    }
}
