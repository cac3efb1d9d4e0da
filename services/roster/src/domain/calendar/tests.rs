use std::path::Path;

use chrono::{Datelike, NaiveDate, TimeDelta};
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn named(date: &str) -> NamedDay {
    NamedDay {
        date: day(date),
        name: "某日".to_owned(),
    }
}

fn term(start: &str, end: &str) -> Term {
    Term {
        name: "某学期".to_owned(),
        start: day(start),
        end: day(end),
    }
}

fn shipped(year: i32) -> CalendarYear {
    SHIPPED
        .iter()
        .map(|text| read(text).expect("a shipped calendar is consistent"))
        .find(|calendar| calendar.year() == year)
        .expect("the year is shipped")
}

fn says<'a>(calendar: &'a CalendarYear, date: &str) -> (bool, Kind, &'a str) {
    let told = calendar.school_day(day(date)).expect("a day of the year");
    (told.school_day, told.kind, told.name)
}

#[test]
fn the_demonstration_day_is_an_ordinary_thursday() {
    assert_eq!(
        says(&shipped(2022), "2022-04-07"),
        (true, Kind::Regular, "")
    );
}

#[test]
fn tomb_sweeping_2022_moves_school_to_the_saturday_before() {
    let calendar = shipped(2022);
    assert_eq!(
        says(&calendar, "2022-04-02"),
        (true, Kind::Makeup, "清明节调休")
    );
    for date in ["2022-04-03", "2022-04-04", "2022-04-05"] {
        assert_eq!(says(&calendar, date), (false, Kind::DayOff, "清明节"));
    }
    assert_eq!(says(&calendar, "2022-04-06"), (true, Kind::Regular, ""));
    assert_eq!(says(&calendar, "2022-04-09"), (false, Kind::Weekend, ""));
}

#[test]
fn outside_every_term_is_vacation_even_on_a_makeup_day() {
    let terms = vec![
        term("2022-02-14", "2022-07-01"),
        term("2022-09-01", "2023-01-18"),
    ];
    let calendar = CalendarYear::new(
        2022,
        vec![named("2022-04-04")],
        vec![named("2022-04-02"), named("2022-07-09")],
        terms,
    )
    .expect("it fits together");
    assert_eq!(says(&calendar, "2022-07-04"), (false, Kind::Vacation, ""));
    assert_eq!(says(&calendar, "2022-07-09"), (false, Kind::Vacation, ""));
    assert_eq!(says(&calendar, "2022-07-01"), (true, Kind::Regular, ""));
    assert_eq!(says(&calendar, "2022-04-02"), (true, Kind::Makeup, "某日"));
    assert_eq!(says(&calendar, "2022-04-04"), (false, Kind::DayOff, "某日"));
    assert_eq!(says(&calendar, "2022-12-31"), (false, Kind::Weekend, ""));
    assert_eq!(calendar.school_day(day("2023-01-03")), None);
}

#[test]
fn each_fault_of_a_calendar_is_named_at_its_place() {
    type Parts = (i32, Vec<NamedDay>, Vec<NamedDay>, Vec<Term>);
    let whole = || -> Parts {
        (
            2022,
            vec![named("2022-04-04"), named("2022-04-05")],
            vec![named("2022-04-02"), named("2022-04-24")],
            vec![
                term("2022-02-14", "2022-07-01"),
                term("2022-09-01", "2023-01-18"),
            ],
        )
    };
    type Change = fn(&mut Parts);
    let faults: [(Change, &[&str]); 12] = [
        (|parts| parts.0 = 1999, &["year", "days_off[0].date"]),
        (
            |parts| parts.1[1].date = day("2023-04-05"),
            &["days_off[1].date"],
        ),
        (
            |parts| parts.1[1].date = day("2022-04-04"),
            &["days_off[1].date"],
        ),
        (|parts| parts.1.swap(0, 1), &["days_off[1].date"]),
        (
            |parts| parts.1[0].name.clear(),
            &["days_off[0].display_name"],
        ),
        (
            |parts| parts.1[0].name = "长".repeat(64),
            &["days_off[0].display_name"],
        ),
        (
            |parts| parts.2[1].date = day("2022-04-25"),
            &["makeup_days[1].date"],
        ),
        (
            |parts| parts.1[0].date = day("2022-04-02"),
            &["makeup_days[0].date"],
        ),
        (
            |parts| parts.3[1].start = day("2022-07-01"),
            &["terms[1].start_date"],
        ),
        (
            |parts| parts.3[0].end = day("2022-02-13"),
            &["terms[0].end_date"],
        ),
        (
            |parts| parts.3[0] = term("2021-02-14", "2021-07-01"),
            &["terms[0].start_date"],
        ),
        (|parts| parts.3[1].name.clear(), &["terms[1].display_name"]),
    ];
    let (year, off, makeup, terms) = whole();
    assert!(CalendarYear::new(year, off, makeup, terms).is_ok());
    for (change, expected) in faults {
        let mut parts = whole();
        change(&mut parts);
        let (year, off, makeup, terms) = parts;
        let found = CalendarYear::new(year, off, makeup, terms).expect_err("a fault");
        let paths: Vec<&str> = found.iter().map(|fault| &*fault.path).collect();
        assert!(
            paths.starts_with(expected),
            "{paths:?} instead of {expected:?}"
        );
    }
}

