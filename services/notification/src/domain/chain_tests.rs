use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn place(path: &str) -> Place {
    let leaf = path.rsplit('/').next().unwrap();
    let level = match leaf.as_bytes()[0] {
        b'b' => Level::District,
        b'g' => Level::ClassGroup,
        _ => Level::School,
    };
    let recipient = match level {
        Level::ClassGroup => recipient_id(path.rsplit('/').nth(1).unwrap(), leaf),
        Level::District | Level::School => leaf.to_owned(),
    };
    Place {
        recipient,
        org_path: path.to_owned(),
        level,
    }
}

fn chained(paths: &[&str]) -> Vec<Addressee> {
    chain("fz", paths.iter().map(|path| place(path)).collect())
}

#[test]
fn everybody_gets_it_from_the_nearest_above() {
    let chained = chained(&[
        "fz/b/s2",
        "fz",
        "fz/b",
        "fz/m1",
        "fz/b/s1",
        "fz/b/s1/g1",
        "fz/b-x",
        "fz/c/s3",
        "fz/m1",
    ]);
    let told: Vec<_> = chained
        .iter()
        .map(|a| (&*a.place.recipient, &*a.upper, &*a.district, a.below))
        .collect();
    let expected = [
        ("b", "", "b", 2),
        ("s1", "b", "b", 1),
        ("s1~g1", "s1", "b", 0),
        ("s2", "b", "b", 0),
        ("b-x", "", "", 0),
        ("s3", "", "", 0),
        ("m1", "", "", 0),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_zone_below_a_county_is_of_the_county() {
    let chained = chained(&["fz/b1", "fz/b1/b2", "fz/b1/b2/s1"]);
    assert!(chained.iter().all(|one| one.district == "b1"));
}

#[test]
fn a_recipient_id_tells_organisation_and_class_group() {
    assert_eq!(parts(&recipient_id("s1", "p2019-01")), ("s1", "p2019-01"));
    assert_eq!(parts("s1"), ("s1", ""));
}

/// A random tree: each place hangs below one of those before it.
fn trees() -> impl Strategy<Value = Vec<String>> {
    let place = (any::<prop::sample::Index>(), "[bsg]");
    prop::collection::vec(place, 1..40).prop_map(|places| {
        let mut paths = vec!["fz".to_owned()];
        for (number, (upper, kind)) in places.into_iter().enumerate() {
            let path = format!("{}/{kind}{number}", upper.get(&paths));
            paths.push(path);
        }
        paths
    })
}

proptest! {
    /// Whoever is addressed is reached exactly once when everybody relays, and never before the one above.
    #[test]
    fn every_recipient_is_reached_exactly_once(
        (tree, order) in trees().prop_flat_map(|tree| (Just(tree.clone()), Just(tree).prop_shuffle())),
        keep in prop::collection::vec(any::<bool>(), 40),
    ) {
        let kept = |path: &String| keep[tree.iter().position(|p| p == path).unwrap() % 40];
        let addressed: Vec<Place> = order.iter().filter(|p| kept(p)).map(|p| place(p)).collect();
        let orders = addressed.iter().any(|one| one.org_path == "fz");
        let chained = chain("fz", addressed.clone());
        prop_assert_eq!(chained.len() + usize::from(orders), addressed.len());
        let mut reached = BTreeMap::<&str, usize>::new();
        let mut relaying = vec![""];
        while let Some(upper) = relaying.pop() {
            for one in chained.iter().filter(|one| one.upper == upper) {
                *reached.entry(&one.place.recipient).or_default() += 1;
                relaying.push(&one.place.recipient);
            }
        }
        prop_assert_eq!(reached.len(), chained.len());
        prop_assert!(reached.values().all(|times| *times == 1));
        for one in &chained {
            let below = chained.iter().filter(|other| other.upper == one.place.recipient);
            prop_assert_eq!(below.count(), usize::try_from(one.below).unwrap());
        }
    }
}
