//! Counts of places in the tree of organisations, which add up from below.

use std::collections::BTreeMap;

use super::{Part, Seen, Sum, Veil, hidden};

/// The count of the place `at`, its own and all below, as somebody sees it who sees the counts of every
/// place at or below `root`. `counts` is what each place has of its own.
pub fn see_at(veil: Veil, counts: &BTreeMap<String, Part>, root: &str, at: &str) -> Seen {
    let count = sum_at(counts, at).count();
    Seen::new(count, is_hidden(veil, counts, root, at))
}

/// Whether the count of the place `at` is hidden from somebody who sees those of every place at or below
/// `root`, which is `at` or contains it and is not empty. `counts` is what each place has of its own, which is
/// told by itself nowhere.
///
/// Whoever sees all that is shown can compute nothing that is hidden: each sum that is shown has two summands
/// or more that are not, or none, and each that is hidden has one that is.
pub fn is_hidden(veil: Veil, counts: &BTreeMap<String, Part>, root: &str, at: &str) -> bool {
    let mut place = root.to_owned();
    let mut is_hidden = veil.covers(sum_at(counts, root));
    let down = at.strip_prefix(root).unwrap_or_default();
    for id in down.split('/').filter(|id| !id.is_empty()) {
        let below = below(counts, &place);
        let parts: Vec<Part> = below.values().copied().collect();
        let told = if is_hidden { Sum::Hidden } else { Sum::Shown };
        let judged = hidden(veil, &parts, told, |_| false);
        let found = below.keys().zip(judged).find(|(below, _)| **below == id);
        // Where nothing was ever counted there is nobody.
        is_hidden = found.map_or_else(|| veil.covers(Part::default()), |(_, hidden)| hidden);
        place = format!("{place}/{id}");
    }
    is_hidden
}

/// The count of a place: its own and all below.
pub fn sum_at(counts: &BTreeMap<String, Part>, place: &str) -> Part {
    let mut sum = Part::default();
    for (at, count) in counts {
        if contains(place, at) {
            sum += *count;
        }
    }
    sum
}

/// The counts right below a place by their ids; its own under the empty one.
fn below<'a>(counts: &'a BTreeMap<String, Part>, place: &str) -> BTreeMap<&'a str, Part> {
    let mut below: BTreeMap<&str, Part> = BTreeMap::new();
    for (at, count) in counts {
        if contains(place, at) {
            let rest = at.get(place.len() + 1..).unwrap_or_default();
            let id = rest.split('/').next().unwrap_or_default();
            *below.entry(id).or_default() += *count;
        }
    }
    below
}

/// Whether the place `inner` is `outer` or below it.
pub(super) fn contains(outer: &str, inner: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
