use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const K: i32 = 10;

fn counts(of: &[(&str, i32)]) -> BTreeMap<String, Part> {
    of.iter()
        .map(|(at, count)| ((*at).to_owned(), Part::all(*count)))
        .collect()
}

#[test]
fn few_people_are_hidden_and_nobody_is_not() {
    assert_eq!(
        hidden(&[1, 9, 10, 0].map(Part::all), true, K),
        [true, true, false, false]
    );
}

#[test]
fn one_alone_takes_the_next_along() {
    assert_eq!(
        hidden(&[40, 3, 12, 0].map(Part::all), true, K),
        [false, true, true, false]
    );
    assert_eq!(
        hidden(&[40, 12].map(Part::all), true, K),
        [false, false],
        "nothing to protect"
    );
    assert_eq!(
        hidden(&[40, 12].map(Part::all), false, K),
        [false, true],
        "a hidden sum is not given away by its summands"
    );
}

#[test]
fn few_who_are_hidden_together_take_the_next_along() {
    // Of 25 known, 20 shown would leave five.
    assert_eq!(
        hidden(&[20, 3, 2].map(Part::all), true, K),
        [true, true, true]
    );
    assert_eq!(
        hidden(&[40, 20, 3, 2].map(Part::all), true, K),
        [false, true, true, true]
    );
    assert_eq!(
        hidden(&[40, 20, 9, 2].map(Part::all), true, K),
        [false, false, true, true],
        "eleven are not few"
    );
}

#[test]
fn few_who_are_left_over_are_hidden_too() {
    let all_but_three = Part {
        part: 37,
        whole: 40,
    };
    assert_eq!(hidden(&[all_but_three], true, K), [true]);
}

#[test]
fn a_school_cannot_be_computed_from_its_bureau() {
    let counts = counts(&[
        ("fz/a/1", 3),
        ("fz/a/2", 20),
        ("fz/a/3", 30),
        ("fz/b/1", 50),
    ]);
    let shown = |at| !is_hidden(&counts, at, K);
    assert!(shown("fz") && shown("fz/a") && shown("fz/b") && shown("fz/a/3"));
    assert!(!shown("fz/a/1") && !shown("fz/a/2"));
}

#[test]
fn a_bureau_cannot_be_computed_from_its_schools() {
    let counts = counts(&[
        ("fz/a/1", 4),
        ("fz/b/1", 20),
        ("fz/b/2", 30),
        ("fz/c/1", 90),
    ]);
    let shown = |at| !is_hidden(&counts, at, K);
    assert!(!shown("fz/a") && !shown("fz/b") && shown("fz/c"));
    assert!(!shown("fz/b/1"), "else its bureau would be their sum");
}

/// Every place of a tree: those counted and those above.
fn places(counts: &BTreeMap<String, Part>) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for at in counts.keys() {
        let mut place = at.as_str();
        places.insert(place.to_owned());
        while let Some((upper, _)) = place.rsplit_once('/') {
            places.insert(upper.to_owned());
            place = upper;
        }
    }
    places
}

/// A field in which linear equations are solved exactly.
const P: i64 = 1_000_003;

fn inverse(value: i64) -> i64 {
    let (mut base, mut power, mut result) = (value.rem_euclid(P), P - 2, 1);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % P;
        }
        base = base * base % P;
        power >>= 1;
    }
    result
}

/// Takes what `rows`, each with a leading one at its place, say off `row`.
fn reduce(rows: &[(usize, Vec<i64>)], mut row: Vec<i64>) -> Vec<i64> {
    for (lead, known) in rows {
        let factor = row[*lead];
        if factor != 0 {
            for (value, known) in row.iter_mut().zip(known) {
                *value = (*value - factor * known).rem_euclid(P);
            }
        }
    }
    row
}

/// Whether the sum `wanted` of unknowns follows from the sums that are known.
fn follows(known: &[Vec<i64>], wanted: &[i64]) -> bool {
    let mut rows: Vec<(usize, Vec<i64>)> = Vec::new();
    for sum in known {
        let row = reduce(&rows, sum.clone());
        if let Some(lead) = row.iter().position(|value| *value != 0) {
            let scale = inverse(row[lead]);
            rows.push((lead, row.iter().map(|value| value * scale % P).collect()));
        }
    }
    reduce(&rows, wanted.to_vec())
        .iter()
        .all(|value| *value == 0)
}

fn a_tree() -> impl Strategy<Value = BTreeMap<String, Part>> {
    let place = (0u8..4, 0u8..5, 0u8..3).prop_map(|(bureau, school, depth)| match depth {
        0 => format!("fz/{bureau}"),
        _ => format!("fz/{bureau}/{school}"),
    });
    let part = (0i32..40, 0i32..40).prop_map(|(part, rest)| Part {
        part,
        whole: part + rest,
    });
    proptest::collection::btree_map(place, part, 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_hidden_count_follows_from_what_is_shown(counts in a_tree()) {
        // Whoever looks knows everywhere who has nobody at all, and sees every place.
        let counted: Vec<&String> = counts
            .iter()
            .filter(|(_, count)| count.whole > 0)
            .map(|(at, _)| at)
            .collect();
        let row = |place: &str| -> Vec<i64> {
            let within = |at: &&String| i64::from(crate::domain::place::contains(place, at));
            counted.iter().map(within).collect()
        };
        let places = places(&counts);
        let (hidden, shown): (Vec<&String>, Vec<&String>) =
            places.iter().partition(|place| is_hidden(&counts, place, K));
        let known: Vec<Vec<i64>> = shown.iter().map(|place| row(place)).collect();
        for place in hidden {
            prop_assert!(!follows(&known, &row(place)), "{place} of {counts:?}");
        }
        for place in shown {
            let count = sum(&counts, place);
            prop_assert!(!count.is_small(K), "{place} of {counts:?}");
        }
    }

    #[test]
    fn of_a_known_sum_never_one_alone_is_hidden(
        counts in proptest::collection::vec(0i32..40, 0..9),
    ) {
        let parts: Vec<Part> = counts.iter().copied().map(Part::all).collect();
        let hidden = hidden(&parts, true, K);
        let hidden_count = hidden.iter().filter(|hidden| **hidden).count();
        let some = counts.iter().filter(|count| **count > 0).count();
        let together: i32 = counts
            .iter()
            .zip(&hidden)
            .filter_map(|(count, hidden)| hidden.then_some(*count))
            .sum();
        prop_assert!(!(1..K).contains(&together) || hidden_count == some);
        prop_assert!(hidden_count != 1 || some == 1);
        for (count, hidden) in counts.iter().zip(hidden) {
            prop_assert!(hidden || !(1..K).contains(count));
            prop_assert!(!hidden || *count > 0);
        }
    }
}