#[test]
fn a_document_with_an_unknown_key_or_a_time_of_day_is_refused() {
    assert!(read("year = 2022").is_ok());
    assert!(matches!(
        read("year = 2022\nday_off = []"),
        Err(Unreadable::Form(_))
    ));
    let timed = "year = 2022\ndays_off = [{ date = 2022-04-05T08:00:00, name = \"清明节\" }]";
    assert!(matches!(read(timed), Err(Unreadable::Form(_))));
    let monday = "year = 2022\nmakeup_days = [{ date = 2022-04-04, name = \"补课\" }]";
    let refused = read(monday).expect_err("a Monday");
    assert_eq!(
        refused.to_string(),
        "makeup_days[0].date is neither a Saturday nor a Sunday"
    );
}

#[test]
fn the_shipped_years_have_the_days_of_the_notices() {
    let counts = |year| {
        let calendar = shipped(year);
        (calendar.days_off().len(), calendar.makeup_days().len())
    };
    assert_eq!(
        [counts(2021), counts(2022), counts(2026)],
        [(31, 7), (31, 7), (33, 6)]
    );
}

#[test]
fn the_shipped_years_agree_with_the_collected_holidays() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data/cn_calendar"))
        .find(|folder| folder.is_dir());
    let Some(shared) = shared else {
        return eprintln!("SKIPPED: no shared/data/cn_calendar above this crate to compare with");
    };
    let mut compared = 0;
    for calendar in SHIPPED.iter().map(|text| read(text).expect("a calendar")) {
        let file = shared.join(format!("{}.json", calendar.year()));
        let Ok(text) = std::fs::read_to_string(&file) else {
            eprintln!("SKIPPED: {} is not there", file.display());
            continue;
        };
        let collected: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let of = |off: bool| -> Vec<NaiveDate> {
            let days = collected["days"].as_array().expect("days").iter();
            days.filter(|entry| entry["isOffDay"] == off)
                .map(|entry| day(entry["date"].as_str().expect("a date")))
                .collect()
        };
        let dates = |days: &[NamedDay]| days.iter().map(|day| day.date).collect::<Vec<_>>();
        assert_eq!(dates(calendar.days_off()), of(true));
        assert_eq!(dates(calendar.makeup_days()), of(false));
        compared += 1;
    }
    assert!(
        compared > 0,
        "the folder is there but none of its years is shipped"
    );
}

proptest! {
    #[test]
    fn a_day_is_a_school_day_exactly_when_the_contract_says(
        off in proptest::collection::btree_set(0i64..365, 0..40),
        makeup in proptest::collection::btree_set(0i64..365, 0..40),
        terms in proptest::collection::btree_set(0i64..365, 0..4),
    ) {
        let first = day("2022-01-01");
        let date = |n: i64| first + TimeDelta::days(n);
        let weekend = |n: i64| date(n).weekday().num_days_from_monday() >= 5;
        let makeup: Vec<i64> = makeup.into_iter().filter(|n| weekend(*n) && !off.contains(n)).collect();
        let terms: Vec<i64> = terms.into_iter().collect();
        let spans: Vec<(i64, i64)> = terms.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let days = |days: Vec<i64>| -> Vec<NamedDay> {
            days.into_iter().map(|n| NamedDay { date: date(n), name: "某日".into() }).collect()
        };
        let calendar = CalendarYear::new(
            2022,
            days(off.iter().copied().collect()),
            days(makeup.clone()),
            spans.iter().map(|(a, b)| Term { name: "某学期".into(), start: date(*a), end: date(*b) }).collect(),
        ).expect("it fits together");
        for n in 0..365 {
            let in_term = spans.is_empty() || spans.iter().any(|(a, b)| (*a..=*b).contains(&n));
            let school = in_term && (makeup.contains(&n) || !weekend(n) && !off.contains(&n));
            let told = calendar.school_day(date(n)).expect("a day of the year");
            prop_assert_eq!(told.school_day, school);
        }
    }
}
