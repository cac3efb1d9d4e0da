//! Places in the organisation tree.

use std::fmt;
use std::str::FromStr;

/// A path of organisation ids from the root, such as `fz/350102/2135010001`; a class group may
/// stand at its end. The empty path is above every root: it contains everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrgPath(String);

/// A path has an empty part, a part of more than 32 characters, or a character outside
/// `a-z 0-9 -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path of organisation ids")]
pub struct InvalidOrgPath;

impl OrgPath {
    /// The path that contains all others.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path as text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the path that contains all others.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` is this place or lies below it.
    pub fn contains(&self, other: &Self) -> bool {
        self.is_root()
            || other
                .0
                .strip_prefix(&self.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The place `id` right below this one.
    #[must_use]
    pub fn join(&self, id: &str) -> Self {
        if self.is_root() {
            Self(id.to_owned())
        } else {
            Self(format!("{}/{id}", self.0))
        }
    }

    /// The last id; empty for the root.
    pub fn leaf(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The place right above, none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(
            self.0
                .rsplit_once('/')
                .map(|(above, _)| above.to_owned())
                .unwrap_or_default(),
        ))
    }

    /// The lowest place that contains this one and `other`.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let mut at = self.clone();
        while !at.contains(other) {
            at = at.parent().unwrap_or_default();
        }
        at
    }

    /// The ids from the top down.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|id| !id.is_empty())
    }

    /// The first text that sorts after everything below this place: with [`Self::as_str`] it makes
    /// a range that an index can answer, as `'0'` follows `'/'`.
    pub fn below_end(&self) -> String {
        format!("{}0", self.0)
    }
}

impl FromStr for OrgPath {
    type Err = InvalidOrgPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        if text.split('/').all(is_id) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidOrgPath)
        }
    }
}

impl fmt::Display for OrgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` can be the id of an organisation or class group: 1 to 32 of `a-z 0-9 -`.
pub fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> OrgPath {
        text.parse().unwrap()
    }

    #[test]
    fn two_places_have_a_lowest_one_above_both() {
        let school = path("fz/350102/2135010001");
        for (other, common) in [
            ("fz/350102/2135010001/p2019-01", "fz/350102/2135010001"),
            ("fz/350102/2135010002", "fz/350102"),
            ("fz/350102", "fz/350102"),
            ("fz/35010", "fz"),
            ("xm", ""),
            ("", ""),
        ] {
            assert_eq!(school.common(&path(other)), path(common), "{other}");
            assert_eq!(path(other).common(&school), path(common), "{other}");
        }
    }

    #[test]
    fn a_place_contains_itself_and_what_lies_below() {
        let district = path("fz/350102");
        assert!(district.contains(&district));
        assert!(district.contains(&path("fz/350102/2135010001")));
        assert!(!district.contains(&path("fz/3501020")));
        assert!(!district.contains(&path("fz")));
        assert!(OrgPath::root().contains(&district));
    }

    #[test]
    fn parts_can_be_taken_off_and_put_back() {
        let school = path("fz/350102/2135010001");
        assert_eq!(school.parent().unwrap().join(school.leaf()), school);
        assert_eq!(path("fz").parent(), Some(OrgPath::root()));
        assert_eq!(OrgPath::root().parent(), None);
    }

    #[test]
    fn the_range_below_a_place_holds_its_children_only() {
        let district = path("fz/350102");
        let end = district.below_end();
        assert!("fz/350102/2135010001" < end.as_str());
        assert!("fz/350103" > end.as_str());
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for text in [
            "/",
            "fz/",
            "/fz",
            "fz//a",
            "FZ",
            "福州",
            "fz/%",
            &"a".repeat(33),
        ] {
            assert_eq!(text.parse::<OrgPath>(), Err(InvalidOrgPath), "{text}");
        }
    }
}
