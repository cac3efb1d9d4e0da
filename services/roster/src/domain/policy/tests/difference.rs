use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;

use super::*;

pub(super) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(Value::Number),
        "[A-Z_0-9]{0,12}".prop_map(Value::Word),
        (-100_000_000i64..100_000_000).prop_map(|s| Value::Span(TimeDelta::seconds(s))),
        (0i32..80_000).prop_map(|d| Value::Day(NaiveDate::default() + TimeDelta::days(d.into()))),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(Value::Record),
        ]
    })
}

fn said(before: &Profile, after: &Profile) -> Vec<(String, String, String)> {
    let found = difference(before, after).into_iter();
    found.map(|d| (d.path, d.before, d.after)).collect()
}

fn one(path: &str, before: &str, after: &str) -> Vec<(String, String, String)> {
    vec![(path.to_owned(), before.to_owned(), after.to_owned())]
}

#[test]
fn a_changed_key_is_named_with_both_values() {
    let mut after = fuzhou();
    after.set("sampling.student_ratio_basis_points", Value::Number(2500));
    let expected = one("sampling.student_ratio_basis_points", "2000", "2500");
    assert_eq!(said(&fuzhou(), &after), expected);
}

#[test]
fn entries_of_a_list_are_named_by_what_tells_them_apart() {
    let mut after = fuzhou();
    set_in(&mut after, "outbreak.rules", 2, "cases", Value::Number(4));
    let expected = one("outbreak.rules[VARICELLA CLUSTER_ALERT].cases", "5", "4");
    assert_eq!(said(&fuzhou(), &after), expected);
    edit(&mut after, "outbreak.rules", |rules| rules.reverse());
    assert_eq!(said(&fuzhou(), &after), expected);

    let mut after = fuzhou();
    edit(&mut after, "check.slots", |slots| drop(slots.pop()));
    let evening = "{boarders_only = true, deadline_minute = 1170, slot = EVENING, staff = false}";
    assert_eq!(
        said(&fuzhou(), &after),
        one("check.slots[EVENING]", evening, "")
    );

    let mut after = fuzhou();
    let grades = [12, 9, 6].map(Value::Number).to_vec();
    set_in(&mut after, "resume.order", 0, "grades", Value::List(grades));
    let expected = one("resume.order[0].grades", "[12, 9]", "[12, 9, 6]");
    assert_eq!(said(&fuzhou(), &after), expected);
}

#[test]
fn the_two_shipped_profiles_differ_where_covid_rules_ended() {
    let routine = read(SHIPPED[1]).expect("it can be read").profile;
    let paths: Vec<_> = difference(&fuzhou(), &routine)
        .into_iter()
        .map(|d| d.path)
        .collect();
    assert_eq!(
        paths,
        [
            "assay.rules[COVID_19].holds",
            "assay.rules[COVID_19].pooled",
            "contact.rules[COVID_19]",
            "gate.admit_health_monitoring",
            "gate.deny_colours",
            "gate.health_code_check",
            "gate.travel_card_check",
            "gate.travel_window_days",
            "gate.visitor_mask_required",
            "outbreak.rules[COVID_19 CLUSTER_ALERT]",
            "outbreak.rules[COVID_19 EVENT_REPORT].cases",
            "outbreak.rules[COVID_19 EVENT_REPORT].deaths",
            "outbreak.rules[COVID_19 EVENT_REPORT].hospitalised",
            "report.class_a",
            "return_to_school.rules[COVID_19].basis",
            "return_to_school.rules[COVID_19].evidence",
            "return_to_school.rules[COVID_19].period",
            "return_to_school.rules[COVID_19].source",
            "sampling.enabled",
        ]
    );
}

proptest! {
    #[test]
    fn a_profile_does_not_differ_from_itself(values in proptest::collection::vec(any_value(), 1..8)) {
        let mut profile = fuzhou();
        let keys: Vec<String> = profile.iter().map(|(key, _)| key.clone()).collect();
        for (key, value) in keys.into_iter().step_by(7).zip(values) {
            profile.set(key, value);
        }
        prop_assert_eq!(difference(&profile, &profile), []);
    }

    #[test]
    fn setting_one_key_names_that_key_alone(which in 0usize..1000, value in any_value()) {
        let before = fuzhou();
        let keys: Vec<&String> = before.iter().map(|(key, _)| key).collect();
        let key = keys[which % keys.len()];
        let mut after = before.clone();
        after.set(key.as_str(), value.clone());
        let found = difference(&before, &after);
        prop_assert_eq!(found.is_empty(), before.get(key) == Some(&value));
        for difference in &found {
            let rest = difference.path.strip_prefix(key.as_str());
            prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('[')));
        }
        let back = difference(&after, &before);
        let mirrored: Vec<_> = back.into_iter().map(|d| Difference { path: d.path, before: d.after, after: d.before }).collect();
        prop_assert_eq!(mirrored, found);
    }
}
