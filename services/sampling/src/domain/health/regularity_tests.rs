//! What is improbable, and what is not.

use proptest::prelude::*;

use super::*;

const TODAY: Day = Day::from_number(8132);
const HOUR: i64 = 60 * MINUTE;
/// 08:00 in Shanghai.
const MORNING: i64 = 0;

fn person(number: u8) -> PersonId {
    PersonId([number; 16])
}

fn report(day: Day, slot: Slot, group: u8, tenths: &[i16]) -> Report {
    Report {
        day,
        slot,
        place: format!("fz/350102/2135010001/p2019-{group:02}"),
        capture: MORNING + i64::from(group) * 10 * MINUTE,
        account: format!("reporter-{group}"),
        readings: (0..).map(person).zip(tenths.iter().copied()).collect(),
        texts: Vec::new(),
    }
}

fn kinds(reports: &[Report]) -> Vec<(Kind, usize, usize)> {
    let found = irregularities(TODAY, reports).into_iter();
    found
        .map(|found| (found.kind, found.observed, found.total))
        .collect()
}

#[test]
fn ten_temperatures_of_which_nine_are_the_same_are_improbable() {
    let nine = [365, 365, 365, 365, 365, 365, 365, 365, 365, 371];
    let kind = Kind::IdenticalTemperatures;
    let check = |tenths: &[i16]| kinds(&[report(TODAY, Slot::Morning, 1, tenths)]);
    assert_eq!(check(&nine), [(kind, 9, 10)]);
    assert_eq!(check(&nine[..9]), [], "nine are too few to tell");
    let eight = [365, 365, 365, 365, 365, 365, 365, 365, 370, 371];
    assert_eq!(check(&eight), []);
    let noon = [
        report(TODAY, Slot::Noon, 1, &[366; 12]),
        report(TODAY, Slot::Morning, 1, &nine),
    ];
    assert_eq!(kinds(&noon), [(kind, 9, 10)], "one a group and day");
}

#[test]
fn the_temperatures_of_the_check_before_are_improbable() {
    let tenths: Vec<i16> = (360..375).collect();
    let yesterday = report(TODAY.before(), Slot::Noon, 1, &tenths);
    let today = report(TODAY, Slot::Morning, 1, &tenths);
    let both = [today.clone(), yesterday.clone()];
    assert_eq!(kinds(&both), [(Kind::CopiedReadings, 15, 15)]);
    let between = report(TODAY.before(), Slot::Evening, 1, &[365]);
    assert_eq!(kinds(&[today.clone(), yesterday.clone(), between]), []);
    let other = report(TODAY.before(), Slot::Noon, 2, &tenths);
    assert_eq!(kinds(&[today, other]), [], "another group says nothing");
    let turned: Vec<i16> = tenths.iter().rev().copied().collect();
    let today = report(TODAY, Slot::Morning, 1, &turned);
    assert_eq!(kinds(&[today, yesterday]), [], "person by person");
}

#[test]
fn nobody_is_checked_between_midnight_and_five() {
    let at = |capture: i64| {
        let report = Report {
            capture,
            ..report(TODAY, Slot::Morning, 1, &[])
        };
        kinds(&[report, self::report(TODAY, Slot::Noon, 1, &[])])
    };
    let night = [(Kind::NightCheck, 1, 2)];
    assert_eq!(at(MORNING - 8 * HOUR), night, "midnight");
    assert_eq!(at(MORNING - 3 * HOUR - 1), night, "just before five");
    assert_eq!(at(MORNING - 3 * HOUR), [], "five");
    assert_eq!(at(MORNING - 8 * HOUR - 1), [], "just before midnight");
}

#[test]
fn the_same_words_in_three_groups_or_on_three_days_are_improbable() {
    let words = |day, group, text: &str| Report {
        texts: vec![text.to_owned()],
        ..report(day, Slot::Morning, group, &[])
    };
    let text = "鼻塞流清涕两天";
    let groups = [
        words(TODAY, 1, text),
        words(TODAY, 2, " 鼻塞流清涕 两天"),
        words(TODAY, 3, text),
        words(TODAY, 4, "牙龈肿了两天了"),
    ];
    assert_eq!(kinds(&groups), [(Kind::SameText, 3, 4)]);
    assert_eq!(kinds(&groups[..2]), []);
    let days = [TODAY, TODAY.before(), TODAY.before().before()];
    let days = days.map(|day| words(day, 1, text));
    assert_eq!(kinds(&days), [(Kind::SameText, 3, 3)]);
    assert_eq!(kinds(&days[1..]), [], "not today");
    let short = [1, 2, 3].map(|group| words(TODAY, group, "鼻塞"));
    assert_eq!(kinds(&short), [], "anybody writes this");
}

