use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

#[test]
fn ninety_days_of_audit_are_refused_by_the_law() {
    let mut profile = fuzhou();
    profile.set("audit.retention_days", Value::Number(90));
    let refused = Violation {
        path: "audit.retention_days".into(),
        zh: "法定底线：不得低于 180（规则 6.9，《网络安全法》第二十一条），现为 90".into(),
        en: "legal floor: at least 180 (rule 6.9, Cybersecurity Law, art. 21), not 90".into(),
        floor: true,
    };
    assert_eq!(violations(&profile), [refused]);
}

#[test]
fn a_floor_in_a_list_is_kept_by_each_of_its_records() {
    let mut profile = fuzhou();
    set_in(&mut profile, "incident.slas", 3, "written", hours(25));
    set_in(&mut profile, "outbreak.rules", 4, "report_sla", hours(25));
    let found = violations(&profile);
    let paths: Vec<_> = found.iter().map(|v| (&*v.path, v.floor)).collect();
    assert_eq!(
        paths,
        [
            ("incident.slas[3].written", true),
            ("outbreak.rules[4].report_sla", true)
        ]
    );
}

#[test]
fn floors_stand_on_keys_that_exist_and_one_key_has_one_floor() {
    for (place, floor) in FLOORS.iter().enumerate() {
        let field = FIELDS.iter().find(|field| field.path == floor.path);
        let kind = field.expect("the key exists").kind;
        let fits = match floor.bound {
            Bound::AtLeast(_) | Bound::AtMost(_) => matches!(kind, Kind::Number(..)),
            Bound::WithinHours(_) => matches!(kind, Kind::Span(..)),
            Bound::Always => kind == Kind::Flag,
        };
        assert!(fits, "{} is {kind:?}", floor.path);
        assert!(FLOORS[..place].iter().all(|other| other.path != floor.path));
    }
}

/// The bound itself, moved by `by` towards strictness; away from it when negative.
fn moved(bound: Bound, by: i64) -> Value {
    match bound {
        Bound::AtLeast(least) => Value::Number(least + by),
        Bound::AtMost(most) => Value::Number(most - by),
        Bound::WithinHours(hours) => Value::Span(TimeDelta::hours(hours) - TimeDelta::seconds(by)),
        Bound::Always => Value::Flag(by >= 0),
    }
}

fn broken(floor: &Floor, value: Value) -> bool {
    let mut profile = fuzhou();
    match floor.path.split_once("[].") {
        Some((list, name)) => set_in(&mut profile, list, 0, name, value),
        None => drop(profile.set(floor.path, value)),
    }
    let place = floor.path.replace("[]", "[0]");
    violations(&profile)
        .iter()
        .any(|violation| violation.floor && violation.path == place)
}

proptest! {
    #[test]
    fn every_floor_can_be_tightened_and_none_loosened(which in 0..FLOORS.len(), by in 1i64..100_000) {
        let floor = &FLOORS[which];
        prop_assert!(!broken(floor, moved(floor.bound, 0)));
        prop_assert!(!broken(floor, moved(floor.bound, by)));
        prop_assert!(broken(floor, moved(floor.bound, -by)));
    }
}
