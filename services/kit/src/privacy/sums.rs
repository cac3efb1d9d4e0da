//! Counts that add up to one.

use super::{Part, Veil};

/// What is known of the sum of some counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// It is shown: what is hidden of it is known together.
    Shown,
    /// It is hidden, and what is shown must not give it away.
    Hidden,
    /// Nobody tells it, and nothing is told that it is a part of.
    Untold,
}

/// Which of several counts are hidden from somebody, who also sees their sum, or does not. Those at the
/// places `must` are hidden for another reason.
///
/// What is hidden of a known sum is known together: so the smallest of the others are hidden too, if possible
/// not nobody, until what is hidden is more than one count, and neither few nor all but few. A count that is
/// known to be nobody, because its whole is, protects nothing and stays.
pub fn hidden(veil: Veil, counts: &[Part], sum: Sum, must: impl Fn(usize) -> bool) -> Vec<bool> {
    if veil == Veil::NONE {
        return vec![false; counts.len()];
    }
    let mut parts: Vec<(Part, bool)> = counts
        .iter()
        .enumerate()
        .map(|(at, part)| (*part, veil.covers(*part) || must(at)))
        .collect();
    let mut shown: Vec<usize> = (0..parts.len())
        .filter(|at| {
            let other = parts.get(*at);
            other.is_some_and(|(part, hidden)| !hidden && part.whole > 0)
        })
        .collect();
    shown.sort_by_key(|at| {
        let count = parts.get(*at).map_or(0, |(part, _)| part.part);
        (count == 0, count)
    });
    for at in shown {
        if !tells(veil, &parts, sum) {
            break;
        }
        if let Some((_, hidden)) = parts.get_mut(at) {
            *hidden = true;
        }
    }
    parts.into_iter().map(|(_, hidden)| hidden).collect()
}

/// Whether what is shown tells something that may not be told: of a known sum what is hidden together, of a
/// hidden one the sum itself.
fn tells(veil: Veil, parts: &[(Part, bool)], sum: Sum) -> bool {
    let (mut count, mut together) = (0, Part::default());
    for (part, _) in parts.iter().filter(|(_, hidden)| *hidden) {
        count += 1;
        together += *part;
    }
    match sum {
        Sum::Shown => count == 1 || (count > 1 && veil.covers(together)),
        Sum::Hidden => count == 0,
        Sum::Untold => false,
    }
}
