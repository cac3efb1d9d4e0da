//! Places in the organisation tree, as text.

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

/// The id of the organisation right above a place; none at the root.
pub fn above(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(upper, _)| leaf(upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_contains_itself_and_what_is_below() {
        assert!(contains("fz", "fz") && contains("fz", "fz/1") && contains("", "fz"));
        assert!(!contains("fz/1", "fz/12") && !contains("fz/1", "fz"));
        assert_eq!(leaf("fz/1"), "1");
        assert_eq!(above("fz/1/2"), Some("1"));
        assert_eq!(above("fz"), None);
    }
}
