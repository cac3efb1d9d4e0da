use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

#[test]
fn every_shipped_profile_may_be_proposed() {
    for text in SHIPPED {
        let document = read(text).expect("it can be read");
        assert_eq!(violations(&document.profile), [], "{}", document.name);
    }
}

#[test]
fn each_fault_of_a_profile_is_named_at_its_place() {
    type Change = fn(&mut Profile);
    let faults: &[(Change, &str)] = &[
        (|p| drop(p.take("privacy.k")), "privacy.k"),
        (
            |p| drop(p.set("privacy.kk", Value::Number(1))),
            "privacy.kk",
        ),
        (|p| drop(p.set("privacy.k", Value::Number(1))), "privacy.k"),
        (|p| drop(p.set("privacy.k", word("10"))), "privacy.k"),
        (
            |p| drop(p.set("gate.temperature_max_tenths", Value::Number(3_730))),
            "gate.temperature_max_tenths",
        ),
        (
            |p| drop(p.set("gate.recheck_wait", hours(2))),
            "gate.recheck_wait",
        ),
        (
            |p| {
                drop(p.set(
                    "gate.recheck_wait",
                    Value::Span(TimeDelta::milliseconds(90_500)),
                ))
            },
            "gate.recheck_wait",
        ),
        (
            |p| drop(p.set("gate.recheck_wait", Value::Span(TimeDelta::minutes(-15)))),
            "gate.recheck_wait",
        ),
        (
            |p| drop(p.set("gate.health_code_check", Value::Number(1))),
            "gate.health_code_check",
        ),
        (
            |p| drop(p.set("gate.deny_colours", Value::List(vec![]))),
            "gate.deny_colours",
        ),
        (
            |p| edit(p, "gate.deny_colours", |c| c.push(word("GREEN"))),
            "gate.deny_colours",
        ),
        (
            |p| edit(p, "gate.deny_colours", |c| c.push(word("RED"))),
            "gate.deny_colours[3]",
        ),
        (
            |p| edit(p, "gate.deny_colours", |c| c.push(word("BLUE"))),
            "gate.deny_colours[3]",
        ),
        (
            |p| edit(p, "gate.deny_colours", |c| c.push(Value::Number(1))),
            "gate.deny_colours[3]",
        ),
        (
            |p| drop(p.set("gate.travel_window_days", Value::Number(0))),
            "gate.travel_window_days",
        ),
        (|p| edit(p, "check.slots", Vec::clear), "check.slots"),
        (
            |p| edit(p, "check.slots", |s| s.swap(0, 1)),
            "check.slots[1]",
        ),
        (
            |p| edit(p, "check.slots", |s| s[1] = s[0].clone()),
            "check.slots[1]",
        ),
        (
            |p| edit(p, "check.slots", |s| s[1] = word("NOON")),
            "check.slots[1]",
        ),
        (
            |p| set_in(p, "check.slots", 1, "deadline_minute", Value::Number(500)),
            "check.slots[1]",
        ),
        (
            |p| set_in(p, "check.slots", 0, "deadline_minute", Value::Number(1440)),
            "check.slots[0].deadline_minute",
        ),
        (
            |p| set_in(p, "check.slots", 0, "weekday", Value::Number(1)),
            "check.slots[0].weekday",
        ),
        (
            |p| set_in(p, "outbreak.rules", 2, "cases", Value::Number(0)),
            "outbreak.rules[2]",
        ),
        (
            |p| edit(p, "outbreak.rules", |r| r.push(r[0].clone())),
            "outbreak.rules[25]",
        ),
        (
            |p| set_in(p, "return_to_school.rules", 11, "period", hours(48)),
            "return_to_school.rules[11].period",
        ),
        (
            |p| {
                set_in(
                    p,
                    "return_to_school.rules",
                    11,
                    "evidence",
                    Value::List(vec![]),
                )
            },
            "return_to_school.rules[11].evidence",
        ),
        (
            |p| set_in(p, "return_to_school.rules", 0, "basis", word("EVIDENCE")),
            "return_to_school.rules[0].evidence",
        ),
        (
            |p| {
                set_in(
                    p,
                    "return_to_school.rules",
                    5,
                    "complicated_period",
                    hours(24),
                )
            },
            "return_to_school.rules[5].complicated_period",
        ),
        (
            |p| drop(p.set("sampling.gap_alert_days", Value::Number(4))),
            "sampling.gap_alert_days",
        ),
        (
            |p| drop(p.set("sampling.student_ratio_basis_points", Value::Number(1999))),
            "sampling.student_ratio_basis_points",
        ),
        (
            |p| drop(p.set("sampling.student_ratio_basis_points", Value::Number(10_001))),
            "sampling.student_ratio_basis_points",
        ),
        (
            |p| edit(p, "resume.order", |o| o.swap(1, 2)),
            "resume.order[2]",
        ),
        (
            |p| edit(p, "resume.order", |o| drop(o.remove(1))),
            "resume.order",
        ),
        (
            |p| edit(p, "resume.order", |o| drop(o.remove(2))),
            "resume.order",
        ),
        (
            |p| edit(p, "resume.order", |o| o.insert(1, o[0].clone())),
            "resume.order[1]",
        ),
        (
            |p| {
                set_in(
                    p,
                    "resume.order",
                    0,
                    "grades",
                    Value::List(vec![Value::Number(13)]),
                )
            },
            "resume.order[0].grades[0]",
        ),
        (
            |p| set_in(p, "resume.order", 0, "grades", Value::List(vec![])),
            "resume.order[0]",
        ),
        (
            |p| drop(p.set("hazard.general_days", Value::Number(31))),
            "hazard.general_days",
        ),
        (
            |p| edit(p, "guard.rules", |r| r.swap(0, 1)),
            "guard.rules[0].effective_date",
        ),
        (
            |p| edit(p, "weather.rules", |r| drop(r.remove(0))),
            "weather.rules",
        ),
        (
            |p| {
                set_in(
                    p,
                    "weather.rules",
                    3,
                    "actions",
                    Value::List(vec![word("DUTY")]),
                )
            },
            "weather.rules",
        ),
        (
            |p| drop(p.set("weather.mutual_aid_min", Value::Number(6))),
            "weather.mutual_aid_min",
        ),
        (
            |p| drop(p.set("weather.flood_season_end", Value::Number(931))),
            "weather.flood_season_end",
        ),
        (
            |p| edit(p, "incident.slas", |s| drop(s.remove(3))),
            "incident.slas",
        ),
        (
            |p| set_in(p, "incident.slas", 0, "written", hours(3)),
            "incident.slas[0].written",
        ),
        (
            |p| {
                set_in(
                    p,
                    "incident.slas",
                    2,
                    "phone",
                    Value::Span(TimeDelta::minutes(5)),
                )
            },
            "incident.slas[1].phone",
        ),
        (
            |p| set_in(p, "directive.acks", 1, "sla", hours(25)),
            "directive.acks[1].sla",
        ),
        (
            |p| set_in(p, "directive.acks", 1, "relay", hours(25)),
            "directive.acks[1].relay",
        ),
        (
            |p| set_in(p, "directive.acks", 1, "judge", hours(73)),
            "directive.acks[1].judge",
        ),
        (
            |p| {
                set_in(
                    p,
                    "return_to_school.rules",
                    0,
                    "source",
                    word(&"据".repeat(301)),
                )
            },
            "return_to_school.rules[0].source",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "code", word("similar-9")),
            "cluster.rules[0].code",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "code", word("Meal")),
            "cluster.rules[0].code",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "source", word("")),
            "cluster.rules[0].source",
        ),
        (
            |p| set_in(p, "cluster.rules", 1, "source", word("另一出处")),
            "cluster.rules[1].source",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "disease", word("MUMPS")),
            "cluster.rules[0].symptom_group",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "symptom_group", word("UNSPECIFIED")),
            "cluster.rules[0].symptom_group",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "symptom_group", word("RESPIRATORY")),
            "cluster.rules[0].symptom_group",
        ),
        (
            |p| set_in(p, "cluster.rules", 2, "counted", word("SHARE")),
            "cluster.rules[2].counted",
        ),
        (
            |p| set_in(p, "cluster.rules", 2, "group_cases", Value::Number(2)),
            "cluster.rules[2].group_cases",
        ),
        (
            |p| set_in(p, "cluster.rules", 0, "suspend_days", Value::Number(4)),
            "cluster.rules[0].suspend_days",
        ),
        (
            |p| edit(p, "cluster.rules", |r| r.push(r[0].clone())),
            "cluster.rules[4]",
        ),
    ];
    for (number, (change, path)) in faults.iter().enumerate() {
        let mut profile = fuzhou();
        change(&mut profile);
        let found = violations(&profile);
        let first = found
            .first()
            .map(|violation| (&*violation.path, violation.floor));
        assert_eq!(first, Some((*path, false)), "fault {number}: {found:?}");
    }
}

proptest! {
    #[test]
    fn no_value_under_any_key_makes_the_check_panic(
        which in 0..FIELDS.len(),
        value in super::difference::any_value(),
    ) {
        let mut profile = fuzhou();
        let field = &FIELDS[which];
        match field.path.split_once("[].") {
            Some((list, name)) => set_in(&mut profile, list, 0, name, value),
            None => drop(profile.set(field.path, value)),
        }
        for violation in violations(&profile) {
            prop_assert!(!violation.zh.is_empty() && !violation.en.is_empty());
        }
    }
}
