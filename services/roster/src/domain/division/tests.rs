use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn code_on(code: &str, on: &str) -> Option<&'static str> {
    resolve(code, day(on)).map(|division| division.code)
}

#[test]
fn the_retired_code_of_changle_leads_to_its_district() {
    assert_eq!(code_on("350182", "2022-04-07"), Some("350112"));
    assert_eq!(code_on("350182", "2017-11-06"), Some("350112"));
    assert_eq!(code_on("350182", "2017-11-05"), Some("350182"));
    assert_eq!(code_on("350112", "2017-11-06"), Some("350112"));
    assert_eq!(code_on("350112", "2017-11-05"), None);
}

#[test]
fn fuzhou_has_thirteen_divisions_in_use_and_one_retired() {
    let of_fuzhou = |retired| {
        all(retired)
            .filter(|division| division.parent == Some("350100"))
            .count()
    };
    assert_eq!((of_fuzhou(false), of_fuzhou(true)), (13, 14));
    assert_eq!(get("350182").map(|changle| changle.name), Some("长乐市"));
    assert_eq!(get("359999"), None);
}

#[test]
fn the_table_is_ordered_and_refers_to_itself_only() {
    assert!(DIVISIONS.is_sorted_by(|a, b| a.code < b.code));
    for division in &DIVISIONS {
        assert_eq!(division.code.len(), 6);
        assert!(division.parent.is_none_or(|parent| get(parent).is_some()));
        assert_eq!(division.valid_to.is_some(), division.replaced_by.is_some());
        if let (Some(last), Some(next)) = (division.valid_to, division.replaced_by) {
            let next = get(next).expect("the replacement is in the table");
            assert_eq!(next.valid_from, last.succ_opt());
        }
    }
}

#[test]
fn an_import_is_told_current_retired_or_unknown() {
    let context = import::Context {
        today: day("2022-04-07"),
        division: for_import,
    };
    let told = |code| (context.division)(code, context.today);
    assert_eq!(told("350102"), import::Division::Current);
    assert_eq!(told("350182"), import::Division::Retired("350112"));
    assert_eq!(told("110101"), import::Division::Unknown);
}

proptest! {
    #[test]
    fn what_a_code_resolves_to_is_in_force_that_day(which in 0..DIVISIONS.len(), days in 0i64..40_000) {
        let on = day("1990-01-01") + chrono::TimeDelta::days(days);
        let code = DIVISIONS[which].code;
        if let Some(division) = resolve(code, on) {
            prop_assert!(division.in_force(on));
            prop_assert_eq!(resolve(division.code, on), Some(division));
        }
    }
}
