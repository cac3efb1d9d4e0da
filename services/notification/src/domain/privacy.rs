//! Which counts may be shown: none of a few people, and none from which such a one can be computed.

use std::collections::BTreeMap;

/// What stands where a count is hidden.
pub const HIDDEN: i32 = -1;

/// A count of some among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many they are.
    pub part: i32,
    /// Of how many.
    pub whole: i32,
}

impl Part {
    /// A count of all.
    pub fn all(count: i32) -> Self {
        Self {
            part: count,
            whole: count,
        }
    }

    /// Few people are counted, or few of many are left over.
    fn is_small(self, k: i32) -> bool {
        let small = |count: i32| 0 < count && count < k;
        small(self.part) || (self.whole >= k && small(self.whole - self.part))
    }
}

impl std::ops::AddAssign for Part {
    fn add_assign(&mut self, other: Self) {
        self.part += other.part;
        self.whole += other.whole;
    }
}

/// Which of several counts are hidden when their sum is known, or is not. What is hidden of a known sum is
/// known together: the smallest of the others are hidden too, if possible not nobody, until that is more than
/// one count, and neither few nor all but few.
pub fn hidden(counts: &[Part], sum_known: bool, k: i32) -> Vec<bool> {
    let mut hidden: Vec<bool> = counts.iter().map(|count| count.is_small(k)).collect();
    let mut shown: Vec<usize> = (0..counts.len())
        .filter(|at| !hidden[*at] && counts[*at].whole > 0)
        .collect();
    shown.sort_by_key(|at| (counts[*at].part == 0, counts[*at].part));
    for at in shown {
        if !tells(counts, &hidden, sum_known, k) {
            break;
        }
        hidden[at] = true;
    }
    hidden
}

/// Whether what is shown tells something that may not be: of a known sum what is hidden together, of a hidden
/// one the sum itself.
fn tells(counts: &[Part], hidden: &[bool], sum_known: bool, k: i32) -> bool {
    let few = counts.iter().zip(hidden).filter(|(_, hidden)| **hidden);
    let (mut count, mut together) = (0, Part::default());
    for (part, _) in few {
        count += 1;
        together += *part;
    }
    match sum_known {
        true => count == 1 || together.is_small(k),
        false => count == 0,
    }
}

/// Whether the count at the place `at` is hidden, where each place has a count that is the sum of
/// those right below it and its own. `counts` is what each place has of its own. Whoever sees the
/// counts of all places can compute none that is hidden: each sum that is shown has two summands or
/// more that are not, or none.
pub fn is_hidden(counts: &BTreeMap<String, Part>, at: &str, k: i32) -> bool {
    let mut ids = at.split('/');
    let mut place = ids.next().unwrap_or_default().to_owned();
    let mut is_hidden = sum(counts, &place).is_small(k);
    for id in ids {
        let below = below(counts, &place);
        let parts: Vec<Part> = below.values().copied().collect();
        let hidden = hidden(&parts, !is_hidden, k);
        let found = below.keys().zip(hidden).find(|(below, _)| **below == id);
        is_hidden = found.is_some_and(|(_, hidden)| hidden);
        place = format!("{place}/{id}");
    }
    is_hidden
}

/// The count of a place: its own and all below.
pub fn sum(counts: &BTreeMap<String, Part>, place: &str) -> Part {
    let mut sum = Part::default();
    for (at, count) in counts {
        if super::place::contains(place, at) {
            sum += *count;
        }
    }
    sum
}

/// The counts right below a place by their ids; its own under the empty one.
fn below<'a>(counts: &'a BTreeMap<String, Part>, place: &str) -> BTreeMap<&'a str, Part> {
    let mut below: BTreeMap<&str, Part> = BTreeMap::new();
    for (at, count) in counts {
        let Some(rest) = at.strip_prefix(place) else {
            continue;
        };
        let id = match rest.strip_prefix('/') {
            Some(rest) => rest.split('/').next().unwrap_or_default(),
            None if rest.is_empty() => "",
            None => continue,
        };
        *below.entry(id).or_default() += *count;
    }
    below
}

#[cfg(test)]
#[path = "privacy_tests.rs"]
mod tests;
