use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tree::contains;
use super::*;

const K: u32 = 10;

fn veil() -> Veil {
    Veil::below(K)
}

fn judged(counts: &[u32], sum: Sum) -> Vec<bool> {
    let parts: Vec<Part> = counts.iter().copied().map(Part::all).collect();
    hidden(veil(), &parts, sum, |_| false)
}

fn counts(of: &[(&str, u32)]) -> BTreeMap<String, Part> {
    of.iter()
        .map(|(at, count)| ((*at).to_owned(), Part::all(*count)))
        .collect()
}

#[test]
fn few_are_hidden_and_nobody_is_not() {
    let seen = [0, 1, 9, 10, 11].map(|count| veil().see(count).count());
    assert_eq!(seen, [Some(0), None, None, Some(10), Some(11)]);
    assert_eq!((veil().limit(), Veil::NONE.limit()), (10, 0));
    assert_eq!(Veil::NONE.see(1), Seen::Shown(1));
    assert_eq!(Veil::below(1).limit(), 0);
}

#[test]
fn nobody_is_hidden_where_nobody_learns_whether_there_is_anything() {
    let seen = [0, 9, 10].map(|count| veil().over_nobody().see(count));
    assert_eq!(seen, [Seen::Hidden, Seen::Hidden, Seen::Shown(10)]);
    assert_eq!(Veil::NONE.over_nobody().see(0), Seen::Shown(0));
    let counts = counts(&[("fz/a/1", 12), ("fz/b/1", 12)]);
    let seen = |at| see_at(veil().over_nobody(), &counts, "fz", at);
    assert_eq!(
        (seen("fz"), seen("fz/a")),
        (Seen::Shown(24), Seen::Shown(12))
    );
    assert_eq!(seen("fz/c"), Seen::Hidden, "where there never was any");
}

#[test]
fn a_record_says_whether_and_not_how_many() {
    let seen = [0, 1, 45].map(|count| Veil::RECORD.see(count));
    assert_eq!(seen, [Seen::Shown(0), Seen::Hidden, Seen::Hidden]);
}

#[test]
fn one_alone_takes_the_next_along() {
    assert_eq!(
        judged(&[1, 9, 10, 0], Sum::Shown),
        [true, true, false, false]
    );
    assert_eq!(
        judged(&[40, 3, 12, 0], Sum::Shown),
        [false, true, true, false]
    );
    assert_eq!(
        judged(&[40, 12], Sum::Shown),
        [false, false],
        "nothing to protect"
    );
    assert_eq!(
        judged(&[40, 12], Sum::Hidden),
        [false, true],
        "a hidden sum is not given away by its summands"
    );
    assert_eq!(judged(&[40, 3], Sum::Untold), [false, true]);
}

#[test]
fn few_who_are_hidden_together_take_the_next_along() {
    // Of 25 known, 20 shown would leave five.
    assert_eq!(judged(&[20, 3, 2], Sum::Shown), [true, true, true]);
    assert_eq!(
        judged(&[40, 20, 3, 2], Sum::Shown),
        [false, true, true, true]
    );
    assert_eq!(
        judged(&[40, 20, 9, 2], Sum::Shown),
        [false, false, true, true],
        "eleven are not few"
    );
}

#[test]
fn few_who_are_left_over_are_hidden_where_they_are_as_sensitive() {
    let judge = |part| hidden(veil(), &[part], Sum::Shown, |_| false);
    assert_eq!(judge(Part::of(37, 40)), [true]);
    assert_eq!(judge(Part::among(37, 40)), [false]);
}

#[test]
fn what_is_hidden_for_another_reason_takes_the_next_along() {
    let parts = [40, 20, 30].map(Part::all);
    let judged = hidden(veil(), &parts, Sum::Shown, |at| at == 0);
    assert_eq!(judged, [true, true, false]);
    // Nobody among many may be hidden; nobody at all is known.
    let parts = [Part::among(20, 20), Part::among(0, 30), Part::all(0)];
    let judged = hidden(veil(), &parts, Sum::Shown, |at| at == 0);
    assert_eq!(judged, [true, true, false]);
}

#[test]
fn a_school_cannot_be_computed_from_its_bureau() {
    let counts = counts(&[
        ("fz/a/1", 3),
        ("fz/a/2", 20),
        ("fz/a/3", 30),
        ("fz/b/1", 50),
    ]);
    let shown = |at| see_at(veil(), &counts, "fz", at).count();
    assert_eq!(shown("fz"), Some(103));
    assert_eq!((shown("fz/a"), shown("fz/b")), (Some(53), Some(50)));
    assert_eq!(shown("fz/a/3"), Some(30));
    assert_eq!((shown("fz/a/1"), shown("fz/a/2")), (None, None));
    assert_eq!(shown("fz/c"), Some(0));
}

