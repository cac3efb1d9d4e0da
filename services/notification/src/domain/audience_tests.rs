use proptest::prelude::*;

use super::*;

const CITY: i16 = 1;
const COUNTY: i16 = 2;
const MUNICIPAL: i16 = 4;
const SCHOOL: i16 = 5;
const KINDERGARTEN: i16 = 6;
const LABORATORY: i16 = 9;
const PRIMARY: i16 = 2;
const SENIOR: i16 = 4;

fn at(path: &str, kind: i16, stages: &[i16], division: &str) -> OrganizationFact {
    OrganizationFact {
        id: path.rsplit('/').next().unwrap().to_owned(),
        org_path: path.to_owned(),
        addressable: kind != LABORATORY,
        display_name: String::new(),
        kind,
        stages: stages.iter().fold(0, |bits, stage| bits | (1 << stage)),
        division: division.to_owned(),
    }
}

fn town() -> Vec<OrganizationFact> {
    vec![
        at("fz/b2/s3", SCHOOL, &[PRIMARY, SENIOR], "350103001"),
        at("fz", CITY, &[], "350100"),
        at("fz/b1", COUNTY, &[], "350102"),
        at("fz/b1/s1", SCHOOL, &[PRIMARY], "350102001"),
        at("fz/b1/s2", SCHOOL, &[SENIOR], "350102002"),
        at("fz/b1/k1", KINDERGARTEN, &[1], "350102001"),
        at("fz/b1-x", COUNTY, &[], ""),
        at("fz/b2", COUNTY, &[], "350103"),
        at("fz/m1", MUNICIPAL, &[SENIOR], "350103"),
        at("fz/lab", LABORATORY, &[], "350102"),
    ]
}

fn ids(found: Vec<OrganizationFact>) -> Vec<String> {
    found.into_iter().map(|one| one.id).collect()
}

fn named(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn a_tree_is_everything_at_and_below_that_can_be_addressed() {
    let all = Audience::of(named(&["fz"]));
    let everybody = ["fz", "b1", "k1", "s1", "s2", "b1-x", "b2", "s3", "m1"];
    assert_eq!(ids(all.addressed(town())), everybody);
    assert_eq!(ids(all.passed_down(town())), everybody);
    let one = Audience::of(named(&["b1"]));
    assert_eq!(ids(one.addressed(town())), ["b1", "k1", "s1", "s2"]);
    assert!(
        Audience::of(named(&["lab", "nowhere"]))
            .addressed(town())
            .is_empty()
    );
}

#[test]
fn kinds_are_strict_and_what_goes_down_passes_through_bureaus() {
    let schools = Audience {
        kinds: vec![SCHOOL],
        ..Audience::of(named(&["fz"]))
    };
    assert_eq!(ids(schools.addressed(town())), ["s1", "s2", "s3"]);
    assert_eq!(
        ids(schools.passed_down(town())),
        ["fz", "b1", "s1", "s2", "b2", "s3"]
    );
}

#[test]
fn stages_and_areas_let_the_bureaus_above_through() {
    let senior = Audience {
        stages: vec![SENIOR],
        ..Audience::of(named(&["fz"]))
    };
    assert_eq!(
        ids(senior.addressed(town())),
        ["fz", "b1", "s2", "b2", "s3", "m1"]
    );
    let area = Audience {
        divisions: named(&["350102001", "350103"]),
        ..Audience::of(named(&["fz"]))
    };
    assert_eq!(
        ids(area.addressed(town())),
        ["fz", "b1", "k1", "s1", "b2", "s3", "m1"]
    );
    let both = Audience {
        kinds: vec![COUNTY],
        stages: vec![PRIMARY],
        divisions: named(&["350102"]),
        ..Audience::of(named(&["fz"]))
    };
    assert_eq!(ids(both.addressed(town())), ["b1"]);
}

#[test]
fn an_area_is_the_same_however_its_code_and_theirs_are_padded() {
    let town = |length: usize| {
        let padded = |mut one: OrganizationFact| {
            if !one.division.is_empty() {
                one.division = format!("{:0<length$}", one.division);
            }
            one
        };
        town().into_iter().map(padded).collect::<Vec<_>>()
    };
    for (code, reached) in [
        (
            "3501",
            &["fz", "b1", "k1", "s1", "s2", "b2", "s3", "m1"][..],
        ),
        ("350102", &["fz", "b1", "k1", "s1", "s2"]),
        ("350102001", &["fz", "b1", "k1", "s1"]),
        ("350104", &[]),
    ] {
        for width in [code.len(), code.len().next_multiple_of(6), 9, 12] {
            let area = Audience {
                divisions: vec![format!("{code:0<width$}")],
                ..Audience::of(named(&["fz"]))
            };
            for length in [6, 9, 12] {
                let found = ids(area.addressed(town(length)));
                assert_eq!(found, reached, "{area:?} of codes of {length}");
            }
        }
    }
}

#[test]
fn who_is_listed_is_addressed_alone_and_whatever_it_is() {
    let listed = Audience {
        listed: named(&["s2", "m1", "lab"]),
        ..Audience::default()
    };
    assert_eq!(ids(listed.addressed(town())), ["s2", "m1"]);
    assert_eq!(ids(listed.passed_down(town())), ["s2", "m1"]);
    let beside = Audience {
        kinds: vec![SCHOOL],
        listed: named(&["k1"]),
        ..Audience::of(named(&["b1"]))
    };
    assert_eq!(ids(beside.passed_down(town())), ["b1", "k1", "s1", "s2"]);
}

proptest! {
    /// Narrowing never adds anybody, nobody comes twice, and only bureaus come for others' sake.
    #[test]
    fn a_filter_only_takes_away(
        kinds in prop::collection::vec(1..=9_i16, 0..3),
        stages in prop::collection::vec(1..=7_i16, 0..3),
        divisions in prop::collection::vec("(350102|350103|350102001|350100)(000)?", 0..2),
        order in Just(town()).prop_shuffle(),
    ) {
        let wide = Audience::of(named(&["fz"]));
        let narrow = Audience { kinds, stages, divisions, ..wide.clone() };
        let addressed = narrow.addressed(order.clone());
        let passed = narrow.passed_down(order);
        let everybody = wide.addressed(town());
        prop_assert!(passed.iter().all(|one| everybody.contains(one)));
        prop_assert!(addressed.iter().all(|one| passed.contains(one)));
        prop_assert!(passed.iter().all(|one| one.is_bureau() || addressed.contains(one)));
        let mut places: Vec<_> = passed.iter().map(|one| one.org_path.clone()).collect();
        places.dedup();
        prop_assert_eq!(places.len(), passed.len());
    }
}
