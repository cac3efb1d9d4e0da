//! Places in the organisation tree, as text.

use std::cmp::Ordering;

/// Whether the place `inner` is `outer` or below it; the empty place contains all.
pub fn contains(outer: &str, inner: &str) -> bool {
    outer.is_empty()
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The last id of a place.
pub fn leaf(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The ids of the organisations above a place, from the one right above to the root.
pub fn above(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit('/').skip(1)
}

/// The places above one, the nearest first.
pub fn places_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |place| Some(place.rsplit_once('/')?.0)).skip(1)
}

/// The order in which everything below a place follows it before any place that is not.
pub fn by_place(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_contains_itself_and_what_is_below() {
        assert!(contains("fz", "fz") && contains("fz", "fz/1") && contains("", "fz"));
        assert!(!contains("fz/1", "fz/12") && !contains("fz/1", "fz"));
        assert_eq!(leaf("fz/1"), "1");
        assert_eq!(above("fz/1/2").collect::<Vec<_>>(), ["1", "fz"]);
        assert_eq!(above("fz").next(), None);
    }

    #[test]
    fn the_places_above_are_listed_up_to_the_root() {
        assert_eq!(places_above("fz/1/2").collect::<Vec<_>>(), ["fz/1", "fz"]);
        assert!(places_above("fz").chain(places_above("")).next().is_none());
    }

    #[test]
    fn what_is_below_follows_before_anything_beside() {
        let mut places = ["fz/b-x", "fz/b/s", "fz/b", "fz"];
        places.sort_by(|one, other| by_place(one, other));
        assert_eq!(places, ["fz", "fz/b", "fz/b/s", "fz/b-x"]);
    }
}