#[test]
fn a_bureau_cannot_be_computed_from_its_schools() {
    let counts = counts(&[
        ("fz/a/1", 4),
        ("fz/b/1", 20),
        ("fz/b/2", 30),
        ("fz/c/1", 90),
    ]);
    let shown = |at| !is_hidden(veil(), &counts, "fz", at);
    assert!(!shown("fz/a") && !shown("fz/b") && shown("fz/c"));
    assert!(!shown("fz/b/1"), "else its bureau would be their sum");
}

#[test]
fn whoever_sees_one_bureau_is_told_what_the_others_would_give_away() {
    let counts = counts(&[("fz/a/1", 4), ("fz/b/1", 20), ("fz/b/2", 30)]);
    assert!(is_hidden(veil(), &counts, "fz", "fz/b"));
    let seen = |at| see_at(veil(), &counts, "fz/b", at);
    assert_eq!(
        (seen("fz/b"), seen("fz/b/1")),
        (Seen::Shown(50), Seen::Shown(20))
    );
}

/// Every place of a tree: those counted and those above.
fn places(counts: &BTreeMap<String, Part>) -> BTreeSet<String> {
    let mut places = BTreeSet::from(["fz".to_owned()]);
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

fn a_part() -> impl Strategy<Value = Part> {
    (0u32..40, 0u32..40, 0u8..3).prop_map(|(part, rest, kind)| match kind {
        0 => Part::all(part),
        1 => Part::of(part, part + rest),
        _ => Part::among(part, part + rest),
    })
}

fn a_tree() -> impl Strategy<Value = BTreeMap<String, Part>> {
    let place = (0u8..4, 0u8..5, 0u8..3).prop_map(|(bureau, school, depth)| match depth {
        0 => format!("fz/{bureau}"),
        _ => format!("fz/{bureau}/{school}"),
    });
    proptest::collection::btree_map(place, a_part(), 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_hidden_count_of_a_tree_follows_from_what_is_shown(counts in a_tree()) {
        // Whoever looks knows everywhere who has nobody at all, and sees every place.
        let counted: Vec<&String> = counts
            .iter()
            .filter(|(_, count)| count.whole > 0)
            .map(|(at, _)| at)
            .collect();
        let row = |place: &str| -> Vec<i64> {
            let within = |at: &&String| i64::from(contains(place, at));
            counted.iter().map(within).collect()
        };
        let places = places(&counts);
        let (hidden, shown): (Vec<&String>, Vec<&String>) =
            places.iter().partition(|place| is_hidden(veil(), &counts, "fz", place));
        let known: Vec<Vec<i64>> = shown.iter().map(|place| row(place)).collect();
        for place in hidden {
            prop_assert!(!follows(&known, &row(place)), "{place} of {counts:?}");
        }
        for place in shown {
            prop_assert!(!veil().covers(sum_at(&counts, place)), "{place} of {counts:?}");
            let count = sum_at(&counts, place).count();
            prop_assert_eq!(see_at(veil(), &counts, "fz", place), Seen::Shown(count));
        }
    }

    #[test]
    fn no_hidden_part_of_a_total_follows_from_the_others(
        parts in proptest::collection::vec(a_part(), 0..9),
        must in proptest::collection::vec(any::<bool>(), 9),
    ) {
        // Somebody is hidden for another reason only where others may be too.
        let able = |at: usize| parts[at].whole > 0;
        let many = (0..parts.len()).filter(|at| able(*at)).count() > 1;
        let judged = hidden(veil(), &parts, Sum::Shown, |at| many && must[at] && able(at));
        let counted: Vec<usize> = (0..parts.len()).filter(|at| able(*at)).collect();
        let one = |at: usize| -> Vec<i64> {
            counted.iter().map(|other| i64::from(*other == at)).collect()
        };
        // The total is shown, and each part that is not hidden.
        let shown = (0..parts.len()).filter(|at| !judged[*at]);
        let mut known: Vec<Vec<i64>> = shown.map(one).collect();
        let mut total = Part::default();
        parts.iter().for_each(|part| total += *part);
        known.push(vec![1; counted.len()]);
        for (at, part) in parts.iter().enumerate() {
            prop_assert!(judged[at] || !veil().covers(*part));
            // A total that is hidden itself is not told, and one part alone is its total.
            if judged[at] && !veil().covers(total) && counted.len() > 1 {
                prop_assert!(!follows(&known, &one(at)), "{at} of {parts:?}");
            }
        }
    }

    #[test]
    fn of_a_known_sum_few_are_never_hidden_together(
        counts in proptest::collection::vec(0u32..40, 0..9),
    ) {
        let judged = judged(&counts, Sum::Shown);
        let hidden_count = judged.iter().filter(|hidden| **hidden).count();
        let some = counts.iter().filter(|count| **count > 0).count();
        let together: u32 = counts
            .iter()
            .zip(&judged)
            .filter_map(|(count, hidden)| hidden.then_some(*count))
            .sum();
        prop_assert!(!(1..K).contains(&together) || hidden_count == some);
        prop_assert!(hidden_count != 1 || some == 1);
        for (count, hidden) in counts.iter().zip(judged) {
            prop_assert!(hidden || !(1..K).contains(count));
            prop_assert!(!hidden || *count > 0);
        }
    }
}