#[test]
fn ten_groups_in_one_minute_are_improbable_of_one_account() {
    let taken = |account: fn(u8) -> String, apart: i64| -> Vec<Report> {
        let check = |group: u8| Report {
            capture: MORNING + i64::from(group) * apart,
            account: account(group),
            ..report(TODAY, Slot::Morning, group, &[])
        };
        (0..10).map(check).collect()
    };
    let one = |_| "doctor".to_owned();
    assert_eq!(kinds(&taken(one, 6_000)), [(Kind::OneMinute, 10, 10)]);
    assert_eq!(kinds(&taken(one, 6_667)), [], "nine in any minute");
    assert_eq!(kinds(&taken(|group| group.to_string(), 0)), []);
}

#[test]
fn a_large_school_is_not_healthy_for_ten_days() {
    let quiet = SchoolDay {
        complete: true,
        healthy: true,
    };
    let ten = [quiet; 10];
    assert!(no_illness(300, &ten).is_some());
    assert_eq!(no_illness(299, &ten), None);
    assert_eq!(no_illness(300, &ten[1..]), None);
    let mut days = ten;
    days[4].healthy = false;
    assert_eq!(no_illness(300, &days), None, "somebody was ill");
    days[4] = SchoolDay {
        complete: false,
        healthy: true,
    };
    assert_eq!(no_illness(300, &days), None, "missing is not zero");
}

/// Few values, so that much agrees.
fn any_report() -> impl Strategy<Value = Report> {
    (
        0_u16..3,
        prop::sample::select(&Slot::ALL[..]),
        0_u8..12,
        prop::collection::vec(prop::sample::select(vec![365_i16, 366]), 0..14),
        prop::sample::select(vec!["", "鼻塞流清涕两天"]),
        (0_i64..4, 0_u8..2),
    )
        .prop_map(
            |(back, slot, group, tenths, text, (when, account))| Report {
                day: Day::from_number(TODAY.number() - back),
                // What is taken when follows from its key: of one check there is one report.
                capture: MORNING - 9 * HOUR + i64::from(group % 2) * 9 * HOUR + when * MINUTE,
                account: account.to_string(),
                texts: (!text.is_empty())
                    .then(|| text.to_owned())
                    .into_iter()
                    .collect(),
                ..report(TODAY, slot, group, &tenths)
            },
        )
}

fn unique(reports: Vec<Report>) -> Vec<Report> {
    let by_key: BTreeMap<(Day, Slot, String), Report> = reports
        .into_iter()
        .map(|report| ((report.day, report.slot, report.place.clone()), report))
        .collect();
    by_key.into_values().collect()
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        reports in prop::collection::vec(any_report(), 0..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let reports = unique(reports);
        let found = irregularities(TODAY, &reports);
        let mut mixed: Vec<Report> = reports.iter().rev().cloned().collect();
        if !reports.is_empty() {
            mixed.extend(order.iter().map(|index| index.get(&reports).clone()));
        }
        prop_assert_eq!(irregularities(TODAY, &mixed), found.clone());
        let keys: BTreeSet<_> = found.iter().map(|one| (one.kind, one.place.clone())).collect();
        prop_assert_eq!(keys.len(), found.len(), "one of a kind and place");
        prop_assert!(found.iter().all(|one| one.observed <= one.total || one.kind == Kind::SameText));
    }

    #[test]
    fn what_came_after_the_day_says_nothing(reports in prop::collection::vec(any_report(), 0..40)) {
        let reports = unique(reports);
        let upto: Vec<Report> = reports
            .iter()
            .filter(|report| report.day <= TODAY.before())
            .cloned()
            .collect();
        prop_assert_eq!(
            irregularities(TODAY.before(), &reports),
            irregularities(TODAY.before(), &upto)
        );
    }
}
